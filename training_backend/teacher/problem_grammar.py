"""The sample problems: word problems drawn from a clause grammar, with everything a teacher would write.

Every problem has a question, a gold answer, key points, a chain of thought, a program and equations.
The same seed gives the same problems. Numbers of two worlds: `train` and `held_out` share no drawn number.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from training_backend.errors import ConfigError
from training_backend.rationale.key_points import KeyPoints
from training_backend.teacher import problem_templates
from training_backend.teacher.problem_syntax import (
    ALTERNATIVES,
    PLACEHOLDER,
    Step,
    Template,
    names_in,
)
from training_backend.teacher.problem_words import DISTRACTORS, MEN, NOUNS, WOMEN, WORDS, article, plural

LARGEST = 9999
_DISTRACTOR_SHARE = 0.5
_NAME = re.compile(r"[a-z_]+")
_X = re.compile(r"\{x:(\d+)\.\.(\d+)\}")
# words that point back: no fact may come between them and the sentence that they point to
_POINTS_BACK = re.compile(
    r"\b(them|these|those|it|its|ones?|others?|they|that|there)\b|^Then\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Problem:
    """One word problem with gold and all that a teacher writes about it; `template` is the kind's key."""

    template: str
    question: str
    answer: int
    key_points: KeyPoints
    cot: str
    pot: str
    eot: str


def is_held_out(number: int) -> bool:
    """Tell whether a number from ten on belongs to the held-out world: one, by hash, in each block of six."""
    block, place = divmod(number, 6)
    return number >= 10 and (block * 2654435761 >> 7) % 6 == place


def generate(
    count: int, seed: int, templates: Sequence[str] | None = None, numbers: str = "train"
) -> Iterator[Problem]:
    """Yield `count` different problems; the templates (keys; all known ones by default) come in turns.

    `numbers`: with "held_out" every number drawn from a range is held out, with "train" none is. From ten on
    such a number is in no training question at all; a single digit is held out of its own range only. Choices
    such as 25 percent are the same in both worlds. ConfigError for an unknown template or world, or when a
    template cannot give enough different problems.
    """
    if numbers not in ("train", "held_out"):
        raise ConfigError(f"There are no '{numbers}' numbers.", "Choose train or held_out.")
    keys = list(problem_templates.known() if templates is None else templates)
    unknown = [key for key in keys if key not in problem_templates.all_templates()]
    if unknown or not keys:
        raise ConfigError(f"There is no problem template called '{(unknown or [''])[0]}'.")
    rng = random.Random(f"{seed} {numbers}")
    seen: set[str] = set()
    made = 0
    while made < count:
        rng.shuffle(keys)
        for key in keys[: count - made]:
            problem = _different(problem_templates.all_templates()[key], rng, numbers == "held_out", seen)
            made += 1
            yield problem


def _different(template: Template, rng: random.Random, held_out: bool, seen: set[str]) -> Problem:
    for _ in range(200):
        problem = draw(template, rng, held_out)
        if problem.question not in seen:
            seen.add(problem.question)
            return problem
    raise ConfigError(f"The template '{template.key}' has no more different problems.", "Ask for fewer.")


def draw(template: Template, rng: random.Random, held_out: bool = False) -> Problem:
    """Return one problem of a template."""
    values, steps = _draw_numbers(template, rng, held_out)
    words = _draw_words(template, rng)
    words.update((name, str(value)) for name, value in values.items())
    wordings: dict[str, str] = {}

    def text(raw: str) -> str:
        return _fill(raw, words, wordings, rng)

    told = [text(clause.text) for clause in template.clauses]
    question = text(template.question)
    items = tuple(text(item) for clause in template.clauses for item in clause.items)
    core = text(template.core_question)
    for distractor in _distractors(template, words, rng, held_out):
        _insert(told, question, distractor, rng)
    answer = values[steps[-1].name]
    sentences = [text(_with_sum(step, values)) for step in steps]
    return Problem(
        template=template.key,
        question=" ".join((*told, question)),
        answer=answer,
        key_points=KeyPoints(core, items),
        cot=" ".join((*sentences, f"The answer is {answer}.")),
        pot=_program(template, steps, values),
        eot=_equations(steps, values),
    )


