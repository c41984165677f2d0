"""`deskbell ask`: what the desk would do with one message, and why. Stores nothing.

The JSON form is a public contract (DESIGN.md, section 7). Called by `bot.cli`.
"""

from __future__ import annotations

from typing import Any

from bot.knowing import EMPLOYEE, Knowing
from triage.matching import Match, Verdict
from triage.model import Language
from triage.phrases import spoken
from triage.policy import Policy
from triage.text import is_small_talk

DIGITS = 4


def explain(text: str, knowing: Knowing, policy: Policy, *, team: str | None, language: Language | None) -> Match:
    """The decision on a message as any employee would get it, in `team`'s help channel if given.

    What only a team may read leaves no trace in it.
    """
    match = knowing.matcher(EMPLOYEE).match(text)
    verdict = Verdict.IGNORE if not text.strip() or is_small_talk(text) else match.verdict
    return Match(
        verdict=verdict,
        language=language or match.language,
        top=match.top,
        answer=match.answer,
        suggest=match.suggest,
        team=team or match.team or next(iter(policy.teams), None),
        reasons=tuple(spoken(reason, language or match.language) for reason in match.reasons),
        parts=match.parts,
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
    lines = [f"{match.verdict}  (team {team}, language {match.language}, answers from {match.answer:.2f} up)"]
    lines += [f"  {c.confidence:.2f}  {c.article.id}  {c.article.title}" for c in match.top]
    return "\n".join([*lines, *(f"  because: {reason}" for reason in match.reasons)])
