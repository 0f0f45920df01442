"""Files as their authors publish them, and everything that can be wrong with a file."""

from __future__ import annotations

import gzip
import json

import pytest

from training_backend.errors import ConfigError, DatasetError
from training_backend.events import Control, Progress, Reporter
from training_backend.project import question_file
from training_backend.project.importers import import_file
from training_backend.project.native_formats import read_asdiv_answer
from training_backend.project.question_file import Unreadable, read_questions
from training_backend.project.questions import NewQuestion, datasets

GSM8K = [
    {"question": "Ina has 10 eggs. How many are 3 more?", "answer": "10+3=<<10+3=13>>13\n#### 13"},
    {"question": "How many nails are in 2 full boxes?", "answer": "There are 2.\n#### 1,020"},
    {"question": "How cold is it?", "answer": "It fell.\n#### -5"},
]
SVAMP = [
    {"ID": "own-1", "Body": "Ina had 9 nuts. She ate 2", "Question": "How many nuts are left?",
     "Equation": "( 9.0 - 2.0 )", "Answer": 7.0, "Type": "Subtraction"},
    {"ID": "own-2", "Body": "A rope is 5 m long.", "Question": "How long is half of it?",
     "Equation": "( 5.0 / 2.0 )", "Answer": 2.5, "Type": "Common-Division"},
]  # fmt: skip
MULTIARITH = [
    {"iIndex": 4, "lEquations": ["X=((3.0*4.0)-2.0)"], "lSolutions": [10.0],
     "sQuestion": " Own text: how many? ", "lAlignments": [1, 2]},
]  # fmt: skip
ASDIV = """<?xml version="1.0" encoding="UTF-8" ?>
<Machine-Reading-Corpus-File>
<ProblemSet>
  <Problem ID="own-0001" Grade="1" Source="ourselves">
    <Body>Ina has 4 pears &amp; 5 plums.</Body>
    <Question>How many fruits has she?</Question>
    <Solution-Type>Addition</Solution-Type>
    <Answer>9 (fruits)</Answer>
    <Formula>4+5=9</Formula>
  </Problem>
  <Problem ID="own-0002" Grade="2" Source="ourselves">
    <Body>Ina has 4 pears. Ben has 5.</Body>
    <Question>Who has more?</Question>
    <Solution-Type>Comparison</Solution-Type>
    <Answer>Ben</Answer>
    <Formula>5&gt;4</Formula>
  </Problem>
</ProblemSet>
</Machine-Reading-Corpus-File>
"""


def jsonl(records):
    return "".join(json.dumps(record) + "\n" for record in records)


def read(tmp_path, name, content, **options):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_questions(path, **options))


def short(items):
    return [
        (q.dataset, q.split, q.native_id, q.gold_text, q.gold_value)
        for q in items
        if isinstance(q, NewQuestion)
    ]


def bad(items):
    return [(item.line, item.reason) for item in items if isinstance(item, Unreadable)]


def test_gsm8k(tmp_path):
    found = read(tmp_path, "gsm8k/test.jsonl", jsonl(GSM8K))
    assert short(found) == [
        ("gsm8k", "test", "0", "13", 13.0), ("gsm8k", "test", "1", "1,020", 1020.0),
        ("gsm8k", "test", "2", "-5", -5.0),
    ]  # fmt: skip
    assert found[0].text == GSM8K[0]["question"]
    assert found[0].extra == {"row": 0, "answer": GSM8K[0]["answer"]}


def test_svamp(tmp_path):
    found = read(tmp_path, "SVAMP.json", json.dumps(SVAMP, indent=4))
    assert short(found) == [("svamp", "test", "own-1", "7", 7.0), ("svamp", "test", "own-2", "2.5", 2.5)]
    assert found[0].text == "Ina had 9 nuts. She ate 2 How many nuts are left?"
    assert found[1].extra == {"row": 1, "equation": "( 5.0 / 2.0 )", "type": "Common-Division"}