def _draw_numbers(
    template: Template, rng: random.Random, held_out: bool
) -> tuple[dict[str, int], list[Step]]:
    """Return numbers and results that fit (all from 2 to LARGEST, no rests), and the steps that are taken."""
    pools = _pools(template.key, held_out)
    for _ in range(20_000):
        values: dict[str, int] = {}
        for number in template.numbers:
            if number.formula is None:
                values[number.name] = rng.choice(pools[number.name])
            else:
                value = eval(number.formula, {"__builtins__": {}}, values)
                if not _fits(value) or (number.shown and not held_out and is_held_out(value)):
                    break
                values[number.name] = value
        else:
            steps = _take_steps(template, values)
            if steps and all(
                eval(condition, {"__builtins__": {}}, values) for condition in template.conditions
            ):
                return values, steps
    raise ConfigError(f"The template '{template.key}' finds no numbers that fit.")


@cache
def _pools(key: str, held_out: bool) -> dict[str, tuple[int, ...]]:
    """Return the numbers that each drawn number of a template may take in one of the two worlds."""
    return {
        number.name: pool(f"{key} {number.name}", number.choices, held_out)
        if number.is_range and number.shown
        else number.choices
        for number in problem_templates.all_templates()[key].numbers
        if number.formula is None
    }


@cache
def pool(place: str, choices: tuple[int, ...], held_out: bool) -> tuple[int, ...]:
    """Return the numbers of a range that belong to one world; `place` names the range."""
    digits = [choice for choice in choices if choice < 10]
    apart = {choice for choice in choices if is_held_out(choice)}
    if len(digits) > 2 or not apart:
        apart |= set(random.Random(place).sample(digits, max(1, len(digits) // 4)))
    return tuple(choice for choice in choices if (choice in apart) == held_out)


def _take_steps(template: Template, values: dict[str, int]) -> list[Step]:
    """Compute the results into `values`; return the steps taken, or none when a result does not fit."""
    taken = []
    for step in template.steps:
        if step.condition is not None and not eval(step.condition, {"__builtins__": {}}, values):
            continue
        value = eval(step.code, {"__builtins__": {}}, values)
        if not _fits(value) or (step.exact and "//" in step.expression and not _exact(step, values, value)):
            return []
        values[step.name] = value
        taken.append(step)
    return taken


def _exact(step: Step, values: dict[str, int], value: int) -> bool:
    return eval(step.expression.replace("//", "/"), {"__builtins__": {}}, values) == value


def _fits(value: int) -> bool:
    return 2 <= value <= LARGEST


def _draw_words(template: Template, rng: random.Random) -> dict[str, str]:
    """Return the people and things of one problem by placeholder."""
    people = [rng.choice(WOMEN), rng.choice(MEN)]
    woman_first = rng.random() < 0.5
    first, second = people if woman_first else reversed(people)
    words = {"A": first, "B": second}
    words |= _pronouns(woman_first) | {"he2": "he" if woman_first else "she"}
    for slot, kind in template.slots.items():
        if kind in WORDS:
            words |= forms(slot, rng.choice(WORDS[kind]))
        else:
            words |= forms(slot, rng.choice(NOUNS[kind]), countable=True)
    return words


def _pronouns(woman: bool) -> dict[str, str]:
    he, his, him = ("she", "her", "her") if woman else ("he", "his", "him")
    return {"he": he, "He": he.capitalize(), "his": his, "His": his.capitalize(), "him": him}


def forms(slot: str, noun: str, countable: bool = False) -> dict[str, str]:
    """Return the forms of a word by placeholder: as it stands or plural, singular, with both articles."""
    with_article = f"{article(noun)} {noun}"
    return {
        slot: plural(noun) if countable else noun,
        f"{slot}1": noun,
        f"a {slot}": with_article,
        f"A {slot}": with_article[0].upper() + with_article[1:],
    }


def _fill(raw: str, words: dict[str, str], wordings: dict[str, str], rng: random.Random) -> str:
    """Choose the wordings (the same choice for the same brackets of one problem) and put the words in."""
    for brackets in ALTERNATIVES.findall(raw):
        if brackets not in wordings:
            wordings[brackets] = rng.choice(brackets.split("/"))
        raw = raw.replace(f"[{brackets}]", wordings[brackets])
    return PLACEHOLDER.sub(lambda match: words[match.group(1)], raw)


def _distractors(template: Template, words: dict[str, str], rng: random.Random, held_out: bool) -> list[str]:
    """Return no or one fact that does not matter."""
    if rng.random() >= _DISTRACTOR_SHARE:
        return []
    has_person = any("{A}" in clause.text for clause in template.clauses)
    tells_age = any("years old" in clause.text for clause in template.clauses)
    fits = [
        text
        for text in DISTRACTORS[template.scene]
        if (has_person or "{A}" not in text) and not (tells_age and "{A} is" in text)
    ]
    raw = rng.choice(fits)

    def number(match: re.Match[str]) -> str:
        span = tuple(range(int(match.group(1)), int(match.group(2)) + 1))
        return str(rng.choice(pool(raw, span, held_out)))

    return [PLACEHOLDER.sub(lambda match: words[match.group(1)], _X.sub(number, raw))]


def _insert(told: list[str], question: str, fact: str, rng: random.Random) -> None:
    """Put a fact after one of the told sentences where no word of the next one would point to it."""
    follows = [*told[1:], question]
    places = [n + 1 for n, sentence in enumerate(follows) if not _POINTS_BACK.search(sentence)]
    told.insert(rng.choice(places) if places else 0, fact)


def _with_sum(step: Step, values: dict[str, Any]) -> str:
    """Return the step's sentence with `{=}` as `3 * 4 = 12`."""
    if "{=}" not in step.text:
        return step.text
    shown = _NAME.sub(lambda match: str(values[match.group()]), step.expression).replace("//", "/")
    return step.text.replace("{=}", f"{shown} = {values[step.name]}")


def _program(template: Template, steps: list[Step], values: dict[str, int]) -> str:
    lines = list(template.program)
    given = {number.name for number in template.numbers if number.shown}
    if not lines:
        lines = [f"{step.name} = {step.expression}" for step in steps] + [f"ans = {steps[-1].name}"]
        given -= {step.name for step in steps}
    used = dict.fromkeys(name for line in lines for name in _NAME.findall(line) if name in given)
    return "\n".join([f"{name} = {values[name]}" for name in used] + lines)


def _equations(steps: list[Step], values: dict[str, int]) -> str:
    """Return the taken steps as equations; a division with a rest becomes `floor`."""
    results = {step.name for step in steps}
    needed = dict.fromkeys(
        name for step in steps for name in _NAME.findall(step.expression) if name not in results
    )
    lines = [f"{name} = {values[name]}" for name in needed]
    lines += [f"{step.name} = {_equation(step)}" for step in steps]
    return "\n".join([*lines, f"ans = {steps[-1].name}"])


def _equation(step: Step) -> str:
    if step.exact:
        return step.expression.replace("//", "/")
    left, right = step.expression.split(" // ")
    return f"floor({left} / {right})"


def variable_names() -> set[str]:
    """Return every variable of the programs and equations."""
    names: set[str] = set()
    for template in problem_templates.all_templates().values():
        for step in template.steps:
            names |= {step.name} | names_in(step.expression)
        tree = ast.parse("\n".join(template.program))
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names - {"range", "ans"}
