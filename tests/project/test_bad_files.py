"""Everything that can be wrong with a file: one clear sentence with its place, and nothing half-imported."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import resource
import zipfile

import pytest

from training_backend.errors import DatasetError
from training_backend.project.importers import import_file
from training_backend.project.questions import datasets, questions

GOOD = [{"question": f"How many are {n} and {n}, così?", "answer": f"x #### {2 * n}"} for n in range(5)]


def lines(records=GOOD) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def parquet_bytes() -> bytes:
    import pyarrow
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(GOOD * 200), out)
    return out.getvalue()


def zip_bytes() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("train.jsonl", lines())
    return out.getvalue()


def save(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content() if callable(content) else content)
    return path


PLACES = {
    "wrong types": ("a.jsonl", lines() + b'{"question": ["no text"], "answer": "#### 1"}\n', 6,
                    "'question' is no text"),
    "a number that is no number": ("a.jsonl", lines() + b'{"question": "Q?", "answer": NaN}\n', 6,
                                   "'answer' is no text"),
    "no object": ("a.json", json.dumps([*GOOD, "a string"]).encode(), 1, "the entry is no JSON object"),
    "deeply nested": ("a.jsonl", lines() + b'{"question": ' + b"[" * 100_000 + b"\n", 6,
                      "the JSON is nested too deeply"),
    "a deeply nested array": ("a.json", json.dumps(GOOD)[:-1].encode() + b",\n" + b"[" * 100_000 + b"]", 2,
                              "nested too deeply"),
    "Latin-1 bytes": ("a.jsonl", lines() + '{"question": "così?", "answer": "#### 1"}\n'.encode("latin-1"), 6,
                      "not UTF-8 text (byte EC at character 18; if it is Latin-1"),
    "cut": ("a.jsonl", lines()[:-9], 5, "the file ends here, it may be cut off"),
    "a stray quote": ("a.csv", b'question,answer\nHow?,1\n"a "stray" quote",2\nWho?,3\n', 3,
                      "the CSV record cannot be read"),
    "an open quote": ("a.csv", b'question,answer\nHow?,1\n"open,2\n' + b"Who?,3\n" * 300, 3,
                      "a quote is not closed"),
    "too many values": ("a.csv", b"question,answer\nHow?,1\nWho?,3,4\n", 3,
                        "there are 3 values for 2 columns"),
    "NUL": ("a.jsonl", lines() * 100 + b'{"question": "a\x00b", "answer": "#### 1"}\n', 501,
            "Invalid control character"),
    "a long line": ("a.jsonl", lines() + b'{"question": "' + b"x" * (33 * 2**20) + b'"}\n' + lines(), 6,
                    "longer than 32 million characters"),
    "the same id twice": ("a.jsonl", lines([{"id": "x", "question": "Q?", "answer": 1}] * 2), 2,
                          "the id 'x' occurs twice"),
    "gzip cut in the middle": ("a.jsonl.gz", lambda: gzip.compress(lines(GOOD * 20_000), 0)[:2_000_000], None,
                               "cut off or damaged"),
}  # fmt: skip


@pytest.mark.parametrize("case", PLACES)
def test_the_place_is_told_and_nothing_is_imported(tmp_path, project, case):
    name, content, line, reason = PLACES[case]
    path = save(tmp_path, name, content)
    report = import_file(project, path)
    assert report.refused and report.added == 0 and datasets(project) == []
    assert report.unreadable_count == 1, report.unreadable[:3]
    place = report.unreadable[0]
    assert reason in place.reason and str(path) in str(place)
    assert line is None or place.line == line
    # the good rows go in when that is chosen
    assert import_file(project, path, keep_good=True).added == report.readable > 0


def test_malformed_xml_is_told_with_line_and_column(tmp_path, project):
    problem = "<Problem ID='{0}'><Body>b</Body><Question>Q{0}?</Question><Answer>1</Answer>{1}\n"
    parts = [problem.format(1, "<Solution-Type>s</Solution-Type></Problem>"), problem.format(2, "</Problme>")]
    path = save(tmp_path, "a.xml", ("<ProblemSet>\n" + "".join(parts) + "</ProblemSet>").encode())
    report = import_file(project, path)
    assert report.refused and report.unreadable[0].line == 3
    assert re.search(r"mismatched tag, column \d+", report.unreadable[0].reason)


REFUSED = {
    "empty": ("a.jsonl", b"", "The file is empty"),
    "an empty gzip": ("a.jsonl.gz", gzip.compress(b""), "The file is empty"),
    "zip": ("a.jsonl", zip_bytes, "is a zip archive"),
    "a zip that is named otherwise": ("table.csv", zip_bytes, "is a zip archive"),
    "xz": ("a.jsonl.xz", b"\xfd7zXZ\x00\x00\x04", "compressed with xz"),
    "half a Parquet file": ("a.parquet", lambda: parquet_bytes()[:900], "is cut off or damaged"),
    "a cut UTF-16": ("a.jsonl", lines().decode().encode("utf-16")[:-1], "in the middle of a character"),
    "NUL only": ("a.jsonl", b"\x00" * 100_000, "is no text"),
    "a picture named .gz": ("a.jsonl.gz", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
                            "not compressed with gzip"),
    "only the head of a gzip": ("a.jsonl.gz", gzip.compress(lines())[:20], "cut off or damaged"),
    "another database": ("a.jsonl", b"SQLite format 3\x00" + b"\x00" * 100, "is an SQLite database"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_of_another_kind_is_refused_in_one_sentence(tmp_path, project, case):
    name, content, sentence = REFUSED[case]
    path = save(tmp_path, name, content)
    with pytest.raises(DatasetError, match=sentence) as caught:
        import_file(project, path)
    assert caught.value.where.startswith(str(path)) and caught.value.hint
    assert datasets(project) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_marked_and_unmarked_encodings_are_read(tmp_path, project, encoding):
    path = save(tmp_path, "a.jsonl", lines().decode().encode(encoding))
    assert import_file(project, path).added == 5
    assert [q.text for q in questions(project)] == [record["question"] for record in GOOD]


def test_a_text_file_named_gz_is_read_as_what_it_is(tmp_path, project):
    assert import_file(project, save(tmp_path, "a.jsonl.gz", lines())).added == 5


def test_xml_in_the_encoding_that_it_names(tmp_path, project):
    text = (
        "<?xml version='1.0' encoding='ISO-8859-1'?><ProblemSet><Problem ID='1'><Body>Così</Body>"
        "<Question>quanti?</Question><Solution-Type>s</Solution-Type><Answer>1</Answer></Problem></ProblemSet>"
    )
    assert import_file(project, save(tmp_path, "a.xml", text.encode("latin-1"))).added == 1
    assert next(iter(questions(project))).text == "Così quanti?"


def test_a_nul_that_JSON_escapes_is_kept(tmp_path, project):
    path = save(tmp_path, "a.jsonl", b'{"question": "a\\u0000b?", "answer": "#### 1"}\n')
    assert import_file(project, path).added == 1
    assert next(iter(questions(project))).text == "a\x00b?"


def test_a_folder_is_refused(tmp_path, project):
    with pytest.raises(DatasetError, match="it is a folder"):
        import_file(project, tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path, project):
    path = save(tmp_path, "a.jsonl", lines())
    path.chmod(0)
    with pytest.raises(DatasetError, match="Permission denied") as caught:
        import_file(project, path)
    assert "permissions" in caught.value.hint


def test_permission_denied_is_told_also_to_root(tmp_path, project, monkeypatch):
    path = save(tmp_path, "a.jsonl", lines())

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(DatasetError, match="Permission denied") as caught:
        import_file(project, path)
    assert "permissions" in caught.value.hint


def test_a_sparse_file_of_2_gb_is_refused_at_once(tmp_path, project):
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.truncate(2 * 2**30)
    with pytest.raises(DatasetError, match="is no text"):
        import_file(project, path)


@pytest.mark.slow
def test_2_gb_are_read_with_flat_memory(tmp_path, project):
    path = tmp_path / "a.jsonl"
    filler = "y" * 20_000
    with path.open("w", encoding="utf-8") as file:
        for number in range(100_000):
            file.write(f'{{"question": "Q{number}?", "answer": "#### 1", "more": "{filler}"}}\n')
        file.write("{broken\n")
    assert path.stat().st_size > 2 * 10**9
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = import_file(project, path)
    assert report.refused and report.unreadable[0].line == 100_001 and report.readable == 100_000
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 100 * 1024