def test_asdiv(tmp_path):
    found = read(tmp_path, "ASDiv.xml", ASDIV)
    assert short(found) == [
        ("asdiv", "test", "own-0001", "9", 9.0),
        ("asdiv", "test", "own-0002", "Ben", None),
    ]
    assert found[0].text == "Ina has 4 pears & 5 plums. How many fruits has she?"
    assert found[0].extra == {"row": 0, "formula": "4+5=9", "solution_type": "Addition", "grade": "1",
                              "source": "ourselves", "unit": "fruits"}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("9 (apples)", ("9", 9.0, "apples")), ("1,200 (sq. ft)", ("1,200", 1200.0, "sq. ft")),
        ("5/2", ("5/2", 2.5, "")), ("-(1/4)", ("-1/4", -0.25, "")),
        ("0.46 (dollars)", ("0.46", 0.46, "dollars")),
        ("14  (seats)", ("14", 14.0, "seats")),
        *((text, (text, None, "")) for text in
          ("3:30 p.m.", "3:4", "8 (cm); 3 (cm)", "6th", "Ben", "11; 12", "(seats)")),
    ],
)  # fmt: skip
def test_asdiv_answers(answer, expected):
    assert read_asdiv_answer(answer) == expected


def test_multiarith(tmp_path):
    found = read(tmp_path, "MultiArith.json", json.dumps(MULTIARITH))
    assert short(found) == [("multiarith", "test", "4", "10", 10.0)]
    assert found[0].text == "Own text: how many?" and found[0].extra["equations"] == ["X=((3.0*4.0)-2.0)"]


def test_pal(tmp_path):
    records = [{"input": "How many?", "target": 9}, {"input": "How much?", "code": "def solution(): ...",
               "target": -9867630.5}]  # fmt: skip
    found = read(tmp_path, "gsmhardv2.jsonl", jsonl(records))
    assert short(found) == [
        ("gsm-hard", "test", "0", "9", 9.0),
        ("gsm-hard", "test", "1", "-9867630.5", -9867630.5),
    ]
    assert short(read(tmp_path, "mawpssingleop.jsonl", jsonl(records)))[0][:2] == ("singleop", "test")


def test_any_other_questions(tmp_path):
    records = [
        {"id": "x7", "problem": "Why?", "answer": "about 3", "level": 2},
        {"problem": "How?", "answer": 4},
    ]
    found = read(tmp_path, "my own-train.jsonl", jsonl(records))
    assert short(found) == [("my-own", "train", "x7", "about 3", None), ("my-own", "train", "1", "4", 4.0)]
    assert found[0].extra["level"] == 2


def test_csv_with_any_separator(tmp_path):
    table = 'question,answer,topic\n"How many, in all?",12,nuts\n"Two\nlines?","1,200",x\n'
    found = read(tmp_path, "quiz.csv", table)
    assert short(found) == [("quiz", "all", "0", "12", 12.0), ("quiz", "all", "1", "1,200", 1200.0)]
    assert found[1].text == "Two\nlines?" and found[0].extra["topic"] == "nuts"
    assert short(read(tmp_path, "q.tsv", "question\tanswer\r\nHow?\t3\r\n")) == [("q", "all", "0", "3", 3.0)]


def test_data_set_split_and_format_can_be_given(tmp_path):
    found = read(tmp_path, "train.jsonl", jsonl(GSM8K), dataset="mine", split="dev", format="generic")
    assert short(found)[1] == ("mine", "dev", "1", "1,020", 1020.0)
    with pytest.raises(ConfigError, match="no format 'xls'"):
        read(tmp_path, "train.jsonl", jsonl(GSM8K), format="xls")


def test_gsm8k_form_with_a_name_of_its_own_is_its_own_data(tmp_path):
    assert short(read(tmp_path, "our-sums.dev.jsonl", jsonl(GSM8K)))[0][:2] == ("our-sums", "dev")


def test_compressed_and_marked_files(tmp_path):
    text = jsonl(GSM8K)
    assert len(short(read(tmp_path, "train.jsonl.gz", gzip.compress(text.encode())))) == 3
    assert len(short(read(tmp_path, "train.jsonl", text.encode("utf-8-sig")))) == 3
    assert len(short(read(tmp_path, "train.jsonl", text.encode("utf-16")))) == 3


