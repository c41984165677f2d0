"""What was learnt from people, put to the knowledge base of today: `deskbell eval --feedback`.

Called by `bot.cli_eval_run`, so that an edit which breaks what people confirmed is seen before they see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from triage.learning import POSITIVE, Case, CaseKind, standing
from triage.matching import Match, Matcher, Verdict

_WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One case and what the matcher makes of it now; `before` and `now` say whether that was, is right."""

    case: Case
    before: bool
    now: bool
    decision: Verdict
    top: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """One line of `--out`, which a later run takes as `--before`."""
        return {
            "id": self.case.id,
            "text": self.case.text,
            "article": self.case.article,
            "kind": str(self.case.kind),
            "right": self.now,
            "decision": str(self.decision),
            "top3": list(self.top),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """All cases that stand, in their order."""

    cases: tuple[Replayed, ...]

    @property
    def broken(self) -> tuple[Replayed, ...]:
        """Right before, wrong now."""
        return tuple(each for each in self.cases if each.before and not each.now)

    @property
    def mended(self) -> tuple[Replayed, ...]:
        """Wrong before, right now."""
        return tuple(each for each in self.cases if each.now and not each.before)

    def as_json(self) -> dict[str, Any]:
        return {
            "cases": len(self.cases),
            "right_before": sum(each.before for each in self.cases),
            "right_now": sum(each.now for each in self.cases),
            "broken": [each.as_json() for each in self.broken],
            "mended": [each.as_json() for each in self.mended],
        }

    def as_text(self) -> str:
        """The counts, then every case whose outcome changed, the broken ones last, where they are seen."""
        right = sum(each.now for each in self.cases)
        lines = [f"{len(self.cases)} cases, {right} right now; {len(self.mended)} mended, {len(self.broken)} broken"]
        lines += [f"  mended: {_told(each)}" for each in self.mended]
        lines += [f"  BROKEN: {_told(each)}" for each in self.broken]
        return "\n".join(lines)


def replay(cases: Iterable[Case], matcher_of: Callable[[str], Matcher], before: Mapping[str, bool]) -> Replay:
    """Put every case that stands to the matcher of its audience.

    `before` says by the id of a case whether an earlier replay found it right. Where it does not say, what
    people did tells: only an answer that was confirmed was right then.
    """
    return Replay(cases=tuple(_replayed(each, matcher_of(each.audience), before) for each in standing(cases)))


def _replayed(case: Case, matcher: Matcher, before: Mapping[str, bool]) -> Replayed:
    match = matcher.match(case.text)
    return Replayed(
        case=case,
        before=before.get(case.id, case.kind is CaseKind.CONFIRMED),
        now=_right(case, match),
        decision=match.verdict,
        top=tuple(candidate.article.id for candidate in match.top),
    )


def _right(case: Case, match: Match) -> bool:
    """An article that helped is answered or suggested; one that did not is not answered."""
    answered = match.best.article.id if match.best and match.verdict is Verdict.ANSWER else None
    if case.kind not in POSITIVE:
        return answered is None if case.article is None else answered != case.article
    suggested = {c.article.id for c in match.top} if match.verdict is Verdict.SUGGEST else set()
    return case.article == answered or case.article in suggested


def _told(each: Replayed) -> str:
    text = " ".join(each.case.text.split())
    short = text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
    wanted = each.case.article if each.case.kind in POSITIVE else f"not {each.case.article or 'answered'}"
    return f"{short!r}: wanted {wanted}, now {each.decision} {', '.join(each.top)}"
