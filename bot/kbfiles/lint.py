"""What `deskbell kb lint` says of articles that are sound and yet hard to find, each thing at its line.

Called by `bot.cli_kb_run`; `triage.shadows` finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.forms import named
from bot.kbfiles.form import Page, abridged
from bot.kbfiles.reading import Reading
from bot.yamlfile import Problem, Severity, Where
from triage.shadows import CROWD, Confusion, Finding, Key, Kind, findings

_QUOTE = 80
"""Characters of a phrasing that are quoted."""

_SENTENCES = {
    Kind.EMPTY: "there is no article: every question becomes a ticket",
    Kind.ALONE: "is the only article: there is nothing to tell its questions from",
    Kind.COPY: "says the same as {other}: keep one of them",
    Kind.UNTRANSLATED: "is word for word its version in {language}: translate it, or remove it",
    Kind.SHARED: "'{phrasing}' is a phrasing of {other} too{more}: keep it where it is answered",
    Kind.NEAR: "'{phrasing}' is nearly '{theirs}' of {other}{more}: say what tells them apart",
    Kind.CONFUSED: "'{phrasing}' is answered by {other}{more}: add phrasings that tell the two apart",
    Kind.REPEATED: "'{phrasing}' is here {count:,} times: once is enough",
    Kind.CROWDED: f"{{count:,}} of them: more than {CROWD:,} only crowd out the rest: keep those that differ most",
    Kind.WORDLESS: "'{phrasing}' has no words that it could be found by{more}",
    Kind.CONTRADICTED: "'{phrasing}' stands under against as well: keep it in one of the two",
}
_OF_PHRASINGS = frozenset(Kind) - {Kind.EMPTY, Kind.ALONE, Kind.COPY, Kind.UNTRANSLATED}


def lint(reading: Reading, path: Path, confusions: Sequence[Confusion] = ()) -> list[Problem]:
    """Everything that was wrong with the files, and what keeps their articles from being found; by file and line.

    `confusions` are phrasings that the matcher, not knowing them, gave to another article.
    """
    pages = {(page.article.id, page.article.language): page for page in reading.pages}
    found = [_problem(finding, pages, path) for finding in findings(reading.kb, confusions)]
    by_file: dict[Path, list[Problem]] = {}
    for problem in sorted([*reading.problems, *found], key=lambda problem: (str(problem.file), problem.line)):
        by_file.setdefault(problem.file, []).append(problem)
    return [problem for of_file in by_file.values() for problem in abridged(of_file)]


def _problem(finding: Finding, pages: dict[Key, Page], path: Path) -> Problem:
    sentence = _SENTENCES[finding.kind].format(
        other=_other(finding, pages),
        language=finding.other[1] if finding.other else "",
        phrasing=_quoted(finding.phrasing),
        theirs=_quoted(finding.theirs),
        more=f" (and {finding.count - 1:,} more)" if finding.count > 1 else "",
        count=finding.count,
    )
    if finding.article is None:
        return Problem(file=path, line=1, message=sentence, severity=Severity.WARNING)
    page = pages[finding.article]
    where = _where(finding, page)
    return page.source.problem(where, named((where[0], page.article.id), sentence), Severity.WARNING)


def _where(finding: Finding, page: Page) -> Where:
    if finding.kind not in _OF_PHRASINGS:
        return ("id",)
    asked = page.article.phrasings
    return ("phrasings", asked.index(finding.phrasing)) if finding.phrasing in asked else ("phrasings",)


def _other(finding: Finding, pages: dict[Key, Page]) -> str:
    if finding.other is None or finding.article is None:
        return "another article"
    here, there = pages[finding.article].source.file, pages[finding.other]
    return f"'{finding.other[0]}'" if there.source.file == here else f"'{finding.other[0]}' ({there.source.file})"


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _QUOTE else f"{line[:_QUOTE]}…"
