"""A message that asks several things: each is answered, or named as open. Called by `triage.asking`."""

from __future__ import annotations

from triage.casework import shortened
from triage.matching import Match, Verdict
from triage.model import Language
from triage.outgoing import Answer, Answers, Section
from triage.phrases import noted
from triage.turn import Turn

MAX_QUESTION = 300
"""Characters of a question that are repeated above its answer."""


def answers(turn: Turn, parts: tuple[Match, ...], language: Language) -> Answers:
    return Answers(sections=tuple(_section(turn, part, language) for part in parts))


def verdict(parts: tuple[Match, ...]) -> Verdict:
    """An answer when nothing is left open."""
    return Verdict.ANSWER if all(part.verdict is Verdict.ANSWER for part in parts) else Verdict.SUGGEST


def reasons(parts: tuple[Match, ...], language: Language) -> tuple[str, ...]:
    """The reasons for each part, below the question that they are about."""
    return tuple(reason for part in parts for reason in (_heading(part, language), *part.reasons))


def _heading(part: Match, language: Language) -> str:
    return noted("reason.part", language, {"question": shortened(part.text, MAX_QUESTION)})


def _section(turn: Turn, part: Match, language: Language) -> Section:
    found = [turn.situation.kb.article(candidate.article.id, language) for candidate in part.top]
    articles = [article for article in found if article is not None]
    question = shortened(part.text, MAX_QUESTION)
    if part.verdict is Verdict.ANSWER and articles:
        best = articles[0]
        team = turn.policy.teams.get(best.team)
        return Section(
            question=question,
            answer=Answer(
                article=best.id,
                title=best.title,
                body=best.body,
                team=team.name if team else best.team,
                confirm=False,
            ),
        )
    near = articles if part.verdict is Verdict.SUGGEST else []
    return Section(question=question, near=tuple((article.id, article.title) for article in near))
