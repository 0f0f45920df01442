"""Which students can be chosen, and how runs of the same name are told apart."""

from __future__ import annotations

import json
from types import SimpleNamespace

from kpdd_app.student_choices import run_choices
from training_backend.students.run_config import RunConfig


def make_run(folder, title: str, roles):
    for role in roles:
        (folder / "students" / role).mkdir(parents=True)
        (folder / "students" / role / "student.json").write_text("{}")
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"version": 1, "title": title}))
    RunConfig(method="kpdd-pot").save(folder / "config.yaml")
    return folder


def test_runs_of_the_same_title_bear_the_names_of_their_folders(tmp_path):
    titles = ("KPDD-PoT", "KPDD-PoT", "another", "half")
    runs = []
    for number, title in enumerate(titles, 1):
        roles = ("key",) if title == "half" else ("key", "solve")
        folder = make_run(tmp_path / f"2026-11-22-kpdd-pot-{number}", title, roles)
        runs.append(SimpleNamespace(id=number, folder=folder.name, title=title))
    found = [choice.title for choice in run_choices(tmp_path / "mine.kpdd", runs)]
    assert found == ["another", "KPDD-PoT (2026-11-22-2)", "KPDD-PoT (2026-11-22-1)"]
