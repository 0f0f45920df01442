"""Solutions that become rows: origin, key points, paths, and no row twice."""

from __future__ import annotations

import pytest

from training_backend.errors import DatasetError
from training_backend.project.details import row_detail as detail
from training_backend.project.kept_solutions import by_person, by_student, keep_solution
from training_backend.project.questions import datasets
from training_backend.project.store import Project

QUESTION = "Ida has 12 plums and eats 2. How many are left?"
SOLUTION = ("How many plums are left?", ["Ida has 12 plums.", "She eats 2."], "pot", "ans = 12 - 2\n")
DEMO = by_student("demo", temperature=0.7)


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p.kpdd") as made:
        yield made


def test_a_solution_becomes_a_row_with_its_origin(project):
    kept = keep_solution(project, f" {QUESTION}\n", 10.0, *SOLUTION, DEMO)
    row = detail(project, kept.row_id)
    assert kept.new
    assert (row.question.text, row.gold.text, row.rationale.text) == (QUESTION, "10", "ans = 12 - 2\n")
    assert row.core_question.text == "How many plums are left?"
    assert row.information.text == "Ida has 12 plums.\nShe eats 2."
    assert row.origins["rationale"].teacher == "student: demo"
    assert row.origins["rationale"].source == "solve page"
    assert datasets(project) == [("solved", "train", 1)]


def test_key_points_by_another_keep_their_own_origin(project):
    kept = keep_solution(project, QUESTION, 10.0, *SOLUTION, DEMO, by_person(changed="student: demo"))
    origins = detail(project, kept.row_id).origins
    assert (origins["key_points"].teacher, origins["rationale"].teacher) == ("person", "student: demo")
    assert origins["key_points"].details == {"changed": "student: demo"}
    assert origins["rationale"].details == {"temperature": 0.7}


def test_the_same_solution_is_no_second_row(project):
    first = keep_solution(project, QUESTION, 10.0, *SOLUTION, DEMO)
    again = keep_solution(project, QUESTION, 10.0, *SOLUTION, DEMO)
    assert (again.row_id, again.new) == (first.row_id, False)


def test_another_solution_of_a_known_question_is_another_path(project):
    first = keep_solution(project, QUESTION, 10.0, *SOLUTION, DEMO)
    core, items, kind, _ = SOLUTION
    other = keep_solution(project, QUESTION, 10.0, core, items, kind, "ans = 10\n", DEMO)
    paths = [detail(project, kept.row_id).row.path for kept in (first, other)]
    assert other.row_id != first.row_id and len(set(paths)) == 2
    assert datasets(project) == [("solved", "train", 1)]


def test_a_solution_without_key_points_or_gold(project):
    kept = keep_solution(project, QUESTION, None, "", [], "cot", "12 - 2 = 10. The answer is 10.", DEMO)
    row = detail(project, kept.row_id)
    assert (row.core_question.text, row.gold.text, row.row.kind) == ("", "", "cot")


@pytest.mark.parametrize(("question", "rationale"), [("  ", "ans = 1"), (QUESTION, " \n")])
def test_nothing_is_not_kept(project, question, rationale):
    with pytest.raises(DatasetError):
        keep_solution(project, question, None, "", [], "pot", rationale, DEMO)
