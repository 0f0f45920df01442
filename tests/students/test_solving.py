"""Two stages, in batches and live: the same solution, events in order, given fields skip a stage."""

from __future__ import annotations

import pytest
from rows import make_rows

from training_backend.errors import CheckpointError, ConfigError
from training_backend.events import Answer, Reporter, StageEnded, StageStarted, Token, Trace
from training_backend.execution.runner import ProgramRunner
from training_backend.students.decoding_settings import DecodingSettings
from training_backend.students.solving import Cancelled, Solver, find_students


@pytest.fixture(scope="module")
def runner():
    with ProgramRunner(workers=1) as runner:
        yield runner


@pytest.fixture(scope="module")
def solver(trained_run):
    return Solver.load(trained_run, device="cpu")


def test_two_stages_in_a_batch(solver, runner):
    rows = make_rows(2)
    solutions = solver.solve_many(
        [row.question for row in rows], runner, Reporter(quiet=True), gold=[row.gold_value for row in rows]
    )
    for row, solution in zip(rows, solutions, strict=True):
        assert solution.core_question == row.core_question
        assert solution.information == row.information
        assert solution.rationale == row.rationale and solution.kind == "pot"
        assert solution.judgement.state == "equal" and solution.judgement.value == row.gold_value
        assert set(solution.texts) == {"key", "solve"}


def test_without_gold_and_with_wrong_gold(solver, runner):
    questions = [row.question for row in make_rows(2)]
    quiet = Reporter(quiet=True)
    states = [s.judgement.state for s in solver.solve_many(questions, runner, quiet)]
    assert states == ["no_gold", "no_gold"]
    states = [s.judgement.state for s in solver.solve_many(questions, runner, quiet, gold=[6.0, 99.0])]
    assert states == ["equal", "not_equal"]
    assert solver.solve_many([], runner, quiet) == []


def test_live_says_everything_in_order(solver, runner):
    row = make_rows(1)[0]
    events = []
    solution = solver.solve_live(row.question, runner, events.append, row.gold_value, request="7")
    assert solution.judgement.state == "equal"
    assert all(event.request == "7" for event in events)
    kinds = [type(event) for event in events if not isinstance(event, Token)]
    assert kinds[:4] == [StageStarted, StageEnded, StageStarted, StageEnded]
    assert kinds[-1] is Answer and set(kinds[4:-1]) == {Trace}
    key, solve = (event for event in events if isinstance(event, StageEnded))
    assert key.fields == {"core_question": row.core_question, "information": list(row.information)}
    assert solve.fields == {"rationale": row.rationale, "kind": "pot"}
    for stage in (key, solve):
        tokens = [e for e in events if isinstance(e, Token) and e.role == stage.role]
        assert "".join(token.text for token in tokens) == stage.text
        assert [token.index for token in tokens] == list(range(len(tokens)))
        assert all(len(token.alternatives) == 5 for token in tokens)
    records = [record for event in events if isinstance(event, Trace) for record in event.records]
    assert [record["ln"] for record in records if record["ev"] == "line"] == [1, 2, 3]
    answer = events[-1]
    assert answer.equal is True and answer.value == answer.gold == row.gold_value and answer.verdict == "ok"


def test_given_key_points_skip_the_first_stage(solver, runner):
    row = make_rows(2)[1]
    events = []
    given = {"core_question": row.core_question, "information": row.information}
    solution = solver.solve_live(row.question, runner, events.append, row.gold_value, given=given)
    assert [event.role for event in events if isinstance(event, StageStarted)] == ["solve"]
    assert solution.judgement.state == "equal" and set(solution.texts) == {"solve"}
    (batched,) = solver.solve_many([row.question], runner, Reporter(quiet=True), given=[given])
    assert batched.rationale == solution.rationale


def test_cancel_ends_it(solver, runner):
    calls = []

    def stop() -> bool:
        calls.append(1)
        return len(calls) > 3

    events = []
    with pytest.raises(Cancelled):
        solver.solve_live(make_rows(1)[0].question, runner, events.append, stop=stop)
    assert sum(isinstance(event, Token) for event in events) == 3
    assert not any(isinstance(event, Answer) for event in events)


def test_empty_question_and_unknown_kind(solver, runner):
    with pytest.raises(ConfigError, match="empty"):
        solver.solve_live("  \n", runner, print)
    with pytest.raises(ConfigError, match="writes no equations"):
        solver.solve_many(["x"], runner, Reporter(quiet=True), kind="eot")


def test_any_question_gets_an_end(solver, runner):
    for question in ("一共有多少支笔？", "total " * 600, "{<\x00"):
        events = []
        solver.solve_live(question, runner, events.append)
        assert isinstance(events[-1], Answer)


def test_about_names_what_a_window_shows(solver):
    about = solver.about()
    assert about["method"] == "kpdd-pot" and about["kind"] == "pot"
    assert about["roles"] == ["key", "solve"] and about["device"] == "cpu"
    assert solver.engines(1) == {"key": "transformers", "solve": "transformers"}


