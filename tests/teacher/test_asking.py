"""The run that asks a teacher: order, counts, retries, budget, pause, stop, going on, never twice."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import replace

import pytest
from fake_asker import PARTS, FakeAsker, answered, good, what

from training_backend.errors import ConfigError, TeacherError
from training_backend.events import Control, Progress, Reporter, RowsChanged
from training_backend.project.details import row_detail
from training_backend.project.listing import Listing, RowFilter
from training_backend.project.merging import merge_project
from training_backend.project.questions import NewQuestion, add_questions, questions
from training_backend.project.store import Project
from training_backend.teacher import requests
from training_backend.teacher.asker import AskError
from training_backend.teacher.asking import MOST_IN_A_ROW, AskSettings
from training_backend.teacher.rate import Retry
from training_backend.teacher.run_spec import RunSpec
from training_backend.teacher.run_states import run_states
from training_backend.teacher.teacher_run import run_teacher

AT_ONCE = Retry(tries=4, first_s=0.0)


class Kept(Reporter):
    """A reporter that keeps its events."""

    def __init__(self):
        super().__init__(quiet=True)
        self.seen = []

    def emit(self, event):
        self.seen.append(event)

    def counts(self):
        return [event.counts for event in self.seen if isinstance(event, Progress)]


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p.kpdd") as made:
        yield fill(made, 6)


def fill(project, count, text="There are {0} and one more. How many are there?"):
    add_questions(
        project, [NewQuestion("d", "train", str(n), text.format(n), "2", 2.0) for n in range(count)]
    )
    return project


def spec(kinds=("cot",), concurrency=4, ask=None, **more):
    settings = AskSettings("fake-1", structured=True, concurrency=concurrency, **(ask or {}))
    return RunSpec("Fake", "nowhere", settings, kinds=tuple(kinds), **more)


def run(project, asker, wanted=None, reporter=None, control=None, limit=None, **more):
    reporter = reporter or Kept()
    report = run_teacher(
        project, asker, wanted or spec(), list(questions(project, limit=limit)), reporter,
        control or Control(), retry=AT_ONCE, **more,
    )  # fmt: skip
    for counts in reporter.counts():
        assert counts["asked"] == counts["done"] + counts["failed"] + counts["waiting"]
    counts = report.counts
    assert counts.asked == counts.done + counts.failed + counts.waiting
    assert asker.closed
    return report


def states(project):
    return {state: count for state, count in Listing(project.path).facets(RowFilter())["verdict"] if count}


def raw_of(project, row_id):
    with project.reading() as connection:
        sql = "SELECT a.raw FROM row AS r JOIN rationale AS a ON a.id = r.rationale_id WHERE r.id = ?"
        return json.loads(*connection.execute(sql, (row_id,)).fetchone())


def test_key_points_come_first_and_each_kind_is_asked_with_them(project):
    asker, reporter = FakeAsker(), Kept()
    report = run(project, asker, spec(("cot", "pot", "eot"), paths=2), reporter)
    assert (report.status, report.counts.asked, report.counts.done) == ("done", 48, 48)
    assert Counter(map(what, asker.asked)) == {"key_points": 12, "cot": 12, "pot": 12, "eot": 12}
    order: dict[str, list[str]] = {}
    for asked in asker.asked:
        question = asked.messages[-1]["content"].split("?")[0]
        order.setdefault(f"{question} {asked.seed // 1000}", []).append(what(asked))
        if what(asked) != "key_points":
            assert PARTS["core_question"] in asked.messages[-1]["content"]
    assert set(map(tuple, order.values())) == {("key_points", "cot", "eot", "pot")}
    assert states(project) == {"equal": 36} and report.by_state == {"equal": 36}
    assert asker.most_at_once == 4
    detail = row_detail(project, 1)
    assert detail.core_question.text == PARTS["core_question"]
    assert reporter.counts()[-1]["done"] == 48
    assert sum(event.count for event in reporter.seen if isinstance(event, RowsChanged)) == 48


def test_one_call_asks_for_key_points_and_rationale_together(project):
    asker = FakeAsker()
    report = run(project, asker, spec(("cot",), one_call=True))
    assert report.counts.asked == len(asker.asked) == asker.count("one_call") == 6
    assert states(project) == {"equal": 6}
    assert row_detail(project, 1).core_question.text == PARTS["core_question"]


def test_each_row_knows_teacher_prompt_and_parameters(project):
    run(project, FakeAsker())
    with project.reading() as connection:
        lines = connection.execute(
            "SELECT o.teacher, o.model, o.prompt_version, o.details FROM rationale AS a "
            "JOIN origin AS o ON o.id = a.origin_id"
        ).fetchall()
        kept = {version for (version,) in connection.execute("SELECT version FROM prompt WHERE name = 'cot'")}
    assert len(lines) == 6 and {line[:2] for line in lines} == {("Fake", "fake-1")}
    assert {line[2] for line in lines} == kept
    assert json.loads(lines[0][3])["temperature"] == 0.7


def test_what_another_project_paid_for_is_not_paid_for_again_after_a_merge(project, tmp_path):
    with Project.create(tmp_path / "theirs.kpdd") as theirs:
        fill(theirs, 6)
        run(theirs, FakeAsker(), limit=4)
    run(project, FakeAsker(), limit=1)
    report = merge_project(project, tmp_path / "theirs.kpdd")
    assert (report.teacher_runs, report.replies, report.requests) == (0, 6, 6)
    asker = FakeAsker()
    again = run(project, asker)
    assert len(asker.asked) == 4
    assert (again.counts.done, again.counts.replies, again.by_state) == (12, 12, {"equal": 6})


def test_the_verdicts_are_those_of_the_whole_run_resumed_or_not(project):
    first = run(project, FakeAsker(), limit=2)
    assert first.by_state == {"equal": 2}
    # another teacher's answers to the same questions are none of this run
    run(project, FakeAsker(), replace(spec(), teacher="Other"), limit=5)
    with project.writing() as connection:
        connection.exec_driver_sql("UPDATE row SET verdict = 'not_equal' WHERE id = 1")
    reporter = Kept()
    report = run(project, FakeAsker(), reporter=reporter)
    assert report.by_state == run_states(project, report.run_id) == {"equal": 5, "not_equal": 1}
    shown = [
        {key: n for key, n in counts.items() if key.startswith("state:")} for counts in reporter.counts()
    ]
    assert shown[0] == {"state:equal": 1, "state:not_equal": 1}
    assert shown[-1] == {"state:equal": 5, "state:not_equal": 1}
    assert run_states(project, 999) == {}


def test_nothing_is_asked_twice(project):
    run(project, FakeAsker(), limit=3)
    again = FakeAsker()
    report = run(project, again)
    assert len(again.asked) == 6 and report.counts.asked == report.counts.done == 12
    more = FakeAsker()
    report = run(project, more, spec(("cot", "pot"), paths=2))
    # a program with the key points that are there, and all of the second path
    assert Counter(map(what, more.asked)) == {"key_points": 6, "pot": 12, "cot": 6}
    assert report.counts.failed == 0 and len(requests.runs(project)) == 1


def test_equal_questions_are_asked_once_even_at_the_same_time(tmp_path):
    with Project.create(tmp_path / "p.kpdd") as project:
        asker = FakeAsker()
        report = run(fill(project, 5, "The same for all?"), asker, spec(concurrency=5))
        assert len(asker.asked) == 2 and report.counts.done == 10 and report.counts.replies == 2
        assert states(project) == {"equal": 5}


def test_a_kept_reply_serves_another_run(project):
    run(project, FakeAsker())
    asker = FakeAsker()
    other = RunSpec("Another name", "elsewhere", spec().ask, kinds=("cot",))
    report = run(project, asker, other)
    assert not asker.asked and report.counts.done == 12 and report.counts.replies == 0


def test_a_reply_that_does_not_parse_is_asked_again_and_then_kept_with_the_reason(project):
    asker = FakeAsker(cot=["no json at all", "{}", "still none"])
    report = run(project, asker, limit=1)
    assert asker.count("cot") == 3
    assert (report.counts.done, report.counts.failed) == (1, 1)
    assert report.counts.reasons == {"unreadable": 1} and report.counts.replies == 4
    assert states(project)["does_not_parse"] == 1
    assert raw_of(project, 1) == {"cot": "still none"}
    # asked again as often once more, each a request of its own
    again = FakeAsker(cot=["no", "no"])
    report = run(project, again, spec(ask_again=("unreadable",)), limit=1)
    assert again.count("cot") == 3 and report.counts.failed == 0 and states(project)["equal"] == 1


def test_a_second_try_that_parses_leaves_no_failure(project):
    report = run(project, FakeAsker(cot=["hm"]), limit=1)
    assert (report.counts.done, report.counts.failed, report.counts.replies) == (2, 0, 3)


def test_failed_key_points_fail_their_kinds_and_wait_again_with_them(project):
    asker = FakeAsker(key_points=["no", "no", "no"])
    wanted = spec(("cot", "pot"), concurrency=1)
    report = run(project, asker, wanted, limit=1)
    assert report.counts.reasons == {"unreadable": 1, "key_points": 2}
    assert asker.count("cot") == 0
    for reasons in (("unreadable",), ("key_points",), ()):
        assert requests.ask_again(project, report.run_id, reasons or None) == 3
        with project.writing() as connection:
            connection.exec_driver_sql("UPDATE request SET status = 'failed', "
                                       "reason = iif(kind = '', 'unreadable', 'key_points')")  # fmt: skip
    report = run(project, FakeAsker(), spec(("cot", "pot"), ask_again=()), limit=1)
    assert report.counts.done == 3 and states(project)["equal"] == 2


@pytest.mark.parametrize("reason", ["rate_limit", "server", "reset", "cut", "silence", "not_json"])
def test_what_may_pass_is_tried_again(project, reason):
    error = AskError(reason, "It went wrong.", retry_after_s=0.0 if reason == "rate_limit" else None)
    asker = FakeAsker(cot=[error, error])
    report = run(project, asker, limit=1)
    assert asker.count("cot") == 3 and report.counts.done == 2 and report.counts.replies == 2
    asker = FakeAsker(cot=[error] * 4)
    report = run(project, asker, spec(ask={"temperature": 0.1}), limit=1)
    assert asker.count("cot") == 4
    assert report.counts.reasons == {reason: 1} and report.status == "done"
    again = run(project, FakeAsker(), spec(ask={"temperature": 0.1}, ask_again=(reason,)), limit=1)
    assert again.counts.failed == 0


@pytest.mark.parametrize("reason", ["bad_request", "too_long"])
def test_what_will_not_pass_is_not_tried_again(project, reason):
    asker = FakeAsker(cot=[AskError(reason, "Never.")])
    assert run(project, asker, limit=1).counts.reasons == {reason: 1}
    assert asker.count("cot") == 1


def test_a_refusal_and_an_empty_reply_are_paid_for_and_kept(project):
    said = answered("", refusal="I will not do that.")
    empty = answered("")
    asker = FakeAsker(cot=[AskError("refusal", "It refused.", answered=said)])
    report = run(project, asker, limit=1)
    assert report.counts.reasons == {"refusal": 1} and asker.count("cot") == 1
    assert report.counts.replies == 2
    assert raw_of(project, 1) == {"cot": "I will not do that."}
    asker = FakeAsker(cot=[AskError("empty", "Nothing.", answered=empty)] * 3)
    report = run(project, asker, spec(ask={"temperature": 0.2}), limit=1)
    assert report.counts.reasons == {"empty": 1} and asker.count("cot") == 3 and report.counts.replies == 4


def test_a_reply_cut_at_its_length_says_so(project):
    cut = answered('{"chain_of', finish_reason="length")
    report = run(project, FakeAsker(cot=[cut] * 3), limit=1)
    assert report.counts.reasons == {"length": 1}


@pytest.mark.parametrize("reason", ["key", "permission", "model", "certificate", "refused_connection"])
def test_what_every_request_would_meet_ends_the_run_and_the_rest_waits(project, reason):
    error = AskError(reason, "The key is wrong.", "Check it.")
    with pytest.raises(TeacherError, match="The key is wrong"):
        run_teacher(project, FakeAsker(key_points=[error] * 99), spec(), list(questions(project)), Kept(),
                    Control(), retry=AT_ONCE)  # fmt: skip
    (line,) = requests.runs(project)
    counts = requests.counts(project, line.id)
    assert (line.status, counts.waiting, counts.failed) == ("failed", 12, 0)
    assert "The key is wrong" in line.problem
    assert run(project, FakeAsker()).counts.done == 12


def test_many_failures_in_a_row_end_the_run(tmp_path):
    with Project.create(tmp_path / "p.kpdd") as project:
        fill(project, 40)
        asker = FakeAsker(key_points=[AskError("server", "Out of order.")] * 999)
        with pytest.raises(TeacherError, match="Out of order"):
            run(project, asker)
        counts = requests.counts(project, requests.runs(project)[0].id)
        assert counts.reasons == {"server": MOST_IN_A_ROW - 1, "key_points": counts.reasons["key_points"]}
        assert counts.waiting > 50


def test_a_stop_lets_what_is_on_its_way_come_in(project):
    control, asker = Control(), FakeAsker()
    asker.on_ask = lambda asked: len(asker.asked) == 5 and control.stop()
    report = run(project, asker, control=control)
    assert report.status == "stopped" and report.counts.waiting > 0
    assert report.counts.replies == len(asker.asked)
    first = len(asker.asked)
    again = FakeAsker()
    report = run(project, again)
    assert first + len(again.asked) == 12 and report.counts.done == 12
    assert states(project) == {"equal": 6}


def test_a_pause_lets_nothing_out_until_it_ends(project):
    control, asker, reporter = Control(), FakeAsker(), Kept()
    control._obey("pause")
    resumed = threading.Event()

    def look(event, emit=reporter.emit):
        emit(event)
        if any(line.status == "paused" for line in requests.runs(project)) and not resumed.is_set():
            assert not asker.asked[4:]
            resumed.set()
            control._obey("resume")

    reporter.emit = look
    report = run(project, asker, reporter=reporter, control=control)
    assert resumed.is_set() and report.counts.done == 12 and requests.runs(project)[0].status == "done"


def price(prompt, cached, completion):
    return prompt * 0.001 + completion * 0.1


def test_a_budget_is_never_exceeded_and_more_of_it_goes_on(project):
    asker = FakeAsker()
    report = run(project, asker, spec(budget=7.0, ask={"max_tokens": 20}), money=price)
    assert report.status == "budget" and report.stopped
    assert report.counts.money == pytest.approx(1.1 * len(asker.asked)) and report.counts.money <= 7.0
    paid = len(asker.asked)
    assert 0 < paid < 12 and report.counts.waiting == 12 - paid
    asker = FakeAsker()
    report = run(project, asker, spec(budget=60.0, ask={"max_tokens": 20}), money=price)
    assert report.status == "done" and paid + len(asker.asked) == 12
    assert report.counts.money == pytest.approx(13.2)


def test_a_budget_counts_what_was_paid_before_the_price_was_known(project):
    report = run(project, FakeAsker(), spec(ask={"max_tokens": 20}), limit=2)
    assert report.counts.replies == 4 and report.counts.money is None
    asker = FakeAsker()
    report = run(project, asker, spec(budget=4.5, ask={"max_tokens": 20}), money=price)
    # four replies have cost 4.4: there is no room for a fifth
    assert report.status == "budget" and not asker.asked
    assert report.counts.money == pytest.approx(4.4)


class Silent(FakeAsker):
    """A server that does not say what its replies took."""

    async def ask(self, asked):
        return replace(await super().ask(asked), prompt_tokens=0, completion_tokens=0)


def test_a_budget_holds_over_two_starts_where_the_server_counts_nothing(project):
    first = Silent()
    report = run(project, first, spec(budget=7.0, ask={"max_tokens": 20}), money=price)
    assert report.status == "budget" and 0 < len(first.asked) < 12
    assert 2.0 * len(first.asked) < report.counts.money <= 7.0
    again = Silent()
    report = run(project, again, spec(budget=7.0, ask={"max_tokens": 20}), money=price)
    assert report.status == "budget" and not again.asked


def test_wishes_that_cannot_be_met(project):
    for wanted, words in ((spec(("pal",)), "no kind"), (spec(()), "nothing to ask"),
                          (spec(budget=1.0), "needs a price")):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            run(project, FakeAsker(), wanted)


def test_a_run_has_a_folder_with_its_events_and_obeys_its_control_file(project):
    asker = FakeAsker()
    folder = project.path.parent / "p.runs" / "teacher-1"
    asker.on_ask = lambda asked: len(asker.asked) == 3 and (folder / "control").write_text("stop")
    report = run_teacher(
        project, asker, spec(concurrency=1, requests_per_minute=600), list(questions(project)),
        reporter := Reporter(quiet=True), Control(), retry=AT_ONCE,
    )  # fmt: skip
    reporter.detach()
    assert report.status == "stopped" and requests.runs(project)[0].folder == "p.runs/teacher-1"
    names = [json.loads(line)["event"] for line in (folder / "events.jsonl").read_text().splitlines()]
    assert names[0] == "started" and "progress" in names


def test_a_full_disk_ends_the_run_and_nothing_is_counted_that_is_not_kept(project, monkeypatch):
    from training_backend.errors import StoreError
    from training_backend.teacher import group_commit

    def full(connection, new):
        raise StoreError("The disk is full.", "Make room.")

    monkeypatch.setattr(group_commit, "add_response", full)
    reporter = Kept()
    with pytest.raises(StoreError, match="disk is full"):
        run(project, FakeAsker(), reporter=reporter)
    assert reporter.counts()[-1]["done"] == 0
    monkeypatch.undo()
    assert run(project, FakeAsker()).counts.done == 12


def test_a_good_reply_of_a_fake_is_one(project):
    asker = FakeAsker()
    run(project, asker, limit=1)
    assert good(asker.asked[0]).text == json.dumps(
        {key: PARTS[key] for key in ("core_question", "information")}
    )
