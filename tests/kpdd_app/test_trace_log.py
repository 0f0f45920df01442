"""Every state of a trace is the same whichever way it was reached."""

from __future__ import annotations

from kpdd_app.trace_log import PROGRAM, TraceLog


def line(n: int, ln: int, nx: int | None = None, **more) -> dict:
    return {"n": n, "ev": "line", "f": 0, "depth": 0, "ln": ln, "nx": nx, "ch": {}, **more}


def picture(state) -> tuple:
    frames = [(frame.id, frame.name, dict(frame.variables)) for frame in state.frames]
    return (state.step, state.line, state.next_line, frames, state.changed, dict(state.line_values),
            state.output_end, state.exception, state.exception_line, state.returned)  # fmt: skip


def long_log(count: int) -> TraceLog:
    log = TraceLog()
    for n in range(1, count + 1):
        changes = {f"v{n % 7}": [str(n), "int"]}
        if n % 11 == 0:
            changes[f"v{(n + 1) % 7}"] = None
        log.add([line(n, n % 5 + 1, (n + 1) % 5 + 1, ch=changes, o="x" if n % 50 == 0 else "")])
    return log


def test_forward_and_back_give_the_same_states():
    log = long_log(730)
    forward = [picture(log.state(step)) for step in range(len(log) + 1)]
    back = [picture(log.state(step)) for step in range(len(log), -1, -1)]
    assert forward == back[::-1]
    jumps = [700, 3, 299, 300, 301, 99, 100, 730, 0]
    assert [picture(log.state(step)) for step in jumps] == [forward[step] for step in jumps]


def test_states_do_not_depend_on_how_the_records_came():
    whole, parts = long_log(250), TraceLog()
    for start in range(0, 250, 33):
        parts.add(whole.records[start : start + 33])
        parts.state(start)
    assert picture(parts.state(250)) == picture(whole.state(250))


def test_values_stand_beside_their_lines_and_printed_text_grows():
    log = TraceLog()
    log.add([
        line(1, 1, 2, ch={"a": ["2", "int"]}),
        line(2, 2, 3, ch={"b": ["'x'", "str"], "f": ["function f", "function"]}),
        line(3, 3, None, o="hello\n"),
    ])  # fmt: skip
    state = log.state(2)
    assert state.line_values == {1: "a = 2", 2: "b = 'x'"}
    assert state.changed == ("b", "f") and log.printed(state) == ""
    assert log.printed(log.state(3)) == "hello\n"
    assert log.state(1).next_line == 2


def test_calls_push_and_returns_pop():
    log = TraceLog()
    log.add([
        {"n": 1, "ev": "call", "f": 1, "depth": 1, "ln": 1, "fn": "area", "ch": {"w": ["3", "int"]}},
        {"n": 2, "ev": "line", "f": 1, "depth": 1, "ln": 2, "nx": 3, "ch": {"s": ["9", "int"]}},
        {"n": 3, "ev": "return", "f": 1, "depth": 1, "ln": 3, "nx": None, "ch": {}, "rv": "9"},
        line(4, 5, 6, ch={"total": ["9", "int"]}),
    ])  # fmt: skip
    assert [frame.name for frame in log.state(2).frames] == [PROGRAM, "area"]
    returning = log.state(3)
    assert returning.returned == "9" and returning.frame.name == "area"
    assert returning.line_values[3] == "returns 9"
    after = log.state(4)
    assert [frame.name for frame in after.frames] == [PROGRAM]
    assert after.frame.variables == {"total": ("9", "int")}


def test_an_exception_stands_at_its_line_until_it_is_caught():
    log = TraceLog()
    log.add([
        line(1, 1, 2),
        {"n": 2, "ev": "exc", "f": 0, "depth": 0, "ln": 2, "nx": None, "ch": {}, "ex": ["ValueError", "no"]},
    ])  # fmt: skip
    state = log.state(2)
    assert state.exception == ("ValueError", "no") and state.exception_line == 2
    log.add([line(3, 3, 4)])
    assert log.state(3).exception is None
    assert log.state(2).exception == ("ValueError", "no")


def test_a_generator_comes_back_with_what_it_knew():
    log = TraceLog()
    log.add([
        {"n": 1, "ev": "call", "f": 1, "depth": 1, "ln": 1, "nx": None, "fn": "g", "ch": {"n": ["1", "int"]}},
        {"n": 2, "ev": "return", "f": 1, "depth": 1, "ln": 2, "nx": None, "ch": {}, "rv": "1"},
        line(3, 5, 5, ch={"x": ["1", "int"]}),
        {"n": 4, "ev": "call", "f": 1, "depth": 1, "ln": 2, "nx": None, "fn": "g", "ch": {}},
    ])  # fmt: skip
    assert log.state(4).frame.variables == {"n": ("1", "int")}


def generator_records(rounds: int) -> list[dict]:
    """A generator, frame 1, that is left at each yield and goes on when the program asks again."""
    records = [line(1, 1, 2)]
    for number in range(rounds):
        if not number:
            records.append(
                {"ev": "call", "f": 1, "depth": 1, "ln": 1, "fn": "gen", "ch": {"n": ["9", "int"]}}
            )
        records.append({"ev": "line", "f": 1, "depth": 1, "ln": 2, "nx": 3,
                        "ch": {"kept": [str(number), "int"]}})  # fmt: skip
        records.append({"ev": "return", "f": 1, "depth": 1, "ln": 3, "nx": None, "ch": {}, "rv": str(number)})
        # long enough that a snapshot lies between
        records += [line(0, 5, 6, ch={"total": [f"{number}.{n}", "float"]}) for n in range(20)]
    return records


def test_a_frame_that_goes_on_has_its_values_however_the_step_is_reached():
    records = generator_records(12)
    log = TraceLog()
    log.add(records)
    forward = [picture(log.state(step)) for step in range(len(log) + 1)]
    assert [picture(log.state(step)) for step in range(len(log), -1, -1)] == forward[::-1]
    inside = [state for state in forward if len(state[3]) == 2 and state[1] == 3]
    assert [dict(state[3][1][2])["kept"][0] for state in inside] == [str(number) for number in range(12)]
    assert all("n" in state[3][1][2] for state in inside)


def test_a_state_that_is_on_show_while_records_come_goes_on_with_a_frame_left_before():
    records, log = generator_records(12), TraceLog()
    seen = []
    for record in records:
        log.add([record])
        seen.append(picture(log.state(len(log))))
    whole = TraceLog()
    whole.add(records)
    assert seen == [picture(whole.state(step)) for step in range(1, len(whole) + 1)]


def test_the_end_of_what_was_printed_is_told_without_the_rest():
    log = TraceLog()
    assert not log.has_calls
    log.add([line(n, 1, 1, o=f"{n}\n") for n in range(10)])
    assert log.printed(log.state(4)) == "0\n1\n2\n3\n" and log.printed(log.state(4), 4) == "2\n3\n"
    log.add([{"ev": "call", "f": 1, "depth": 1, "ln": 1, "fn": "f", "ch": {}, "o": "called\n"}])
    assert log.has_calls and log.output.endswith("9\ncalled\n")
