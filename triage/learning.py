"""What people's presses and agents' work teach: labelled cases, proposals to an article's owner, figures of a day.

A case is a question with the article that answers it, or does not, as somebody said. `triage.proposing`
makes cases and proposals in a turn, storage keeps them, `labelled` turns cases into what a matcher is
calibrated with and what `deskbell eval --feedback` replays. Nothing is ever learnt from restricted teams,
strangers or texts with personal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from rapidfuzz import fuzz, process

from triage.knowledge import Article
from triage.matching import Labelled, Verdict
from triage.model import Language
from triage.text import normalise

MAX_PHRASING = 300
"""Characters of a question that may become a phrasing."""

MAX_CASE = 4_000
"""Characters of a question that is kept as a case."""

SAME = 92
"""Likeness, 0-100, from which two texts count as the same phrasing."""

ALIKE = 60
"""Likeness of the raw texts from which it is worth looking closer."""

PROPOSALS_A_DAY = 5
"""So many proposals one person gets in 24 hours; the others wait for the next morning."""

_PERSONAL = re.compile(r"@|＠|\d{6,}|\d(?:[\s().,/·-]*\d){6,}")
"""Mail addresses and mentions, long numbers, telephone numbers."""


class CaseKind(StrEnum):
    """`CONTRADICTED` and `CORRECTED` say that the article is not the answer, `NONE_OF_THESE` that no article is."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    LINKED = "linked"
    CORRECTED = "corrected"
    NONE_OF_THESE = "none_of_these"


