"""`kpdd doctor` answers with data or text, and status 0 whatever is missing."""

from __future__ import annotations

import json

from training_backend.__main__ import main


def test_json(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"program", "system", "gpu", "folders", "window", "sandbox", "missing"} <= set(found)
    assert found["sandbox"]["level"] in ("full", "basic")
    assert "torch" not in found


def test_text(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "Python" in text and "isolation" in text and "GiB" in text