def test_bad_lines_are_told_and_the_good_ones_kept(tmp_path):
    text = (
        jsonl(GSM8K[:1]) + '{"question": "half a li\n' + "\n" + '{"question": "no answer"}\n' + "[1, 2]\n"
        + '{"question": "", "answer": "#### 1"}\n' + '{"question": 5, "answer": "#### 1"}\n'
        + '{"question": "q", "answer": "13"}\n'
        + '{"question": "q", "answer": "x ####"}\n' + jsonl(GSM8K[1:2])
    )  # fmt: skip
    found = read(tmp_path, "train.jsonl", text.encode() + b'{"question": "\xff\xfe", "answer": "#### 1"}\n')
    assert [q[2] for q in short(found)] == ["0", "8"]
    told = dict(bad(found))
    assert list(told) == [2, 4, 5, 6, 7, 8, 9, 11]
    for line, part in {2: "no JSON", 4: "'answer' is missing", 5: "no JSON object",
                       6: "'question' is missing",
                       7: "'question' is no text", 8: "no '####'", 9: "nothing follows '####'",
                       11: "not UTF-8"}.items():  # fmt: skip
        assert part in told[line]
    assert found[1].file.endswith("train.jsonl")


def test_a_file_cut_in_its_last_line_says_so(tmp_path):
    found = read(tmp_path, "train.jsonl", jsonl(GSM8K)[:-20])
    assert len(short(found)) == 2
    assert bad(found)[0][0] == 3 and "the file ends here" in bad(found)[0][1]


def test_a_cut_json_array_gives_its_whole_entries(tmp_path):
    found = read(tmp_path, "SVAMP.json", json.dumps(SVAMP, indent=4)[:-60])
    assert short(found) == [("svamp", "test", "own-1", "7", 7.0)]
    assert bad(found)[0][0] == 10 and "cannot be read from here on" in bad(found)[0][1]


def test_a_long_array_is_read_in_pieces(tmp_path):
    many = [{**SVAMP[0], "ID": f"n{n}", "Body": "x" * 3000} for n in range(200)]
    assert [q[2] for q in short(read(tmp_path, "a.json", json.dumps(many)))] == [f"n{n}" for n in range(200)]
    # no closing bracket, and things that are no entries
    found = read(tmp_path, "b.json", json.dumps([SVAMP[0], 12345, None])[:-1])
    assert len(short(found)) == 1 and len(bad(found)) == 3


def test_broken_xml_gives_what_came_before(tmp_path):
    found = read(tmp_path, "ASDiv.xml", ASDIV.replace("<Answer>Ben</Answer>", "<Answer>Ben</Answr>"))
    assert [q[2] for q in short(found)] == ["own-0001"]
    assert bad(found) == [(15, "the XML cannot be read from here on (mismatched tag, column 18)")]
    found = read(tmp_path, "ASDiv.xml", ASDIV.replace("<Question>Who has more?</Question>", ""))
    assert bad(found) == [(11, "'Question' is missing or empty")]


def test_xml_entities_are_not_expanded(tmp_path):
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' + ASDIV.split("?>")[1]
    )
    with pytest.raises(DatasetError, match="entity declarations are not read"):
        read(tmp_path, "ASDiv.xml", bomb)


def test_bad_csv_records_are_told(tmp_path):
    table = 'question,answer\nHow?,1\nWhat?\n"a "stray" quote",2\nWho?,3\n'
    found = read(tmp_path, "q.csv", table)
    assert [q[3] for q in short(found)] == ["1", "3"]
    assert bad(found)[0] == (3, "there are 1 values for 2 columns")
    assert "cannot be read" in bad(found)[1][1]


def test_an_id_that_occurs_twice_is_told(tmp_path):
    found = read(tmp_path, "SVAMP.json", json.dumps([SVAMP[0], SVAMP[0], SVAMP[1]]))
    assert len(short(found)) == 2 and bad(found) == [(1, "the id 'own-1' occurs twice")]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.jsonl", b"", "The file is empty"), ("a.jsonl", b" \n\n", "The file is empty"),
        ("a.bin", b"\x00\x01\x02" * 100, "no text"),
        ("a.txt", b"just words\nand more\n", "No question could be read"),
        ("a.json", b"[]", "No question could be read"),
        ("a.jsonl.gz", b"\x1f\x8b\x08\x00broken", "cut off or damaged"),
        ("a.jsonl", b'{"colour": "red"}\n', "'question' is missing"),
    ],
)  # fmt: skip
def test_a_file_without_a_question_is_refused(tmp_path, project, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=sentence) as caught:
        import_file(project, path)
    assert str(path) in caught.value.where and caught.value.hint
    assert ("Its columns are: colour." in caught.value.hint) == (b"colour" in content)
    assert datasets(project) == []


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(DatasetError, match="cannot be read"):
            list(read_questions(path))