POSITIVE = frozenset({CaseKind.CONFIRMED, CaseKind.LINKED})
BY_AGENTS = frozenset({CaseKind.LINKED, CaseKind.CORRECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question and what somebody said of an article as its answer; see `case`.

    `person` is the id of whoever said so, `ticket` the id of the ticket it was about, `audience` who may
    read the article (and so what matcher may be calibrated with it); empty when that was not kept.
    """

    id: str
    at: datetime
    text: str
    article: str | None
    kind: CaseKind
    person: str
    ticket: str | None = None
    audience: str = "company"


def case(
    *,
    at: datetime,
    text: str,
    article: str | None,
    kind: CaseKind,
    person: str,
    ticket: str | None = None,
    audience: str = "company",
) -> Case:
    """A case whose id is the same whenever the same person says the same of the same question, and ticket."""
    id = digest(person, normalise(text), article or "", kind, *([ticket] if ticket else []))
    return Case(id=id, at=at, text=text, article=article, kind=kind, person=person, ticket=ticket, audience=audience)


def labelled(cases: Iterable[Case], audience: frozenset[str] | None = None) -> list[Labelled]:
    """One labelled question for each case that stands; None where nobody named an article that answers it.

    With `audience` only cases about articles that these audiences may read take part.
    """
    known = (each for each in cases if audience is None or each.audience in audience)
    return [
        Labelled(text=each.text, article=each.article if each.kind in POSITIVE else None) for each in standing(known)
    ]


def standing(cases: Iterable[Case]) -> list[Case]:
    """Of several cases about one text the one that counts: an agent's before a requester's, then the newest."""
    best: dict[str, Case] = {}
    for each in _not_taken_back(cases):
        text = normalise(each.text)
        if text and (text not in best or _weight(each) >= _weight(best[text])):
            best[text] = each
    return list(best.values())


def said_by_agents(cases: Iterable[Case], requester: str) -> list[Case]:
    """Of one ticket's cases what agents said and did not take back, in order: which article answers it, or that
    none does. The last one is what is in force."""
    return [
        each
        for each in _not_taken_back(cases)
        if each.kind is CaseKind.LINKED or (each.kind is CaseKind.NONE_OF_THESE and each.person != requester)
    ]


def _not_taken_back(cases: Iterable[Case]) -> list[Case]:
    """In order of time, without the links that were corrected later."""
    kept: list[Case] = []
    for each in sorted(cases, key=lambda each: each.at):
        if each.kind is CaseKind.CORRECTED:
            kept = [before for before in kept if not _is_link_of(each, before)]
        kept.append(each)
    return kept


def _is_link_of(correction: Case, before: Case) -> bool:
    same = before.article == correction.article and normalise(before.text) == normalise(correction.text)
    return same and before.kind is CaseKind.LINKED


def _weight(each: Case) -> tuple[bool, bool]:
    return each.kind is CaseKind.LINKED, each.kind in BY_AGENTS


# --- proposals ---------------------------------------------------------------------------------
class ProposalKind(StrEnum):
    """`PHRASING` adds the question to an article, `AGAINST` as one that it does not answer, `ARTICLE` is a new one."""

    PHRASING = "phrasing"
    AGAINST = "against"
    ARTICLE = "article"


class ProposalState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What could be added to the knowledge base, put to one person.

    `article` and `title` name the article (for a new one those it would get), `text` is the question that
    becomes its phrasing, `body` the text of a new article. `team` is the team whose conversation it comes
    from. `offered_at` is None while it waits for a day on which fewer were offered.
    """

    id: str
    kind: ProposalKind
    article: str
    title: str
    text: str
    body: str = ""
    language: Language
    team: str
    person: str
    ticket: str | None = None
    made_at: datetime
    offered_at: datetime | None = None
    state: ProposalState = ProposalState.WAITING
    settled_by: str | None = None
    settled_at: datetime | None = None


def proposal_id(kind: ProposalKind, article: str, text: str) -> str:
    """Equal proposals have equal ids, so that one is made once, whoever gives rise to it."""
    return digest(kind, article, normalise(text))


def is_personal(text: str) -> bool:
    """Whether the text may name or number somebody: mail addresses, mentions, telephone and other long numbers."""
    return _PERSONAL.search(text) is not None


def may_be_phrasing(text: str) -> bool:
    """Whether the text may stand in the knowledge base: short, with words in it, and nobody's data."""
    return len(text) <= MAX_PHRASING and bool(normalise(text)) and not is_personal(text)


def may_be_case(text: str) -> bool:
    return len(text) <= MAX_CASE and bool(normalise(text)) and not is_personal(text)


def nearly_equal(text: str, others: Sequence[str]) -> bool:
    """Whether one of the others says nearly the same."""
    wanted = normalise(text)
    near = process.extract_iter(text.casefold(), others, processor=str.casefold, score_cutoff=ALIKE)
    return any(fuzz.ratio(wanted, normalise(other)) >= SAME for other, _, _ in near)


def known_to(article: Article, text: str, kind: ProposalKind) -> bool:
    """Whether the article has this phrasing already, among those for it or those against it."""
    known = article.against if kind is ProposalKind.AGAINST else (article.title, *article.phrasings)
    return nearly_equal(text, known)


def digest(*parts: str) -> str:
    """A short name for these words, the same on every machine."""
    return sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:20]


# --- figures -----------------------------------------------------------------------------------
class Event(StrEnum):
    """What is counted, without anybody's words."""

    ANSWER = "answer"
    SUGGEST = "suggest"
    TICKET = "ticket"
    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"


ASKED = {Verdict.ANSWER: Event.ANSWER, Verdict.SUGGEST: Event.SUGGEST, Verdict.TICKET: Event.TICKET}
"""The events that are a question each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One team's day. `opened` counts tickets, `waiting` proposals not settled yet."""

    asked: int = 0
    answered: int = 0
    confirmed: int = 0
    contradicted: int = 0
    opened: int = 0
    waiting: int = 0

    @property
    def eventful(self) -> bool:
        """Whether anybody asked, or said something of an answer."""
        return any((self.asked, self.confirmed, self.contradicted))


# --- the trade-off -----------------------------------------------------------------------------
ENOUGH = 20
"""Cases from which a trade-off is worth showing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a threshold would make of the cases: the share answered, and of those the share right (0-1)."""

    threshold: float
    coverage: float
    precision: float | None


def trade_off(scored: Sequence[tuple[float, bool]], thresholds: Iterable[float]) -> tuple[Point, ...]:
    """The curve over cases, each with the confidence of its best article and whether that is the right one."""
    return tuple(_point(scored, threshold) for threshold in sorted(set(thresholds)))


def _point(scored: Sequence[tuple[float, bool]], threshold: float) -> Point:
    answered = [right for confidence, right in scored if confidence >= threshold]
    precision = sum(answered) / len(answered) if answered else None
    return Point(threshold=threshold, coverage=len(answered) / len(scored) if scored else 0.0, precision=precision)
