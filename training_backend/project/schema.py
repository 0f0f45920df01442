"""The tables and views of a project file; each column says what it holds (in the file: table `about`)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from training_backend.project.lines import SORT_PREFIX

APPLICATION_ID = 0x4B504444  # "KPDD" in the file's header: `file NAME.kpdd` and we tell it by this
SCHEMA_VERSION = 5

metadata = MetaData()


def _id() -> Column:
    return Column("id", Integer, primary_key=True)


def _text(name: str, comment: str, **more) -> Column:
    return Column(name, Text, nullable=False, server_default="", comment=comment, **more)


def _json(name: str, comment: str) -> Column:
    return Column(name, Text, nullable=False, server_default="{}", comment=comment + " (JSON)")


about = Table(
    "about", metadata,
    Column("table_name", String, primary_key=True),
    Column("column_name", String, primary_key=True, comment="empty: what the whole table holds"),
    _text("explanation", "what the column holds"),
    comment="What every table and column of this file means.",
)  # fmt: skip

setting = Table(
    "setting", metadata,
    Column("name", String, primary_key=True),
    _text("value", "the value as text"),
    comment="Small facts about the file itself, such as how far the search index reaches.",
)  # fmt: skip

question = Table(
    "question", metadata,
    _id(),
    _text("dataset", "gsm8k, svamp, …"),
    _text("split", "train, test, or what the source calls it"),
    _text("native_id", "the id or row number in the source"),
    _text("text", "the question as imported; never overwritten"),
    _text("gold_text", "the gold answer as imported, without a unit; never overwritten"),
    Column("gold_value", Float, comment="the gold answer as a number; null where it is none"),
    Column("corrected_text", Text, comment="a person's correction of text; null: none"),
    Column("corrected_gold_text", Text, comment="a person's correction of gold_text; null: none"),
    Column("corrected_gold_value", Float, comment="corrected_gold_text as a number"),
    _json("extra", "what else the source says: a human solution, the seed question, the round and why"),
    _text("created_at", "when it was added, UTC"),
    UniqueConstraint("dataset", "split", "native_id"),
    comment="Questions with their gold answers.",
)  # fmt: skip

origin = Table(
    "origin", metadata,
    _id(),
    _text("teacher", "the name of the teacher"),
    _text("model", "the model that wrote"),
    _text("source", "endpoint, file or recording"),
    _text("prompt_version", "which prompt was used"),
    _json("details", "temperature, exact prompt text and the like"),
    _text("created_at", "when it was first used, UTC"),
    UniqueConstraint("teacher", "model", "source", "prompt_version", "details"),
    comment="Where texts come from: one line per teacher, model, source and prompt.",
)  # fmt: skip

key_points = Table(
    "key_points", metadata,
    _id(),
    Column("question_id", ForeignKey("question.id"), nullable=False),
    Column("origin_id", ForeignKey("origin.id"), comment="who wrote them"),
    _text("digest", "tells equal key points of one question and origin"),
    _text("core_question", "the core question as the teacher wrote it; never overwritten"),
    _text("information", "the problem-solving information as the teacher wrote it, one item per line"),
    Column("corrected_core_question", Text, comment="a person's correction; null: none"),
    Column("corrected_information", Text, comment="a person's correction, one item per line; null: none"),
    _json("raw", "the reply as it came"),
    _text("created_at", "UTC"),
    UniqueConstraint("question_id", "origin_id", "digest"),
    comment="Key points of questions; rows of one question may share them.",
)  # fmt: skip

rationale = Table(
    "rationale", metadata,
    _id(),
    Column("question_id", ForeignKey("question.id"), nullable=False),
    _text("kind", "cot (chain of thought), pot (program) or eot (equations)"),
    Column("path", Integer, nullable=False, comment="0, 1, 2 …: which of several answers to one question"),
    Column("origin_id", ForeignKey("origin.id"), comment="who wrote it"),
    Column("text", Text, comment="as the teacher wrote it, never overwritten; null: the reply did not parse"),
    Column("corrected_text", Text, comment="a person's correction; null: none"),
    _text("parse_error", "why the reply did not parse"),
    _json("raw", "the reply as it came"),
    _text("created_at", "UTC"),
    comment="Rationales: what a teacher wrote to solve a question.",
)  # fmt: skip
# an index and not a constraint: coalesce, as null origins would never be equal
Index("rationale_once", text("question_id"), text("kind"), text("path"), text("coalesce(origin_id, 0)"),
      unique=True, _table=rationale)  # fmt: skip

judgement = Table(
    "judgement", metadata,
    _id(),
    Column("row_id", ForeignKey("row.id"), nullable=False),
    _text("digest", "of kind, rationale and gold: what was judged"),
    _text("state", "equal, not_equal, raised, …"),
    _text("verdict", "what running the program gave; empty when nothing ran"),
    _text("answer_text", "what the answer was read from"),
    Column("value", Float, comment="the answer as a number"),
    _text("stdout", "what the program printed"),
    _text("error", "the error it raised"),
    Column("error_line", Integer, comment="1 is the first line"),
    Column("elapsed_ms", Float, nullable=False, server_default="0"),
    _text("rule", "how the answer was read"),
    _text("isolation", "under which protection it ran"),
    _text("python", "under which interpreter it ran"),
    _text("judged_at", "UTC"),
    UniqueConstraint("row_id", "digest"),
    comment="What running or reading a rationale gave; earlier texts keep theirs: an undo needs no new run.",
)  # fmt: skip

row = Table(
    "row", metadata,
    _id(),
    Column("question_id", ForeignKey("question.id"), nullable=False),
    Column("key_points_id", ForeignKey("key_points.id")),
    Column("rationale_id", ForeignKey("rationale.id"), unique=True),
    Column("judgement_id", Integer, comment="the judgement of the text as it stands; null: not judged yet"),
    _text("dataset", "of the question"),
    _text("split", "of the question"),
    _text("kind", "cot, pot, eot; empty: not asked yet"),
    Column("path", Integer, nullable=False, server_default="0"),
    _text("verdict", "the state: not_asked, not_run, equal, not_equal, no_answer, raised, …"),
    Column("review", String, nullable=False, server_default="unreviewed",
           comment="unreviewed, accepted or rejected, by a person"),
    Column("flagged", Integer, nullable=False, server_default="0", comment="1: marked by a person"),
    Column("changed", Integer, nullable=False, server_default="0", comment="1: a person corrected a text"),
    _text("question", "start of the corrected question, on one line"),
    _text("core_question", "start of the corrected core question"),
    _text("rationale", "start of the corrected rationale, on one line"),
    _text("answer_text", "the answer that was read"),
    Column("answer_value", Float, comment="the answer as a number"),
    _text("gold_text", "the corrected gold answer"),
    Column("gold_value", Float, comment="the corrected gold answer as a number"),
    _text("note", "a person's note"),
    Column("round", Integer, nullable=False, server_default="0",
           comment="0: an imported question; n: a question that a teacher wrote in round n"),
    Column("flags", Integer, nullable=False, server_default="0",
           comment="what the program found odd, one bit each; the table row_flag has it in words"),
    Column("suspicion", Integer, nullable=False, server_default="0",
           comment="how much the flags of the row weigh together; 0: nothing was found"),
    CheckConstraint("review IN ('unreviewed', 'accepted', 'rejected')"),
    CheckConstraint("flagged IN (0, 1)"),
    CheckConstraint("changed IN (0, 1)"),
    comment="The list: one line per question, kind and path, with the starts of its texts.",
)  # fmt: skip
Index("row_question", row.c.question_id)
Index("row_key_points", row.c.key_points_id)
# every facet count, every filter and the funnel are answered from this index alone
Index("row_facets", row.c.verdict, row.c.review, row.c.kind, row.c.dataset, row.c.split, row.c.path,
      row.c.changed, row.c.flagged, row.c.round, row.c.flags, row.c.question_id)  # fmt: skip
for _name in ("question", "core_question", "rationale"):
    Index(f"row_by_{_name}", text(f"substr({_name}, 1, {SORT_PREFIX})"), _table=row)
Index("row_by_answer", row.c.answer_value, row.c.answer_text)
Index("row_by_gold", row.c.gold_value, row.c.gold_text)
# only the rows with a flag: most have none
Index("row_by_suspicion", row.c.suspicion, sqlite_where=text("suspicion > 0"))

row_flag = Table(
    "row_flag", metadata,
    Column("row_id", ForeignKey("row.id"), primary_key=True),
    Column("flag", String, primary_key=True, comment="answer_in_key_points, foreign_number, …"),
    _text("why", "what was found, in words"),
    comment="What the program found odd about rows; written again whenever a text of the question changes.",
    sqlite_with_rowid=False,
)  # fmt: skip

flag_due = Table(
    "flag_due", metadata,
    Column("question_id", Integer, primary_key=True, autoincrement=False),
    Column("times", Integer, nullable=False, server_default="1",
           comment="how often it changed since it was looked at; tells a change that came meanwhile"),
    comment="Questions whose rows are to be looked at again for flags; filled by triggers.",
)  # fmt: skip

saved_filter = Table(
    "saved_filter", metadata,
    Column("name", String, primary_key=True, comment="as a person named it"),
    _json("filter", "facets, search, sort and direction"),
    _text("created_at", "UTC"),
    comment="Filters of the list that a person kept.",
)  # fmt: skip

change = Table(
    "change", metadata,
    _id(),
    _text("made_at", "UTC"),
    _text("who", "person, or the name of what made the change"),
    _text("action", "edit, undo or redo"),
    _text("label", "what was done, in words"),
    Column("of_change", ForeignKey("change.id"), comment="of an undo or redo: the edit that it concerns"),
    Column("undone_by", Integer, comment="of an edit: the undo that holds; null: the edit holds"),
    comment="Every change by a person, in order; nothing is ever removed from it.",
)  # fmt: skip
Index("change_action", change.c.action, change.c.undone_by)

change_item = Table(
    "change_item", metadata,
    _id(),
    Column("change_id", ForeignKey("change.id"), nullable=False),
    _text("entity", "question, key_points, rationale or row"),
    Column("entity_id", Integer, nullable=False),
    _text("field", "the column that was changed"),
    Column("old", Text, comment="null: the teacher's or the source's text stood"),
    Column("new", Text, comment="null: the teacher's or the source's text stands again"),
    comment="What each change changed, value by value.",
)  # fmt: skip
Index("change_item_change", change_item.c.change_id)
Index("change_item_entity", change_item.c.entity, change_item.c.entity_id)

row_touched = Table(
    "row_touched", metadata,
    Column("seq", Integer, primary_key=True),
    Column("row_id", Integer, nullable=False),
    comment="The latest changes to the values that the list is filtered by, for windows that follow along.",
)  # fmt: skip

teacher = Table(
    "teacher", metadata,
    Column("name", String, primary_key=True, comment="as a person named it"),
    _text("kind", "endpoint, local, replay or sample"),
    _json("settings", "address, model, temperature, limits and the like; never a key"),
    _text("created_at", "UTC"),
    _text("changed_at", "UTC"),
    comment="The teachers that a person set up for this project.",
)  # fmt: skip

prompt = Table(
    "prompt", metadata,
    _id(),
    _text("name", "key_points, cot, pot, eot, one_call, …"),
    _text("version", "a digest of everything that is sent; origin.prompt_version names it"),
    _json("content", "the texts and the demonstrations"),
    _text("created_at", "UTC"),
    comment="Every version of the prompts that this project used or a person wrote; the last line holds.",
)  # fmt: skip
Index("prompt_version", prompt.c.name, prompt.c.version)

teacher_run = Table(
    "teacher_run", metadata,
    _id(),
    _text("digest", "of what makes it this run: teacher, model, prompts, parameters", unique=True),
    _text("teacher", "the name of the teacher"),
    _text("model", "the model that is asked"),
    _text("folder", "where its events lie; relative to this file where it lies beside it"),
    _json("settings", "how it asks"),
    _text("status", "running, paused, done, stopped, budget or failed"),
    _text("problem", "why it ended before its end, in one sentence"),
    _text("started_at", "when it began or went on last, UTC"),
    _text("ended_at", "UTC; empty while it runs"),
    comment="Runs that ask a teacher; the same settings go on with the same run.",
)  # fmt: skip

response = Table(
    "response", metadata,
    _id(),
    _text("digest", "of model, prompt version, text, parameters, path and attempt: nothing is asked twice",
          unique=True),
    Column("run_id", ForeignKey("teacher_run.id"), comment="the run that paid for it"),
    _text("model", "the model that answered, as it names itself"),
    _text("prompt_version", ""),
    Column("attempt", Integer, nullable=False, server_default="0", comment="0: the first time it was asked"),
    _text("text", "the reply as it came"),
    _text("finish_reason", "why the teacher ended: stop, length, …"),
    _text("refusal", "what it said instead of an answer"),
    Column("prompt_tokens", Integer, nullable=False, server_default="0"),
    Column("cached_tokens", Integer, nullable=False, server_default="0", comment="of the prompt's tokens"),
    Column("completion_tokens", Integer, nullable=False, server_default="0"),
    Column("money", Float, comment="what it cost; null: the price was not known"),
    Column("latency_s", Float, nullable=False, server_default="0"),
    _text("answered_at", "UTC"),
    comment="Every reply that a teacher gave, also those that could not be read: what was paid for.",
)  # fmt: skip
Index("response_run", response.c.run_id)

request = Table(
    "request", metadata,
    _id(),
    Column("run_id", ForeignKey("teacher_run.id"), nullable=False),
    Column("question_id", ForeignKey("question.id"), nullable=False),
    Column("path", Integer, nullable=False, server_default="0"),
    _text("name", "the prompt: key_points, cot, pot, eot or one_call"),
    _text("kind", "the kind that is asked for; empty: key points alone"),
    Column("status", String, nullable=False, server_default="waiting"),
    _text("reason", "why it failed, in one word; empty: it did not"),
    _text("problem", "the same in a sentence"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="replies that came so far"),
    Column("response_id", ForeignKey("response.id"), comment="the reply that holds"),
    UniqueConstraint("run_id", "question_id", "path", "name", "kind"),
    CheckConstraint("status IN ('waiting', 'done', 'failed')"),
    comment="What a run asks: asked = done + failed + waiting.",
)  # fmt: skip
Index("request_state", request.c.run_id, request.c.status, request.c.reason)
Index("request_question", request.c.question_id)

run = Table(
    "run", metadata,
    _id(),
    _text("folder", "the run folder; relative to this file where it lies beside it"),
    _text("method", "kpdd-pot, cotd, …"),
    _text("title", ""),
    _text("status", "prepared, running, done, stopped or failed"),
    _json("summary", "figures of the run"),
    _text("created_at", "UTC"),
    UniqueConstraint("folder"),
    comment="Training runs.",
)  # fmt: skip

evaluation = Table(
    "evaluation", metadata,
    _id(),
    Column("run_id", ForeignKey("run.id")),
    _text("students", "which students were measured"),
    _text("benchmark", "on which questions"),
    _text("method", ""),
    _json("settings", "how the answers were made and compared"),
    _json("summary", "the figures"),
    _text("created_at", "UTC"),
    Column("finished_at", Text, comment="UTC; null while predictions still arrive"),
    comment="Students measured on a benchmark.",
)  # fmt: skip

prediction = Table(
    "prediction", metadata,
    _id(),
    Column("evaluation_id", ForeignKey("evaluation.id"), nullable=False),
    _text("native_id", "of the question in the benchmark"),
    _text("question", ""),
    _text("gold_text", ""),
    Column("gold_value", Float),
    _text("core_question", "as the student wrote it"),
    _text("information", "as the student wrote it, one item per line"),
    _text("kind", "cot, pot or eot"),
    _text("rationale", "as the student wrote it"),
    _text("verdict", "what running it gave"),
    _text("answer_text", "what was read as the answer"),
    Column("value", Float, comment="the answer as a number"),
    Column("equal", Integer, comment="1: equal to gold, 0: not, null: there is no gold"),
    _text("error", ""),
    _text("rule", "how the answer was read"),
    comment="Every answer of an evaluation.",
)  # fmt: skip
Index("prediction_evaluation", prediction.c.evaluation_id, prediction.c.equal)

VIEWS = {
    "row_text": """
        SELECT r.id, r.question_id, r.dataset, r.split, r.kind, r.path, r.verdict, r.review,
               coalesce(q.corrected_text, q.text) AS question,
               coalesce(q.corrected_gold_text, q.gold_text) AS gold_text,
               CASE WHEN q.corrected_gold_text IS NULL THEN q.gold_value
                    ELSE q.corrected_gold_value END AS gold_value,
               coalesce(k.corrected_core_question, k.core_question, '') AS core_question,
               coalesce(k.corrected_information, k.information, '') AS information,
               coalesce(a.corrected_text, a.text, '') AS rationale,
               r.note,
               coalesce(q.corrected_text, q.corrected_gold_text, k.corrected_core_question,
                        k.corrected_information, a.corrected_text) IS NOT NULL AS changed
        FROM row AS r
        JOIN question AS q ON q.id = r.question_id
        LEFT JOIN key_points AS k ON k.id = r.key_points_id
        LEFT JOIN rationale AS a ON a.id = r.rationale_id""",
    "training_rows": """
        SELECT id AS row_id, question_id, dataset, split, question, gold_text, gold_value, core_question,
               information, kind, path, rationale, verdict, review
        FROM row_text
        WHERE kind <> '' AND rationale <> ''
          AND (review = 'accepted' OR (verdict = 'equal' AND review <> 'rejected'))""",
}
VIEW_COMMENTS = {
    "row_text": "Every row with its full texts as they stand: corrected where a person corrected them.",
    "training_rows": "What students learn from: rows equal to gold and not rejected, or accepted by hand.",
}
# the columns of both views; `training_rows` calls the id row_id
VIEW_COLUMNS = {
    "id": "the row",
    "row_id": "the row",
    "question_id": "the question",
    "dataset": "of the question",
    "split": "of the question",
    "kind": "cot (chain of thought), pot (program) or eot (equations); empty: not asked yet",
    "path": "0, 1, 2 …: which of several answers to one question",
    "verdict": "the state: equal (to gold), not_equal, raised, no_answer, not_run, …",
    "review": "unreviewed, accepted or rejected, by a person",
    "question": "the question in full, as corrected",
    "gold_text": "the gold answer, as corrected",
    "gold_value": "the gold answer as a number, as corrected; null where it is none",
    "core_question": "the core question, as corrected",
    "information": "the problem-solving information, as corrected, one item per line",
    "rationale": "the rationale in full, as corrected; empty: none that could be read",
    "note": "a person's note",
    "changed": "1: a person corrected a text of the row",
}


def touched_triggers(facets: Sequence[str]) -> tuple[str, str]:
    """Return the triggers that note in `row_touched` whose facets changed, so that no writer can forget it.

    A window that has read up to some `seq` reads on from there instead of counting a million rows again;
    `lines.trim_touched` keeps the table short.
    """
    differs = " OR ".join(f"new.{name} IS NOT old.{name}" for name in facets)
    return (
        """CREATE TRIGGER row_added AFTER INSERT ON row
           BEGIN INSERT INTO row_touched (row_id) VALUES (new.id); END""",
        f"""CREATE TRIGGER row_changed AFTER UPDATE OF {", ".join(facets)} ON row WHEN {differs}
           BEGIN INSERT INTO row_touched (row_id) VALUES (new.id); END""",
    )


def _due(name: str, event: str, question: str) -> str:
    return f"""CREATE TRIGGER {name} AFTER {event}
        BEGIN INSERT INTO flag_due (question_id) VALUES ({question})
              ON CONFLICT DO UPDATE SET times = times + 1; END"""


# Whatever the flags of a question depend on marks it as due, whoever writes it.
FLAG_TRIGGERS = (
    _due("flag_due_row", "INSERT ON row", "new.question_id"),
    _due("flag_due_answer", "UPDATE OF verdict, answer_value, key_points_id, rationale_id ON row WHEN "
         "(new.verdict, new.answer_value, new.key_points_id, new.rationale_id) IS NOT "
         "(old.verdict, old.answer_value, old.key_points_id, old.rationale_id)", "new.question_id"),
    _due("flag_due_question", "UPDATE OF corrected_text, corrected_gold_text ON question", "new.id"),
    _due("flag_due_key_points", "UPDATE OF corrected_core_question, corrected_information ON key_points",
         "new.question_id"),
    _due("flag_due_rationale", "UPDATE OF text, corrected_text ON rationale", "new.question_id"),
)  # fmt: skip

# Full-text search. Both indices read their text from a view, so no text is stored twice. The views end at
# the row up to which the index reaches, so FTS5's own integrity check compares exactly what is indexed.
SEARCH_VIEWS = {
    "search_text": """
        SELECT id, question, core_question, information, rationale, note FROM row_text
        WHERE id <= (SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'search_rows')""",
    "search_question_text": """
        SELECT id, coalesce(corrected_text, text) AS question FROM question
        WHERE id <= (SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'search_questions')""",
}
SEARCH_TABLES = (
    """CREATE VIRTUAL TABLE search USING fts5(question, core_question, information, rationale, note,
       content='search_text', content_rowid='id', tokenize='unicode61 remove_diacritics 2')""",
    """CREATE VIRTUAL TABLE search_question USING fts5(question,
       content='search_question_text', content_rowid='id', tokenize='unicode61 remove_diacritics 2',
       prefix='2 3')""",
)
