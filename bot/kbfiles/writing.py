"""Articles written to a file or a folder, so that reading them again gives the same articles.

Called by `bot.cli_kb_run` for `kb export`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from bot.kbfiles import jsonl, markdown, table, webpage
from bot.kbfiles.formats import SUFFIXES, Format
from triage.knowledge import Article

MAX_NAME = 60
"""Characters of an id in a file's name; three bytes each in Korean."""


class CannotWrite(ValueError):
    """The place is no place for this; the message says what to name instead."""


def format_of(path: Path) -> Format:
    """By the ending of the name; a folder is Markdown. Raises CannotWrite when the ending is not known."""
    if path.is_dir() or not path.suffix:
        return Format.MARKDOWN
    found = SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise CannotWrite(f"{path}: which format? Let the name end on {', '.join(SUFFIXES)}, or give --format.")
    return found


def write(articles: Sequence[Article], path: Path, form: Format) -> list[Path]:
    """Write all articles; the files written.

    CSV and JSONL are one file, replaced whole if it is there. Markdown and HTML are a folder with a file
    for each article, which must be new or empty: what an earlier export left would be read with it.
    Raises CannotWrite, and OSError when the disk refuses.
    """
    if form in (Format.CSV, Format.JSONL):
        if path.is_dir():
            raise CannotWrite(f"{path} is a folder: {form} is one file, such as {path / f'articles.{form}'}.")
        text = table.write(articles) if form is Format.CSV else jsonl.write(articles)
        _write(path, text, "utf-8-sig" if form is Format.CSV else "utf-8")
        return [path]
    render, suffix = (markdown.write, ".md") if form is Format.MARKDOWN else (webpage.write, ".html")
    if SUFFIXES.get(path.suffix.lower()) is form and not path.is_dir():
        if len(articles) != 1:
            raise CannotWrite(f"{path}: {form} holds one article a file, these are {len(articles)}: name a folder.")
        _write(path, render(articles[0]), "utf-8")
        return [path]
    return _write_folder({name: render(a) for name, a in _named(articles, suffix).items()}, path)


def _write_folder(texts: dict[str, str], folder: Path) -> list[Path]:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CannotWrite(f"{folder} is there already and not empty: name a new folder.")
    written = [folder / name for name in texts]
    for file, text in zip(written, texts.values(), strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, text, "utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    return written


def _write(file: Path, text: str, encoding: str) -> None:
    """Whole or not at all."""
    new = file.with_name(f".{file.name}.new")
    try:
        new.write_text(text, encoding=encoding, newline="")
        os.replace(new, file)
    finally:
        new.unlink(missing_ok=True)


def _named(articles: Sequence[Article], suffix: str) -> dict[str, Article]:
    """Articles by file name, no two names alike even where case does not count."""
    found: dict[str, Article] = {}
    taken: set[str] = set()
    for article in articles:
        stem = re.sub(r"[^\w.-]", "_", article.id)[:MAX_NAME].strip(".") or "article"
        name, count = f"{article.language}/{stem}{suffix}", 1
        while name.casefold() in taken:
            count += 1
            name = f"{article.language}/{stem}~{count}{suffix}"
        taken.add(name.casefold())
        found[name] = article
    return found
