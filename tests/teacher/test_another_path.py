"""Another answer on purpose: new paths beside the old ones, failed rows filled, the cache out of the way."""

from __future__ import annotations

import json

import pytest
from loopback import Loopback
from test_asking import fill
from test_asking_over_http import configured, reply_to, run

from training_backend.__main__ import main
from training_backend.project.questions import questions
from training_backend.project.store import Project
from training_backend.teacher import requests
from training_backend.teacher.another_path import kinds_of_rows, waiting_chains
from training_backend.teacher.run_estimate import estimate_run
from training_backend.teacher.run_spec import spec_of
from training_backend.teacher.teacher_config import save_teacher


def reply(messages):
    """Answer as `reply_to`, but with a program where one is wanted."""
    return "Program:\nans = 1 + 1" if "program" in messages[0]["content"].lower() else reply_to(messages)


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p.kpdd") as made:
        yield fill(made, 3)


@pytest.fixture
def server():
    with Loopback(reply=reply_to) as server:
        yield server


def rows(project):
    with project.reading() as connection:
        sql = ("SELECT r.question_id, r.kind, r.path, t.text, r.id FROM row AS r LEFT JOIN rationale AS t "
               "ON t.id = r.rationale_id ORDER BY r.question_id, r.kind, r.path")  # fmt: skip
        return connection.execute(sql).fetchall()


def command(capsys, project, tmp_path, row_ids, *more, code=0):
    words = ["generate", str(project.path), "--teacher", "Loop", "--json", *more]
    if row_ids:
        (tmp_path / "rows.txt").write_text("\n".join(map(str, row_ids)))
        words += ["--rows-file", str(tmp_path / "rows.txt")]
    assert main(words) == code
    return json.loads(capsys.readouterr().out or "null")


def test_another_answer_is_a_new_path_that_the_server_is_really_asked_for(project, server, tmp_path, capsys):
    save_teacher(project, configured(server))
    run(project, configured(server))
    before = rows(project)
    project.close()
    asked = len(server.asked)
    told = command(capsys, project, tmp_path, [before[0][4], before[1][4]], "--another", "again-1")
    # the same texts, and yet the cache holds no reply to the new path
    assert len(server.asked) == asked + 4 and (told["asked"], told["done"]) == (4, 4)
    with Project.open(project.path) as opened:
        now = rows(opened)
    assert [row for row in now if row[2] == 0] == before
    assert [(row[0], row[1], row[2]) for row in now if row[2] == 1] == [(1, "cot", 1), (2, "cot", 1)]
    # the same name goes on and has nothing to do; another name is another wish
    command(capsys, project, tmp_path, [before[0][4]], "--another", "again-1")
    command(capsys, project, tmp_path, [], "--another", "again-1")
    assert len(server.asked) == asked + 4
    command(capsys, project, tmp_path, [before[0][4]], "--another", "again-2", "--paths", "2")
    with Project.open(project.path) as opened:
        assert [row[2] for row in rows(opened) if row[0] == 1] == [0, 1, 2, 3]
    assert len(server.asked) == asked + 8


def test_rows_are_asked_for_their_own_kinds(project, tmp_path, capsys):
    with Loopback(reply=reply) as server:
        config = configured(server)
        save_teacher(project, config)
        run(project, config, kinds=("cot",))
        run(project, config, kinds=("pot",))
        wanted = [(1, "cot"), (2, "pot")]
        ids = [row[4] for row in rows(project) if row[:2] in wanted]
        assert kinds_of_rows(project, ids) == ("cot", "pot")
        project.close()
        command(capsys, project, tmp_path, ids, "--another")
    with Project.open(project.path) as opened:
        assert [row[:2] for row in rows(opened) if row[2] == 1] == wanted


def test_a_row_whose_reply_did_not_parse_is_filled_and_its_first_reply_kept(project, tmp_path, capsys):
    # three replies without a chain of thought to the first question; its key points are good
    with Loopback(["", *["empty"] * 3], reply_to) as server:
        config = configured(server, concurrency=1)
        save_teacher(project, config)
        assert run(project, config).counts.reasons == {"empty": 1}
        empty = [row for row in rows(project) if row[3] is None]
        assert len(empty) == 1
        asked = len(server.asked)
        project.close()
        told = command(capsys, project, tmp_path, [empty[0][4]], "--another")
        assert len(server.asked) == asked + 1, "the key points are known, the rationale is asked anew"
    assert (told["asked"], told["done"], told["failed"]) == (2, 2, 0)
    with Project.open(project.path) as opened:
        now = rows(opened)
        assert len(now) == 3 and [row[2] for row in now] == [0, 0, 0] and all(row[3] for row in now)
        with opened.reading() as connection:
            raw = connection.execute("SELECT raw FROM rationale WHERE question_id = 1").fetchone()[0]
        assert "did not parse" in raw
        first = requests.counts(opened, 1)
        assert first.asked == first.done + first.failed + first.waiting and first.failed == 0


def test_a_question_that_nobody_answered_is_filled_too(project, tmp_path, capsys):
    with Loopback(["400"], reply) as server:
        config = configured(server, concurrency=1)
        save_teacher(project, config)
        run(project, config, kinds=("pot",))
        empty = [row for row in rows(project) if row[1] == ""]
        assert len(empty) == 1
        project.close()
        told = command(capsys, project, tmp_path, [empty[0][4]], "--another")
    assert told["failed"] == 0 and told["asked"] == 2
    with Project.open(project.path) as opened:
        assert all(row[1] == "pot" and row[2] == 0 for row in rows(opened))


def test_what_was_stopped_waits_under_its_name_and_the_estimate_knows(project, server, tmp_path, capsys):
    config = configured(server, concurrency=1)
    save_teacher(project, config)
    run(project, config)
    ids = [row[4] for row in rows(project)]
    with Loopback(["", "", "401"], reply_to) as failing:
        broken = configured(failing, concurrency=1)
        save_teacher(project, broken)
        run(project, broken)  # known from the cache: nothing is sent
        assert not failing.asked
        project.close()
        command(capsys, project, tmp_path, ids, "--another", "again", code=1)
        with Project.open(project.path) as opened:
            spec = spec_of(broken, ("cot",), another="again")
            found = estimate_run(opened, broken, spec, list(questions(opened)))
            assert found.chains == 2 and waiting_chains(opened, 3) == 2 and found.seen > 0
        told = command(capsys, project, tmp_path, [], "--another", "again")
    assert (told["asked"], told["done"], told["waiting"]) == (6, 6, 0)
    assert len(failing.asked) == 7


def test_what_cannot_be_asked_again_is_said(project, server, tmp_path, capsys):
    save_teacher(project, configured(server))
    project.close()
    for teacher, words in (("Loop", "which rows"), ("sample", "no other answers")):
        assert main(["generate", str(project.path), "--teacher", teacher, "--another", "--quiet"]) == 1
        assert words in capsys.readouterr().err