def test_a_cut_gzip_keeps_what_could_be_read(tmp_path):
    whole = gzip.compress(jsonl([{**GSM8K[0], "n": n} for n in range(20_000)]).encode(), 0)
    found = read(tmp_path, "train.jsonl.gz", whole[: len(whole) // 2])
    assert len(short(found)) > 100
    assert "cut off or damaged" in bad(found)[-1][1]


class Heard(Reporter):
    def __init__(self):
        super().__init__(quiet=True)
        self.progressed = []

    def emit(self, event):
        if isinstance(event, Progress):
            self.progressed.append((event.done, event.total, event.text))


def test_import_reports_progress_and_twice_changes_nothing(tmp_path, project):
    path = tmp_path / "train.jsonl"
    path.write_text(jsonl([{**GSM8K[0], "question": f"Question {n}"} for n in range(2500)]) + "{broken\n")
    heard = Heard()
    report = import_file(project, path, reporter=heard, keep_good=True)
    assert (report.added, report.existing, report.dataset, report.split) == (2500, 0, "gsm8k", "train")
    assert report.unreadable_count == 1 and report.unreadable[0].line == 2501
    assert str(report.unreadable[0]).startswith(f"{path}, line 2501: ")
    assert heard.progressed[-1] == (path.stat().st_size, path.stat().st_size, "2,500 questions")
    again = import_file(project, path, keep_good=True)
    assert (again.added, again.existing, again.different) == (0, 2500, 0)
    path.write_text(jsonl([{**GSM8K[0], "question": f"Other {n}"} for n in range(3)]))
    assert import_file(project, path).different == 3


def test_a_file_with_bad_places_is_not_imported_unless_the_rest_is_wanted(tmp_path, project):
    path = tmp_path / "train.jsonl"
    path.write_text(jsonl([{**GSM8K[0], "question": f"Question {n}"} for n in range(2500)]) + "{broken\n")
    report = import_file(project, path)
    assert report.refused and (report.added, report.readable, report.unreadable_count) == (0, 2500, 1)
    assert report.unreadable[0].line == 2501 and datasets(project) == []
    assert import_file(project, path, keep_good=True).added == 2500


class StopsAfter(Control):
    """Asks for a stop when it was looked at so often."""

    def __init__(self, looks):
        super().__init__()
        self.looks = looks

    @property
    def stop_requested(self):
        self.looks -= 1
        return self.looks <= 0


@pytest.mark.parametrize(("looks", "added"), [(1, 0), (3, 0), (4, 1000), (5, 2000)])
def test_import_can_be_stopped_and_goes_on_later(tmp_path, project, looks, added):
    # three looks while the file is checked, one after every thousand that is stored
    path = tmp_path / "train.jsonl"
    path.write_text(jsonl([{**GSM8K[0], "question": f"Question {n}"} for n in range(2500)]))
    report = import_file(project, path, control=StopsAfter(looks))
    assert report.stopped and not report.refused and report.added == added
    assert sum(count for *_, count in datasets(project)) == added
    assert import_file(project, path).added == 2500 - added


def test_many_ids_are_still_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(question_file, "_IDS_IN_MEMORY", 10)
    many = [{**SVAMP[0], "ID": f"n{n % 40}"} for n in range(45)]
    found = read(tmp_path, "a.json", json.dumps(many))
    assert len(short(found)) == 40
    assert bad(found) == [(1, f"the id 'n{n}' occurs twice") for n in range(5)]


@pytest.mark.parametrize(
    ("name", "dataset", "split", "count", "numbers"),
    [
        ("gsm8k/train.jsonl", "gsm8k", "train", 7473, 7473),
        ("gsm8k/test.jsonl", "gsm8k", "test", 1319, 1319),
        ("svamp/SVAMP.json", "svamp", "test", 1000, 1000),
        ("multiarith/MultiArith.json", "multiarith", "test", 600, 600),
        ("restricted/asdiv/ASDiv.xml", "asdiv", "test", 2305, 2093),
        ("pal_datasets/mawpsaddsub.jsonl", "addsub", "test", 395, 395),
        ("pal_datasets/gsmhardv2.jsonl", "gsm-hard", "test", 1319, 1319),
    ],
)  # fmt: skip
def test_the_published_files(shared_data, name, dataset, split, count, numbers):
    found = list(read_questions(shared_data / name))
    assert bad(found) == []
    assert {(q.dataset, q.split) for q in found} == {(dataset, split)}
    assert len({q.native_id for q in found}) == len(found) == count
    assert sum(q.gold_value is not None for q in found) == numbers
