"""`deskbell ask`: what the desk would do with one message, and why. Stores nothing.

The JSON form is a public contract (DESIGN.md, section 7). Called by `bot.cli`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.knowing import EMPLOYEE, Knowing
from triage import several
from triage.matching import Candidate, Match, Verdict
from triage.model import Language
from triage.phrases import noted, spoken
from triage.policy import Policy
from triage.text import is_small_talk

DIGITS = 4
MAX_TOP = 3


def explain(text: str, knowing: Knowing, policy: Policy, *, team: str | None, language: Language | None) -> Match:
    """The decision on a message as any employee would get it, in `team`'s help channel if given.

    What only a team may read leaves no trace in it.
    """
    match = knowing.matcher(EMPLOYEE).match(text)
    if not text.strip():
        match = replace(_ignored(match, "reason.blank"), top=())
    elif is_small_talk(text):
        match = _ignored(match, "reason.ignore")
    elif match.parts:
        match = _of_several(match)
    return _told(match, policy, team, language or match.language)


def _ignored(match: Match, reason: str) -> Match:
    """Whatever is near to it, as the desk does."""
    reasons = tuple(noted(key, match.language) for key in (reason, "reason.otherwise.ignore"))
    return replace(match, verdict=Verdict.IGNORE, reasons=reasons, parts=())


def _of_several(match: Match) -> Match:
    """What the parts come to: the best article of each, the surest first."""
    found = sorted((part.best for part in match.parts if part.best), key=lambda best: -best.confidence)
    top: dict[str, Candidate] = {}
    for best in found:
        top.setdefault(best.article.id, best)
    return replace(
        match,
        verdict=several.verdict(match.parts),
        top=tuple(top.values())[:MAX_TOP],
        reasons=several.reasons(match.parts, match.language),
    )


def _told(match: Match, policy: Policy, team: str | None, language: Language) -> Match:
    """The same for the message and each of its questions, with sentences for reasons."""
    return replace(
        match,
        language=language,
        team=team or match.team or next(iter(policy.teams), None),
        reasons=tuple(spoken(reason, language) for reason in match.reasons),
        parts=tuple(_told(part, policy, team, language) for part in match.parts),
    )


def as_json(match: Match) -> dict[str, Any]:
    """`deskbell ask --json`, one object."""
    best = match.best
    answered = match.verdict is Verdict.ANSWER
    return {
        "decision": str(match.verdict),
        "article": best.article.id if best and answered else None,
        "confidence": round(best.confidence, DIGITS) if best else 0.0,
        "threshold": round(match.answer, DIGITS),
        "top3": [{"article": c.article.id, "confidence": round(c.confidence, DIGITS)} for c in match.top],
        "team": match.team,
        "lang": str(match.language),
        "reasons": list(match.reasons),
        "parts": [as_json(part) for part in match.parts],
    }


def as_text(match: Match, policy: Policy) -> str:
    """The same for people."""
    team = policy.teams[match.team].name if match.team and match.team in policy.teams else "-"
    head = f"{match.verdict}  (team {team}, language {match.language}, answers from {match.answer:.2f} up)"
    if not match.parts:
        return "\n".join([head, *_details(match)])
    asked = [line for part in match.parts for line in (f"“{part.text}”: {part.verdict}", *_details(part))]
    return "\n".join([f"{head}, {len(match.parts)} questions:", *asked])


def _details(match: Match) -> list[str]:
    candidates = [f"  {c.confidence:.2f}  {c.article.id}  {c.article.title}" for c in match.top]
    return [*candidates, *(f"  because: {reason}" for reason in match.reasons)]
