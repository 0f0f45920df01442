"""From a name of a program to what it came from and what decided it."""

from __future__ import annotations

from kpdd_app.number_links import NumberLinks, links_of
from kpdd_app.recording import Recording
from training_backend.events import Answer, StageEnded, StageStarted, Trace

QUESTION = "A ride costs 4; with more than 6 riders it costs 3. There are 8 riders and 2 dogs."
PROGRAM = "riders = 8\nprice = 4\nif riders > 6:\n    price = 3\nans = price * riders"


def test_what_decided_is_beside_what_it_came_from():
    made = Recording(QUESTION, 24.0, "pot", ("solve",))
    made.add(StageStarted("solve"))
    made.add(StageEnded("solve", PROGRAM))
    rows = ((1, "riders", "8"), (2, "price", "4"), (3, "", ""), (4, "price", "3"), (5, "ans", "24"))
    same = {"ev": "line", "f": 0, "depth": 0}
    made.add(Trace([{"n": line, **same, "ln": line, "nx": line + 1 if line < len(rows) else None,
                     "ch": {name: [value, "int"]} if name else {}}
                    for line, name, value in rows]))  # fmt: skip
    made.add(Answer("ok", "24", 24.0, 24.0, True))
    links = links_of(made)
    assert isinstance(links, NumberLinks)

    def told(name: str, step: int) -> tuple[list[str], list[str]]:
        found = links.of(name, [0], step)
        assert found is not None
        return [QUESTION[a:b] for a, b in found.question], [QUESTION[a:b] for a, b in found.deciding]

    assert told("price", 2) == (["4"], [])
    assert told("price", 4) == (["3"], ["6", "8"])
    assert told("ans", 5) == (["3", "8"], ["6"])
    assert [QUESTION[a:b] for a, b in links.unused] == ["4", "2"]
