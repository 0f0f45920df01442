"""All templates of the sample problems: KNOWN ones to learn from, NEW ones that students never see."""

from __future__ import annotations

from functools import cache

from training_backend.teacher import (
    problem_templates_home,
    problem_templates_school,
    problem_templates_shop,
    problem_templates_work,
)
from training_backend.teacher.problem_syntax import Template, read_templates


@cache
def all_templates() -> dict[str, Template]:
    """Return every template by its key."""
    templates = [
        template
        for module in (
            problem_templates_home,
            problem_templates_shop,
            problem_templates_school,
            problem_templates_work,
        )
        for template in read_templates(module.TEXT)
    ]
    by_key = {template.key: template for template in templates}
    if len(by_key) != len(templates):
        raise ValueError("two templates have the same key")
    return by_key


@cache
def known() -> tuple[str, ...]:
    """Return the keys of the templates that students are trained on."""
    return tuple(key for key, template in all_templates().items() if not template.new)


@cache
def new() -> tuple[str, ...]:
    """Return the keys of the templates that are kept out of training, to measure what students cannot do."""
    return tuple(key for key, template in all_templates().items() if template.new)
