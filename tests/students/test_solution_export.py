"""A solution as JSON and as a page of its own: all of it is there, and none of it becomes markup."""

from __future__ import annotations

import json
import re

from training_backend.students.solution_export import SolutionDocument, WrittenStage, as_json, as_web_page

EVIL = "</script><script>alert(1)</script><!-- $DATA$ $TITLE$ & \u2028 '\" <b>bold</b>"


def document(text: str = "Ida has 12 plums and eats 2.") -> SolutionDocument:
    return SolutionDocument(
        question=text,
        gold=10.0,
        kind="pot",
        stages=[WrittenStage("solve", "Program", f"# {text}\nans = 12 - 2", [(f"# {text}", 0.5)])],
        rationale=f"# {text}\nans = 12 - 2",
        answer={"verdict": "ok", "answer_text": "10", "value": 10.0, "equal": True, "error": text},
        records=[{"n": 1, "ev": "line", "f": 0, "ln": 1, "nx": None, "ch": {"ans": ["10", "int"]}}],
        unused=[(8, 10)],
    )


def test_json_holds_every_step():
    data = json.loads(as_json(document()))
    assert (data["format"], data["version"]) == ("kpdd-solution", 1)
    assert data["records"][0]["ch"] == {"ans": ["10", "int"]}
    assert data["stages"][0]["tokens"] == [["# Ida has 12 plums and eats 2.", 0.5]]
    assert data["unused"] == [[8, 10]] and data["gold"] == 10.0


def test_texts_never_become_markup_of_the_page():
    plain, evil = as_web_page(document()), as_web_page(document(EVIL))
    tags = re.compile(r"<[^>]*>")
    scripts = re.compile(r'(<script id="data" type="application/json">)(.*?)(</script>)', re.DOTALL)
    held = scripts.search(evil)
    assert held is not None and "<" not in held[2]
    assert json.loads(held[2])["question"] == EVIL
    assert tags.findall(scripts.sub(r"\1\3", plain)) == tags.findall(scripts.sub(r"\1\3", evil))


def test_the_page_loads_nothing():
    page = as_web_page(document())
    assert "default-src 'none'" in page
    assert not re.search(r"https?:|src=|href=|@import|url\(|innerHTML|eval\(|fetch\(", page)


def test_without_scripts_the_page_still_holds_the_solution():
    page = as_web_page(document(EVIL))
    (plain,) = re.findall(r'<noscript><div class="static">(.*?)</noscript>', page, re.DOTALL)
    assert "<h2>Question</h2><p>&lt;/script&gt;" in plain and "<h2>Answer</h2><p>10</p>" in plain
