"""Defects to plant, by name: each a context manager that breaks one promise in one place.

Those of `MODULES` are planted by `tests.simulation.hunting`, one at a time, and a seed is looked for whose story
breaks a law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import Any

Defect = Callable[[], AbstractContextManager[None]]
MODULES = ("tests.simulation.defects", "tests.simulation.defects_owed")
_DEFECTS: dict[str, Defect] = {}


@contextmanager
def patched(owner: Any, name: str, put: Any) -> Iterator[None]:
    before = owner.__dict__[name]
    setattr(owner, name, put)
    try:
        yield
    finally:
        setattr(owner, name, before)


def defect(name: str) -> Callable[[Callable[[], Iterator[None]]], Defect]:
    def named(plant: Callable[[], Iterator[None]]) -> Defect:
        _DEFECTS[name] = contextmanager(plant)
        return _DEFECTS[name]

    return named


def defects() -> Mapping[str, Defect]:
    for module in MODULES:
        import_module(module)
    return _DEFECTS
