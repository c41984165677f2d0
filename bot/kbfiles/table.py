"""CSV: one article a row, as people keep it in a spreadsheet.

Called by `bot.kbfiles.reading` and `bot.kbfiles.writing`. Cells that a spreadsheet would run as a formula
are written with an apostrophe before them, which is taken off when they are read.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bot.kbfiles.form import FIELDS, MAX_TOLD, REQUIRED, Defaults, Page, Read, fields, page
from bot.kbfiles.textfile import MAX_BYTES
from bot.yamlfile import Problem, Source, Tree, did_you_mean
from triage.knowledge import Article

SEPARATORS = {"phrasings": "|", "against": "|", "tags": "|,"}
"""What parts the entries of a cell without line breaks; the first that occurs counts."""

_GUARDED = re.compile(r"'*[=+\-@\t＝＋－＠]")
_DELIMITERS = ",;\t"
_Row = tuple[int, list[str]]

csv.field_size_limit(MAX_BYTES)  # of the whole process; the default refuses 128 KB, a few thousand phrasings


def read(text: str, file: Path, defaults: Defaults) -> Read:
    """The articles of a file's text, and what is wrong with it; any order of columns, `,` `;` or tab between."""
    rows = _rows(text, file)
    first = next(rows, None)
    if first is None:
        return [], [Problem(file=file, line=1, message="is empty: the first row names the columns")]
    if isinstance(first, Problem):
        return [], [first]
    columns = [name.strip().lower() for name in first[1]]
    problems = [Problem(file=file, line=first[0], message=m) for m in _wrong_columns(columns, defaults)]
    pages: list[Page] = []
    for row in rows if not problems else ():
        found, said = (None, [row]) if isinstance(row, Problem) else _page(row, columns, file, defaults)
        pages += [found] if found else []
        problems += said
        if len(problems) > MAX_TOLD:
            break
    return pages, problems


def write(articles: Iterable[Article]) -> str:
    """The text of a file of these articles."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(FIELDS)
    for article in articles:
        given = fields(article)
        writer.writerow(_guard(_cell(column, given.get(column, ""))) for column in FIELDS)
    return written.getvalue()


def entries(cell: str, separators: str) -> list[str]:
    """What a cell lists: a JSON list, else one entry a line, else parted by a separator."""
    if (listed := _json(cell)) is not None:
        return listed
    separator = "\n" if "\n" in cell else next((sign for sign in separators if sign in cell), "\n")
    return [entry.strip() for entry in cell.split(separator) if entry.strip()]


def listing(items: Sequence[str], separators: str) -> str:
    """A cell that lists these, in the plainest way that reads back the same."""
    plain = ("\n" if len(separators) == 1 else ", ").join(items)
    return plain if entries(plain, separators) == list(items) else json.dumps(items, ensure_ascii=False)


def _json(cell: str) -> list[str] | None:
    if not cell.startswith("["):
        return None
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    is_list = isinstance(found, list) and all(isinstance(entry, str) for entry in found)
    return found if is_list else None


def _cell(column: str, value: object) -> str:
    return listing(value, SEPARATORS[column]) if isinstance(value, list) else str(value)


def _guard(cell: str) -> str:
    return f"'{cell}" if _GUARDED.match(cell) else cell


def _unguard(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _GUARDED.match(cell) else cell


def _rows(text: str, file: Path) -> Iterator[_Row | Problem]:
    """Rows that are not blank, each with the line on which it begins; ends with what cannot be read."""
    lines = text.split("\n")
    skipped = 1 if lines[0].lower().startswith("sep=") else 0
    body = [f"{line}\n" for line in lines[skipped:]]
    reader = csv.reader(body, delimiter=_delimiter(body), strict=True)
    start = skipped + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, [_unguard(cell) for cell in cells]
            start = skipped + reader.line_num + 1
    except csv.Error as error:
        message = f"the row that begins here cannot be read: {_explained(str(error))}"
        yield Problem(file=file, line=start, message=message)


def _explained(error: str) -> str:
    if "unexpected end" in error:
        return "a quotation mark is opened and never closed"
    if "expected after" in error:
        return 'text follows a closing quotation mark; inside quotes write " twice'
    return error


def _delimiter(lines: Sequence[str]) -> str:
    """The one that finds the most known columns in the first row."""
    header = next((line for line in lines if line.strip(_DELIMITERS + " \n")), "")

    def known(delimiter: str) -> int:
        names = {name.strip(' "\n').lower() for name in header.split(delimiter)}
        return len(names.intersection(FIELDS))

    return max(_DELIMITERS, key=known)


def _wrong_columns(columns: Sequence[str], defaults: Defaults) -> Iterator[str]:
    for name in dict.fromkeys(columns):
        if name and name not in FIELDS:
            yield f"unknown column '{name}': {did_you_mean(name, FIELDS)}"
        elif name and columns.count(name) > 1:
            yield f"the column '{name}' is here twice; keep one"
    for name in REQUIRED:
        if name not in columns and not getattr(defaults, name, None):
            yield f"has no column '{name}'"


def _page(row: _Row, columns: Sequence[str], file: Path, defaults: Defaults) -> tuple[Page | None, list[Problem]]:
    line, cells = row
    source = Source(file=file, lines={(): line})
    if any(cell.strip() for cell in cells[len(columns) :]):
        message = f"has {len(cells)} cells for {len(columns)} columns: put cells with a delimiter in quotation marks"
        return None, [source.problem((), message)]
    data: dict[str, Tree] = {}
    for name, cell in zip(columns, cells, strict=False):
        if not name and cell.strip():
            return None, [source.problem((), f"the cell '{cell[:40]}' is in a column without a name")]
        if cell.strip():
            data[name] = _value(name, cell)
    defaults.fill(data)
    return page(Source(file=file, data=data, lines=source.lines))


def _value(column: str, cell: str) -> Tree:
    if column in SEPARATORS:
        return [*entries(cell, SEPARATORS[column])]
    return cell if column == "body" else cell.strip()