def test_students_are_found(trained_run, tmp_path):
    folders, method = find_students(trained_run)
    assert method == "kpdd-pot" and list(folders) == ["key", "solve"]
    again, method = find_students({role: str(folder) for role, folder in folders.items()})
    assert again == folders and method == "kpdd-pot"
    assert find_students(folders["solve"]) == ({"solve": folders["solve"]}, "kpdd-pot")
    with pytest.raises(CheckpointError, match="neither a run folder nor a student"):
        find_students(tmp_path)


def test_one_student_alone_is_not_enough(trained_run):
    with pytest.raises(CheckpointError, match="needs the student Key"):
        Solver.load(trained_run / "students" / "solve", device="cpu")


def test_the_same_student_serves_a_method_of_one(trained_run, runner):
    solver = Solver.load(trained_run / "students" / "solve", method="potd", device="cpu")
    (solution,) = solver.solve_many(["Tom has 2 boxes"], runner, Reporter(quiet=True))
    assert solution.core_question == "" and set(solution.texts) == {"solve"}


def test_kinds_are_tried_in_turn(trained_run, runner):
    """One student of three kinds: the next kind only where the one before gave no answer."""
    folder = trained_run / "students" / "solve"
    solver = Solver.load({"solve": folder}, method="etd", device="cpu")
    events = []
    solver.solve_live("the", runner, events.append)
    starts = [e.source.split(":")[0] for e in events if isinstance(e, StageStarted)]
    assert starts[0] == "solve by program" and 1 <= len(starts) <= 3
    only = solver.solve_many(["the"], runner, Reporter(quiet=True), kind="cot")
    assert only[0].kind == "cot"


def test_unfinished_run_gives_its_newest_checkpoint(trained_run, tmp_path):
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(trained_run, copy)
    shutil.rmtree(copy / "students" / "key")
    folders, _ = find_students(copy)
    assert folders["key"] == copy / "checkpoints" / "key" / "step-110"
    shutil.rmtree(copy / "checkpoints" / "key")
    with pytest.raises(CheckpointError, match="no trained student Key"):
        find_students(copy)


# ---- paths and branches -----------------------------------------------------------------------------

DRAWN = DecodingSettings(max_new_tokens=40, temperature=1.5, seed=2)


def test_paths_are_samples_of_every_stage(solver, runner):
    questions = ["Tom has 7 apples and the boxes", make_rows(1)[0].question]
    quiet = Reporter(quiet=True)
    solved = solver.solve_paths(questions, runner, quiet, 4, settings=DRAWN)
    assert [len(paths) for paths in solved] == [4, 4]
    assert [path.question for path in solved[1]] == [questions[1]] * 4
    assert len({path.rationale for path in solved[0]}) > 1
    turned = solver.solve_paths(questions[::-1], runner, quiet, 4, settings=DRAWN)[::-1]
    assert [[p.texts for p in paths] for paths in turned] == [[p.texts for p in paths] for paths in solved]
    live = solver.solve_live(questions[0], runner, lambda event: None, settings=DRAWN, sample=2)
    assert live.texts == solved[0][2].texts
    with pytest.raises(ConfigError, match="0 paths"):
        solver.solve_paths(questions, runner, quiet, 0)


def test_continue_from_an_alternative(solver, runner):
    row = make_rows(1)[0]
    events = []
    solver.solve_live(row.question, runner, events.append)
    tokens = [e for e in events if isinstance(e, Token) and e.role == "solve"]
    at = 3
    other = tokens[at].alternative_tokens[1]
    assert other != tokens[at].token == tokens[at].alternative_tokens[0]
    branch = []
    given = {"core_question": row.core_question, "information": row.information}
    solver.solve_live(row.question, runner, branch.append, given=given,
                      forced=("solve", [*(t.token for t in tokens[:at]), other]))  # fmt: skip
    again = [e for e in branch if isinstance(e, Token)]
    assert [e.role for e in branch if isinstance(e, StageStarted)] == ["solve"]
    assert [t.text for t in again[:at]] == [t.text for t in tokens[:at]] and again[at].token == other
    assert again[at].text == tokens[at].alternatives[1][0] and isinstance(branch[-1], Answer)
    # begun with what it would have written anyway, it ends where it ended
    same = []
    solver.solve_live(row.question, runner, same.append, forced=("key", [_first_token(events, "key")]))
    assert [e.text for e in same if isinstance(e, StageEnded)] == [
        e.text for e in events if isinstance(e, StageEnded)
    ]
    with pytest.raises(ConfigError, match="no student called 'nobody'"):
        solver.solve_live(row.question, runner, branch.append, forced=("nobody", [1]))


def _first_token(events, role):
    return next(e.token for e in events if isinstance(e, Token) and e.role == role)


def test_stop_ends_many(solver, runner):
    asked = []
    with pytest.raises(Cancelled):
        solver.solve_many(
            ["the", "a"] * 40, runner, Reporter(quiet=True), stop=lambda: len(asked) > 2 or asked.append(1)
        )


def test_a_folder_that_is_gone_is_said_to_be_gone(tmp_path):
    with pytest.raises(CheckpointError, match="is not there: it was removed"):
        find_students(tmp_path / "gone")
    with pytest.raises(CheckpointError, match="neither a run folder"):
        find_students(tmp_path)
