"""A full disk: one sentence, everything committed stays, the file is whole."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest
from sqlalchemy import event

from training_backend.errors import StoreError
from training_backend.project.importers import import_file
from training_backend.project.questions import questions
from training_backend.project.store import Project


def write_questions(path, count):
    with path.open("w") as file:
        for number in range(count):
            text = f"Ina has {number} eggs and eats one. " * 8
            file.write(json.dumps({"question": text, "answer": f"#### {number - 1}"}) + "\n")


def test_import_on_a_full_disk_keeps_what_was_stored(tmp_path):
    source = tmp_path / "train.jsonl"
    write_questions(source, 5000)
    path = tmp_path / "a.kpdd"
    with Project.create(path) as project:

        @event.listens_for(project._engine, "begin")
        def _limit(connection):
            connection.exec_driver_sql("PRAGMA max_page_count = 700")

        with pytest.raises(StoreError) as caught:
            import_file(project, source)
        stored = len(list(questions(project)))
        assert caught.value.message.startswith("The disk is full. The import of train.jsonl ended after ")
        assert 1000 <= stored < 5000
        assert f"after {stored:,} new questions" in caught.value.message
        assert project.check() == []
    with Project.open(path) as project:
        report = import_file(project, source)
        assert (report.added, report.existing) == (5000 - stored, stored)
        assert project.check(full=True) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs setrlimit")
def test_a_file_that_may_not_grow_gives_a_sentence(tmp_path):
    source, path = tmp_path / "train.jsonl", tmp_path / "a.kpdd"
    write_questions(source, 4000)
    Project.create(path).close()
    script = """
        import resource, sys
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        from training_backend.__main__ import main
        sys.exit(main(["import", sys.argv[1], sys.argv[2]]))
    """
    child = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(path), str(source)],
                           capture_output=True, text=True, timeout=60)  # fmt: skip
    assert child.returncode == 1
    assert "Traceback" not in child.stderr
    assert "could not be read or written" in child.stderr or "disk is full" in child.stderr
    assert "new questions" in child.stderr
    with Project.open(path) as project:
        assert project.check(full=True) == []
        assert len(list(questions(project))) % 1000 == 0
