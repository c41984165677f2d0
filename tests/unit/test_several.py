"""The reply to a message that asks several things."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import KB, MAIL, NOW, POLICY, VPN, match, message, situation
from triage.knowledge import KnowledgeBase
from triage.matching import Match, Verdict
from triage.model import Language
from triage.outgoing import Section
from triage.phrases import spoken
from triage.several import MAX_QUESTION, answers, reasons, verdict
from triage.turn import Turn

ANSWER = replace(match(Verdict.ANSWER, VPN), text="the vpn drops?")
SUGGEST = replace(match(Verdict.SUGGEST, MAIL, VPN), text="my mail?")
TICKET = replace(match(Verdict.TICKET, MAIL), text="the lamp?")


def sections(*parts: Match, kb: KnowledgeBase = KB) -> tuple[Section, ...]:
    turn = Turn(message=message(), situation=replace(situation(), kb=kb), match=None, policy=POLICY, now=NOW)
    return answers(turn, parts, Language.EN).sections


def test_a_known_question_is_answered_with_its_article() -> None:
    """Title, body and team, without a "did this solve it?" for each."""
    (section,) = sections(ANSWER)
    assert section.question == "the vpn drops?"
    assert section.answer is not None
    assert (section.answer.article, section.answer.title, section.answer.body) == ("vpn", VPN.title, VPN.body)
    assert not section.answer.confirm


def test_a_doubtful_question_names_the_articles_near_it() -> None:
    """For the asker to choose."""
    (section,) = sections(SUGGEST)
    assert (section.answer, section.near) == (None, (("mail", MAIL.title), ("vpn", VPN.title)))


def test_an_unknown_question_is_named_as_open() -> None:
    """Nothing asked is passed over in silence, and nothing beside the point is offered."""
    (section,) = sections(TICKET)
    assert section == Section(question="the lamp?")


def test_every_question_has_its_section_in_the_order_asked() -> None:
    """The reply reads like the message."""
    asked = [section.question for section in sections(TICKET, ANSWER, SUGGEST)]
    assert asked == ["the lamp?", "the vpn drops?", "my mail?"]


def test_a_long_question_is_shortened() -> None:
    """It is repeated to be recognised, not to be read again."""
    (section,) = sections(replace(TICKET, text="why " * 500))
    assert len(section.question) <= MAX_QUESTION + 1


@pytest.mark.parametrize("part", [ANSWER, SUGGEST])
def test_an_article_that_was_retired_meanwhile_is_not_shown(part: Match) -> None:
    """The matcher may be a moment behind the knowledge base."""
    (section,) = sections(part, kb=KnowledgeBase())
    assert (section.answer, section.near) == (None, ())


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ((ANSWER, ANSWER), Verdict.ANSWER),
        ((ANSWER, SUGGEST), Verdict.SUGGEST),
        ((ANSWER, TICKET), Verdict.SUGGEST),
    ],
)
def test_the_message_is_answered_when_nothing_is_left_open(parts: tuple[Match, ...], whole: Verdict) -> None:
    """Otherwise the asker still has something to say."""
    assert verdict(parts) is whole


@pytest.mark.parametrize("language", list(Language))
def test_reasons_stand_below_the_question_that_they_are_about(language: Language) -> None:
    """In the order asked, and readable in whatever language."""
    told = [spoken(reason, language) for reason in reasons((ANSWER, TICKET), language)]
    assert [told[1], told[3]] == ["because", "because"]
    assert "the vpn drops?" in told[0]
    assert "the lamp?" in told[2]
