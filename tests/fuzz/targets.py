"""One entry point for each parser of outside input. Anything that one raises is a defect.

`tests.fuzz` imports this module instrumented, so that the fuzzer sees which branches an input took.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from bot.kbfiles import jsonl, markdown, table, webpage
from bot.kbfiles.form import Defaults, Read, abridged
from bot.kbfiles.reading import read_file
from tests.unit.match_cases import DESK, matcher
from triage.knowledge import Article
from triage.matching import Match, Verdict
from triage.model import Language
from triage.questions import questions
from triage.text import MAX_TEXT, is_small_talk, language_of, normalise, sentences, words

DEFAULTS = Defaults(team="it", audience="company")
_MATCHER = matcher(*DESK)

SEED = Article(
    id="vpn-drops",
    title="VPN 끊김",
    body="# Restart\n\n1. *It* is [here](https://example.com/a)\n\n| a | b |\n|---|---|\n| `c` | d |",
    phrasings=("my vpn | drops", "=vpn", "VPN 一直斷線"),
    against=("vpn price",),
    language=Language.KO,
    team="it",
    audience="team:it",
    tags=("network", "a, b"),
    owner="lee",
    review=date(2027, 2, 15),
    version=3,
)
"""Every field filled, with what a format must escape."""
SAID = (
    "my vpn drops, and how do I book holiday?",
    "안녕하세요! VPN이 자꾸 끊겨요. 출입증도 잃어버렸는데 어떻게 하나요?",
    "VPN 一直斷線。請問怎麼請假？",
    "> quoted\n@kim see https://example.com :+1: 👍\n```\nTraceback\n```\nmy bagde is lost\n-- \nKim",
    "thanks!",
)


def read_markdown(text: str) -> None:
    """Front matter and text; written and read again it is the same article."""
    for article in _read(text, "a.md"):
        assert _read(markdown.write(article), "a.md") == [article]


def read_table(text: str) -> None:
    """CSV, the same."""
    articles = _read(text, "a.csv")
    assert not articles or _read(table.write(articles), "a.csv") == articles


def read_lines(text: str) -> None:
    """JSONL, the same."""
    articles = _read(text, "a.jsonl")
    assert not articles or _read(jsonl.write(articles), "a.jsonl") == articles


def read_webpage(text: str) -> None:
    """HTML, of which the text may change its spelling."""
    for article in _read(text, "a.html"):
        (again,) = _read(webpage.write(article), "a.html")
        assert (again.id, again.language, again.audience) == (article.id, article.language, article.audience)


def read_message(text: str) -> None:
    """What the matcher reads of a message."""
    normal = normalise(text)
    assert len(normal) <= MAX_TEXT
    assert all(sentence.strip() for sentence in sentences(normal))
    assert all(words(normal))
    language_of(text), is_small_talk(text), questions(text)


def match_message(text: str) -> None:
    """A decision with its reasons for whatever is written."""
    match = _MATCHER.match(text)
    for each in (match, *match.parts):
        _check(each)


def _check(match: Match) -> None:
    shares = [candidate.confidence for candidate in match.top]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share <= 1 for share in shares)
    assert match.verdict is not Verdict.ANSWER or shares


def _read(text: str, name: str) -> Sequence[Article]:
    """The articles of a file; of one with an error none, and why is told in sentences that can be printed."""
    found: Read = read_file(text, Path(name), DEFAULTS)
    pages, problems = found
    assert all(problem.message.isprintable() for problem in abridged(problems))
    return [page.article for page in pages]


TARGETS: dict[str, tuple[Callable[[str], None], Sequence[str]]] = {
    "markdown": (read_markdown, [markdown.write(SEED)]),
    "csv": (read_table, [table.write([SEED])]),
    "jsonl": (read_lines, [jsonl.write([SEED])]),
    "html": (read_webpage, [webpage.write(SEED)]),
    "text": (read_message, SAID),
    "matcher": (match_message, SAID),
}
"""By the name that `make fuzz` gives them; each with texts to start from."""
