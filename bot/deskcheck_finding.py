"""What a check of desk.yaml has found. Made by `bot.deskcheck` and the modules that it asks."""

from __future__ import annotations

from dataclasses import dataclass

from bot.deskfile_schema import DeskEntry
from bot.yamlfile import Severity, Where, did_you_mean


@dataclass(frozen=True, slots=True)
class Finding:
    where: Where
    message: str
    severity: Severity = Severity.ERROR


def nobody(key: str, desk: DeskEntry) -> str:
    """The sentence about a name that is no key under people."""
    return f"'{key}' is not a key under people: {did_you_mean(key, desk.people)}"
