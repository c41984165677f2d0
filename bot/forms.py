"""Hand-written YAML held against a pydantic model, every mistake told as a sentence with its line.

Called by `bot.deskfile`, `bot.scenario` and `bot.kb`; the model is a form made of `Entry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from bot.yamlfile import Problem, Source, Tree, Where, did_you_mean


class Entry(BaseModel):
    """What all entries share: keys nobody knows are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Form = TypeVar("Form", bound=BaseModel)

ROUNDS = 8
"""How often the wrong parts are taken out to look at the rest."""


def validate(source: Source, form: type[Form]) -> tuple[Form | None, list[Problem]]:
    """The filled form, and what is wrong with it.

    With problems, the form is what remains without the wrong parts, good for further checks but
    not for use; None when nothing remains.
    """
    data: Tree = deepcopy(source.data) if source.data is not None else {}
    told: list[Where] = []
    problems: list[Problem] = []
    for _ in range(ROUNDS):
        try:
            return form.model_validate(data), problems
        except ValidationError as refusal:
            errors = refusal.errors(include_url=False)
        news = [error for error in errors if not any(_within(where, _where(error)) for where in told)]
        problems.extend(_problem(source, form, error) for error in news)
        told.extend(_where(error) for error in errors)
        if not all(_take_out(data, error) for error in errors):
            return None, problems
    return None, problems


def named(where: Where, message: str) -> str:
    """A sentence about one place of a file: `teams.it.lead: …`."""
    path = ".".join(str(step) for step in where if isinstance(step, str))
    return f"{path}: {message}" if path else message


def _problem(source: Source, form: type[BaseModel], error: ErrorDetails) -> Problem:
    where = _where(error)
    if error["type"] == "extra_forbidden":
        known = _keys(form.model_json_schema(), where[:-1])
        message = named(where[:-1], f"unknown key '{where[-1]}': {did_you_mean(str(where[-1]), known)}")
    else:
        message = named(where, _sentence(error))
    return source.problem(where, message)


def _within(where: Where, outer: Where) -> bool:
    return where[: len(outer)] == outer


def _where(error: ErrorDetails) -> Where:
    return error["loc"][:-1] if error["loc"][-1:] == ("[key]",) else error["loc"]


def _sentence(error: ErrorDetails) -> str:
    given, context = _shown(error["input"]), error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(context["error"])
        case "missing":
            return "is missing"
        case "literal_error" | "enum":
            return f"must be {context['expected']}, not {given}"
        case "bool_parsing" | "bool_type":
            return f"must be true or false, not {given}"
        case "float_parsing" | "float_type" | "finite_number":
            return f"must be a number, not {given}"
        case "int_parsing" | "int_type":
            return f"must be a whole number, not {given}"
        case "greater_than_equal":
            return f"must be {context['ge']} or more, not {given}"
        case "less_than_equal":
            return f"must be {context['le']} or less, not {given}"
        case "string_type":
            return f"must be text, not {given}"
        case "string_too_short":
            return "must not be empty"
        case "list_type":
            return f"must be a list such as [a, b], not {given}"
        case "too_short":
            return "needs at least one entry"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"must be a mapping (key: value), not {given}"
        case _:
            return f"{error['msg'][:1].lower()}{error['msg'][1:]}"


def _shown(given: object) -> str:
    if isinstance(given, list):
        return "a list"
    if isinstance(given, Mapping):
        return "a mapping"
    return f"'{given}'"


def _take_out(data: Tree, error: ErrorDetails) -> bool:
    """Remove what is wrong (a whole list for one of its items); False when nothing would remain."""
    where = _where(error)
    if error["type"] == "missing":
        where = where[:-1]
    steps = _up_to_list(where)
    if not steps:
        return False
    parent: Any = data
    for step in steps[:-1]:
        if not isinstance(parent, dict) or step not in parent:
            return True
        parent = parent[step]
    if isinstance(parent, dict):
        parent.pop(steps[-1], None)
    return True


def _up_to_list(where: Where) -> list[str]:
    steps: list[str] = []
    for step in where:
        if not isinstance(step, str):
            break
        steps.append(step)
    return steps


def _keys(schema: dict[str, Any], where: Where) -> list[str]:
    """The keys that the form knows at this place."""
    node = schema
    for step in where:
        node = _inside(_resolved(node, schema), step)
    return list(_resolved(node, schema).get("properties", {}))


def _inside(node: dict[str, Any], step: str | int) -> dict[str, Any]:
    if isinstance(step, int):
        return dict(node.get("items", {}))
    candidates = (
        node.get("properties", {}).get(step),
        node.get("additionalProperties"),
        *node.get("patternProperties", {}).values(),
    )
    return next((found for found in candidates if isinstance(found, dict)), {})


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for choice in node.get("anyOf", []):
        if "$ref" in choice:
            node = choice
    if "$ref" in node:
        return dict(schema["$defs"][node["$ref"].rpartition("/")[2]])
    return node
