"""`kpdd text`: JSON lines in, JSON lines out, without torch."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from training_backend.__main__ import main

TEXTS = ["def f(x):\n    return {x} < 3", "½ 中\t", ""]


def test_lines_in_lines_out(lossy, tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(TEXTS)))
    assert main(["text", str(file), "--student", str(lossy)]) == 0
    out = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["id"] for row in out] == [0, 1, 2]
    assert all({"exact", "tokens", "unknown", "seen", "decoded"} <= row.keys() for row in out)
    assert [row["decoded"] for row in out] == TEXTS
    assert all(row["exact"] and row["unknown"] == 0 for row in out)
    assert out[2]["tokens"] == 0


def test_closed_vocabulary_is_said(closed, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"id": "a", "text": "Tom has 3 zebras"}\n'))
    assert main(["text", "--student", str(closed)]) == 0
    said = capsys.readouterr()
    row = json.loads(said.out)
    assert row["exact"] is False and row["unknown"] == 1 and row["unknown_words"] == ["zebras"]
    assert "1 not exact, 1 unknown tokens\n" in said.err


@pytest.mark.parametrize("line", ['{"id": 1, "tex', '{"id": 1}', "[1]", '{"text": 3}'])
def test_bad_line_is_named(lossy, tmp_path, line, capsys):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"id": 0, "text": "x"}\n' + line + "\n")
    assert main(["text", str(file), "--student", str(lossy)]) == 1
    said = capsys.readouterr()
    assert "rows.jsonl:2" in said.err
    assert json.loads(said.out)["id"] == 0


@pytest.mark.parametrize("from_file", [True, False])
def test_lines_end_at_line_feeds_only(lossy, tmp_path, from_file, capsys, monkeypatch):
    text = "a\u2028b\x85c\u2029d"
    content = "\ufeff" + json.dumps({"id": 1, "text": text}, ensure_ascii=False) + "\n"
    file = tmp_path / "rows.jsonl"
    file.write_text(content, encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(content))
    assert main(["text", "--student", str(lossy), *([str(file)] if from_file else [])]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.split("\n") if line]
    assert [row["decoded"] for row in rows] == [text]


def test_half_a_surrogate_pair_is_written_as_it_came(lossy, qwen, tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"id": 1, "text": "a \\ud83d b"}\n')
    for folder, exact in ((lossy, True), (qwen, False)):
        assert main(["text", str(file), "--student", str(folder)]) == 0
        assert json.loads(capsys.readouterr().out)["exact"] is exact


def test_the_rows_of_a_run_are_checked_for_each_student(trained_run, closed, capsys):
    assert main(["text", "--student", str(trained_run), "--rows", str(trained_run)]) == 0
    said = capsys.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert {row["student"] for row in rows} == {"Key", "Solve"}
    assert {row["side"] for row in rows} == {"reads", "writes"}
    assert all(row["exact"] and not row["why"] and row["tokens"] <= row["longest"] for row in rows)
    assert "0 damaged, 0 too long" in said.err
    args = ["text", "--student", str(closed), "--rows", str(trained_run), "--unfit"]
    assert main([*args, "--max-source-tokens", "8"]) == 0
    unfit = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert unfit and all(row["why"] for row in unfit)
    assert {row["lost"] for row in unfit if row["side"] == "writes" and row["student"] == "Solve"} != {""}


def test_the_rows_of_a_project_need_a_method(lossy, tmp_path, capsys):
    assert main(["new", str(tmp_path / "a.kpdd")]) == 0
    args = ["text", "--student", str(lossy), "--rows", str(tmp_path / "a.kpdd")]
    assert main(args) == 2
    assert "--method kpdd-pot" in capsys.readouterr().err
    assert main([*args, "--method", "kpdd-pot", "--max-source-tokens", "-5"]) == 2
    assert "max_source_tokens: -5 is below 8" in capsys.readouterr().err
    assert main([*args, "--method", "kpdd-pot"]) == 0
    assert "Solve: 0 texts" in capsys.readouterr().err


def test_folder_without_tokenizer(tmp_path, capsys):
    assert main(["text", "--student", str(tmp_path)]) == 1
    assert "tokenizer.json" in capsys.readouterr().err


def test_starts_without_torch(lossy):
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from training_backend.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "text", "--student", str(lossy)],
        input='{"id": 1, "text": "a\\nb"}\n', capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["exact"] is True


def test_a_file_that_is_no_text_is_one_sentence(lossy, tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\xff\xfe")
    assert main(["text", "--student", str(lossy), str(file)]) == 1
    assert f"{file}: The file is no text (UTF-8)." in capsys.readouterr().err


def test_one_object_with_json(lossy, tmp_path, trained_run, capsys):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"id": 7, "text": "a\\nb"}\n{"id": 8, "text": "pens \\ud83d"}\n')
    assert main(["text", "--student", str(lossy), str(file), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["texts"], data["not_exact"], data["way"]) == (2, 0, "carriers")
    assert [(line["id"], line["exact"]) for line in data["lines"]] == [(7, True), (8, True)]
    assert main(["text", "--student", str(trained_run), "--rows", str(trained_run), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert sum(count["texts"] for count in data["students"].values()) == len(data["lines"]) > 0
