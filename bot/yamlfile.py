"""YAML that people write by hand: read with line numbers, every scalar as text.

Scalars stay text so that `NO` stays Norway and `2026-12-25` stays what was written; what a value means
is decided by whoever asked for it. Called by `bot.deskfile` and `bot.kb`. Nothing here raises because
of what stands in a file: everything wrong comes back as a `Problem` with its line.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

Tree = str | list["Tree"] | dict[str, "Tree"]
Where = tuple[str | int, ...]
"""A way into a tree: keys of mappings, positions in lists."""

MAX_NODES = 200_000
"""Values in one file; aliases that multiply past it are refused."""

MAX_DEPTH = 60


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in one file; `str()` is `file:line: message`."""

    file: Path
    line: int
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        word = "warning: " if self.severity is Severity.WARNING else ""
        return f"{self.file}:{self.line}: {word}{self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a file says, and on which line it says it."""

    file: Path
    data: Tree | None = None
    lines: Mapping[Where, int] = field(default_factory=dict)

    def line(self, where: Where) -> int:
        """The line of the value, or of the nearest thing around it that has one."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def problem(self, where: Where, message: str, severity: Severity = Severity.ERROR) -> Problem:
        return Problem(file=self.file, line=self.line(where), message=message, severity=severity)


def has_errors(problems: Iterable[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)


def read_text(file: Path) -> str | Problem:
    """The file's text with `\\n` line ends, or why it cannot be read."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        return Problem(file=file, line=1, message=f"cannot be read: {(error.strerror or str(error)).lower()}")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Problem(file=file, line=line, message="is not UTF-8 text: save the file in UTF-8")


def parse(text: str, file: Path, *, first_line: int = 1) -> tuple[Source, list[Problem]]:
    """Read one YAML document; `data` is None when it is empty or cannot be read at all.

    `first_line` is the line of the file on which `text` begins. Keys without a value are left out.
    """
    try:
        root = _compose(text)
    except (YAMLError, RecursionError, ValueError, OverflowError) as error:
        problem = Problem(file=file, line=_line_of(error, text) + first_line, message=_explain(error))
        return Source(file=file), [problem]
    reader = _Reader(file, first_line)
    data = None if root is None or _is_null(root) else reader.tree(root, ())
    return Source(file=file, data=data, lines=reader.lines), reader.problems


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the nearest known one, else what is allowed."""
    allowed = list(known)
    near = get_close_matches(word, allowed, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"allowed: {', '.join(allowed)}" if allowed else "none is defined"


def _compose(text: str) -> Node | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
    return root


def _line_of(error: Exception, text: str) -> int:
    """The line of a syntax error, counted from 0."""
    if isinstance(error, MarkedYAMLError):
        unclosed = error.problem and "end of stream" in error.problem
        mark = (error.context_mark if unclosed else None) or error.problem_mark or error.context_mark
        return int(mark.line) if mark else 0
    if isinstance(error, ReaderError) and isinstance(error.position, int):
        return text.count("\n", 0, error.position)
    return 0


def _explain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "not valid YAML: it is nested too deeply"
    if isinstance(error, ReaderError):
        return "not valid YAML: a character that is not allowed here; remove it"
    if isinstance(error, MarkedYAMLError):
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        hint = "; indent with spaces, not tabs" if "'\\t'" in reason else ""
        return f"not valid YAML: {reason}{hint}"
    return f"not valid YAML: {error}"


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.style is None and node.value in ("", "~", "null")


class _Reader:
    """One walk over the nodes of a document, gathering lines and problems."""

    def __init__(self, file: Path, first_line: int):
        self.file = file
        self.first_line = first_line
        self.lines: dict[Where, int] = {}
        self.problems: list[Problem] = []
        self._open: set[int] = set()
        self._seen = 0

    def tree(self, node: Node, where: Where) -> Tree:
        self.lines.setdefault(where, self._line(node))
        self._seen += 1
        if id(node) in self._open:
            return self._refuse(node, "an alias (*name) stands inside the value it repeats", "")
        if len(where) > MAX_DEPTH:
            return self._refuse(node, "the file is nested too deeply", "")
        if self._seen > MAX_NODES:
            return self._refuse(node, "the file repeats itself too often through aliases (*name)", "")
        self._open.add(id(node))
        try:
            return self._value(node, where)
        finally:
            self._open.discard(id(node))

    def _value(self, node: Node, where: Where) -> Tree:
        if isinstance(node, MappingNode):
            return self._mapping(node, where)
        if isinstance(node, SequenceNode):
            return [self.tree(item, (*where, index)) for index, item in enumerate(node.value)]
        return "" if _is_null(node) else str(node.value)

    def _mapping(self, node: MappingNode, where: Where) -> Tree:
        found: dict[str, Tree] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._refuse(key, "a key must be a single word, not a list or a mapping", "")
                continue
            name = str(key.value)
            if (*where, name) in self.lines:
                first = self.lines[*where, name]
                self._refuse(key, f"the key '{name}' is here twice (first on line {first}); keep one", "")
                continue
            self.lines[*where, name] = self._line(key)
            if not _is_null(value):
                found[name] = self.tree(value, (*where, name))
        return found

    def _refuse(self, node: Node, message: str, value: Tree) -> Tree:
        if not self.problems or self.problems[-1].message != message:
            self.problems.append(Problem(file=self.file, line=self._line(node), message=message))
        return value

    def _line(self, node: Node) -> int:
        return int(node.start_mark.line) + self.first_line
