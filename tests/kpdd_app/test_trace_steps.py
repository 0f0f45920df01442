"""Ways through recorded steps: over calls, to lines and changes, around loops."""

from __future__ import annotations

from kpdd_app.trace_log import TraceLog
from kpdd_app.trace_steps import TraceSteps, loop_lines

PROGRAM = """\
def area(w, h):
    s = w * h
    return s

t = 0
for w in range(6):
    t += area(w, 4)
    print(t)
ans = t
"""


def record(kind: str, frame: int, line: int, following: int | None = None, **names: str) -> dict:
    depth = 0 if frame == 0 else 1
    changed = {name: [text, "int"] for name, text in names.items()}
    return {"ev": kind, "f": frame, "depth": depth, "ln": line, "nx": following, "ch": changed}


def way(rounds: int = 6) -> TraceSteps:
    """Return the trace of PROGRAM as the sandbox writes it: 2 lines, 7 records a round, 2 more."""
    records = [record("line", 0, 1, 5), record("line", 0, 5, 6, t="0")]
    for n in range(rounds):
        records += [
            record("line", 0, 6, 7, w=str(n)),
            record("call", n + 1, 1, w=str(n), h="4"),
            record("line", n + 1, 2, 3, s=str(n * 4)),
            record("line", n + 1, 3),
            record("return", n + 1, 3),
            record("line", 0, 7, 8, t=str(n)),
            record("line", 0, 8, 6),
        ]
    records += [record("line", 0, 6, 9), record("line", 0, 9, None, ans="60")]
    log = TraceLog()
    log.add(records)
    return TraceSteps(log, PROGRAM)


def test_over_a_call_and_back():
    steps = way()
    assert steps.over(3, 1) == 8, "the call of line 7 is one step"
    assert steps.over(8, -1) == 3
    assert steps.over(4, 1) == 5, "inside the function it goes line by line"
    assert steps.over(2, 1) == 3 and steps.over(3, -1) == 2
    assert steps.over(len(steps.log), 1) == len(steps.log) and steps.over(0, -1) == 0


def test_out_of_a_function():
    steps = way()
    assert steps.out(5) == 7
    assert steps.log.records[steps.out(5) - 1]["ev"] == "return"


def test_a_breakpoint_stops_before_its_line_in_both_directions():
    steps = way()
    assert steps.to_line(0, {7}, 1) == 3
    assert steps.to_line(3, {7}, 1) == 10
    assert steps.to_line(10, {7}, -1) == 3
    assert steps.to_line(0, {2}, 1) == 4, "the first line of a function is about to run after the call"
    assert steps.to_line(4, {1}, -1) == 0, "the first line of all"
    assert steps.to_line(10, {99}, 1) is None


def test_the_next_change_of_a_name():
    steps = way()
    assert steps.to_change(2, "t", 1) == 8
    assert steps.to_change(8, "t", -1) == 2
    assert steps.to_change(8, "nobody", 1) is None


def test_rounds_of_a_loop():
    steps = way()
    loop = steps.loop_at(5)
    assert loop is not None and (loop.line, loop.last, len(loop.starts)) == (6, 8, 6)
    assert [loop.round_at(step) for step in (3, 9, 10, 38)] == [1, 1, 2, 6]
    assert steps.round_from(5, 1) == 10 and steps.round_from(10, 1) == 17
    assert steps.round_from(12, -1) == 10 and steps.round_from(10, -1) == 3
    assert steps.round_from(40, 1) == loop.end == 45
    assert steps.loop_at(2) is None and steps.loop_at(46) is None and steps.round_from(2, 1) is None


def test_the_middle_of_a_long_loop_folds_in_both_directions():
    steps = way()
    forward, step = [0], 0
    while step < len(steps.log):
        step = steps.folded(step, 1)
        forward.append(step)
    assert 16 in forward and 17 not in forward and 38 in forward, "rounds 3 to 5 are skipped"
    back, step = [step], step
    while step > 0:
        step = steps.folded(step, -1)
        back.append(step)
    assert back[::-1] == forward


def test_a_trace_that_grows_is_read_on():
    whole = way()
    log = TraceLog()
    growing = TraceSteps(log, PROGRAM)
    for one in whole.log.records:
        log.add([one])
        growing.loop_at(len(log))
    assert [loop.starts for loop in growing.loops] == [whole.loop_at(5).starts]
    assert growing.loops[0].end == 45


def test_a_loop_without_an_end_has_none():
    steps = way()
    log = TraceLog()
    log.add(steps.log.records[:20])
    cut = TraceSteps(log, PROGRAM)
    assert cut.loop_at(20).end is None and cut.round_from(18, 1) is None


def test_loops_of_a_text():
    assert loop_lines(PROGRAM) == [(6, 8)]
    nested = "while a:\n    for b in c:\n        d\n\n    # e\nfor x in y: z\nformat(1)\n"
    assert loop_lines(nested) == [(1, 3), (2, 3)]
    assert loop_lines("for x in (((") == []
