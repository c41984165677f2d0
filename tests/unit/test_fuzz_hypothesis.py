"""The fuzzer's targets under hypothesis, so that `make test` has them where atheris does not run.

JSON is made of the shape of a genuine payload with parts exchanged for anything; YAML and texts by cutting,
doubling and strewing.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
STREWN = (
    "\0",
    "\ud800",
    "\u202e",
    "&a ",
    "*a",
    "- ",
    ": ",
    "{",
    "[",
    "]",
    "'",
    "\t",
    "\n",
    "!!python/name:os.x ",
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, each in inside for path in paths(each, (*here, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


@st.composite
def payloads(draw: st.DrawFn, seeds: list[str]) -> str:
    value = json.loads(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 3))):
        value = put(value, draw(st.sampled_from(paths(value))), draw(ANYTHING))
    return json.dumps(value)


@st.composite
def mangled(draw: st.DrawFn, seeds: list[str]) -> str:
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        part = draw(st.sampled_from(("", text[start:end] * 2, *STREWN)) | st.text(max_size=10))
        text = text[:start] + part + text[min(end, start + 40) :]
    return text


@pytest.mark.parametrize("name", ["slack", "teams"])
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_payloads_of_any_form(name: str, data: st.DataObject) -> None:
    """A message, or the reason why there is none."""
    target, seeds = TARGETS[name]
    target(data.draw(payloads(list(seeds))))


@pytest.mark.parametrize(("name", "examples"), [("commands", 300), ("desk", 12), ("scenario", 60)])
def test_texts_of_any_form(name: str, examples: int) -> None:
    """Read, or refused in words."""
    target, seeds = TARGETS[name]

    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(text=mangled(list(seeds)))
    def tried(text: str) -> None:
        target(text)

    tried()
