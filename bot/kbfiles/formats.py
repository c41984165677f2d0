"""The formats that articles are written in. Used by `bot.cli_kb` and `bot.kbfiles.writing`."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    MARKDOWN = "markdown"
    CSV = "csv"
    JSONL = "jsonl"
    HTML = "html"


SUFFIXES = {
    ".md": Format.MARKDOWN,
    ".csv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".html": Format.HTML,
    ".htm": Format.HTML,
}
