"""The verb `oncall`: who is on call, who may change places, and who hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import (
    CARD,
    DM,
    NOW,
    POLICY,
    account,
    changed,
    commands,
    decided,
    mention,
    notice,
    person,
    phrases,
    press,
    saying,
    shown,
    slash,
)
from tests.unit.times import ON_CALL, ROTA
from triage.changes import Decision, SwapOnCall
from triage.model import Language, Message
from triage.outgoing import At, Direct, InThread, Privately
from triage.policy import Policy
from triage.rota import Override, Rota

WEEK = timedelta(days=7)
BOTH = replace(
    ON_CALL,
    teams={
        **ON_CALL.teams,
        "finance": replace(POLICY.teams["finance"], rota=replace(ROTA, people=("chen", "kim"))),
    },
)
"""Kim is on call for IT this week, Chen for Finance."""


def said(text: str, by: str = "kim", policy: Policy = ON_CALL, **known: object) -> Decision:
    return decided(slash(text, by=by), policy=policy, **known)  # type: ignore[arg-type]


# --- who is on call ----------------------------------------------------------------------------
def test_an_agent_is_told_who_is_on_call_now_and_next() -> None:
    """Until when, at the hours of the rota where the reader's are unknown."""
    values = notice(said("oncall", by="lee"), "oncall.now_next").values
    assert values["until"] == At(at=NOW + WEEK, zone="UTC")
    assert values["next"] == "Lee"
    assert "Kim is on call for IT until Monday 16 March, 09:00 (UTC), then Lee." in shown(
        saying(said("oncall", by="lee"), "oncall.now_next")
    )


def test_the_end_of_a_shift_is_told_at_the_readers_hours() -> None:
    """Where their platform says where they are."""
    kim = replace(person("kim"), timezone="Asia/Seoul")
    assert notice(said("oncall", sender=kim), "oncall.now_next").values["until"] == At(at=NOW + WEEK, zone="Asia/Seoul")


def test_a_rota_of_one_has_nobody_next() -> None:
    """They are on call until further notice."""
    alone = replace(ON_CALL.teams["it"], rota=Rota(people=("kim",)))
    decision = said("oncall", policy=replace(ON_CALL, teams={"it": alone}))
    assert phrases(decision) == {"oncall.now"}
    assert notice(decision, "oncall.now").choices == ()


@pytest.mark.parametrize(
    ("text", "by", "policy", "teams"),
    [
        ("oncall", "ada", BOTH, ["IT", "Finance"]),
        ("oncall it", "ada", BOTH, ["IT"]),
        ("oncall Finance", "ada", BOTH, ["Finance"]),
        ("oncall", "kim", BOTH, ["IT"]),
    ],
)
def test_the_teams_that_one_works_for_are_shown(text: str, by: str, policy: Policy, teams: list[str]) -> None:
    """Or the one that is named."""
    decision = said(text, by, policy)
    assert [item.notice.values["team"] for item in decision.outgoing if item.notice.kind == "say"] == teams


@pytest.mark.parametrize(
    ("text", "by", "policy", "reply"),
    [
        ("oncall", "ann", ON_CALL, "error.agents_only"),
        ("oncall", "max", ON_CALL, "error.agents_only"),
        ("oncall swap @Lee", "ann", ON_CALL, "error.agents_only"),
        ("oncall", "kim", POLICY, "oncall.none"),
        ("oncall swap @Lee", "kim", POLICY, "oncall.none"),
        ("oncall hr", "kim", ON_CALL, "oncall.no_team"),
        ("oncall finance", "kim", BOTH, "oncall.no_team"),
    ],
)
def test_who_is_told_nothing_is_told_why(text: str, by: str, policy: Policy, reply: str) -> None:
    """Requesters and guests, where nobody takes turns, and of teams one does not work for."""
    decision = said(text, by, policy)
    assert phrases(decision) == {reply}
    assert decision.changes == ()


def test_a_swap_that_was_agreed_is_shown() -> None:
    """Lee took Kim's week, before her own."""
    agreed = {"it": (Override(since=NOW, until=NOW + WEEK, person="lee"),)}
    decision = said("oncall", by="lee", swaps=agreed)
    assert "Lee is on call for IT until Monday 23 March" in shown(saying(decision, "oncall.now_next"))


def test_whoever_is_on_call_can_press_to_change_places() -> None:
    """Nobody else is offered it."""
    assert commands(notice(said("oncall"), "oncall.now_next").choices) == ["oncall swap it lee"]
    assert notice(said("oncall", by="lee"), "oncall.now_next").choices == ()


# --- changing places ---------------------------------------------------------------------------
THURSDAY = NOW + timedelta(days=3)
SWAPPED = [
    SwapOnCall(team="it", override=Override(since=NOW, until=NOW + WEEK, person="lee"), by="kim"),
    SwapOnCall(team="it", override=Override(since=NOW + WEEK, until=NOW + 2 * WEEK, person="kim"), by="kim"),
]


@pytest.mark.parametrize(
    "ordered",
    [
        slash("oncall swap @Lee", by="kim"),
        slash("oncall swap lee", by="kim"),
        slash("oncall swap it Lee", by="kim"),
        slash("oncall swap @Leonard", by="kim", mentions=(account("lee"),)),
        press("oncall swap it lee", by="kim", at=DM),
        mention("oncall swap @Lee", by="kim", at=CARD),
    ],
)
def test_a_shift_is_swapped_for_a_week_of_the_other(ordered: Message) -> None:
    """By name, by key, by mention, by button."""
    assert changed(decided(ordered, policy=ON_CALL), SwapOnCall) == SWAPPED


def test_the_rest_of_a_running_shift_is_swapped() -> None:
    """From now on, not from Monday."""
    decision = said("oncall swap @Lee", now=THURSDAY)
    first, _ = changed(decision, SwapOnCall)
    assert (first.override.since, first.override.until) == (THURSDAY, NOW + WEEK)


def test_one_can_take_over_oneself() -> None:
    """`oncall swap me` by whoever is not on call."""
    first, second = changed(said("oncall swap me", by="lee"), SwapOnCall)
    assert (first.override.person, second.override.person, first.by) == ("lee", "kim", "lee")


def test_everyone_it_concerns_hears_of_it() -> None:
    """Who swapped, in place; who takes over and who gives away, directly, in their languages."""
    decision = said("oncall swap @Lee", by="ada", people={"kim": person("kim", Language.KO)})
    told = {item.to: item.language for item in decision.outgoing}
    assert told[Direct(person="lee")] is Language.EN
    assert told[Direct(person="kim")] is Language.KO
    assert [to.person for to in told if isinstance(to, Privately)] == ["ada"]
    assert phrases(decision) == {"oncall.swapped_back"}


def test_whoever_swapped_is_not_told_twice() -> None:
    """They read it where they said so; only the other gets a message."""
    decision = decided(mention("oncall swap @Lee", by="kim", at=DM), policy=ON_CALL)
    assert [item.to for item in decision.outgoing][1:] == [Direct(person="lee")]
    assert isinstance(decision.outgoing[0].to, InThread)


@pytest.mark.parametrize(("by", "may"), [("kim", True), ("lee", True), ("ada", True), ("sam", False)])
def test_who_may_swap(by: str, may: bool) -> None:
    """Whoever is on call, whoever takes over, the lead and admins."""
    it = replace(ON_CALL.teams["it"], agents=("kim", "lee", "sam"), lead="ada")
    sam = replace(POLICY.people["lee"], id="sam", name="Sam", accounts=(account("sam"),))
    policy = replace(ON_CALL, teams={"it": it}, people={**POLICY.people, "sam": sam})
    decision = said("oncall swap @Lee", by, policy)
    assert bool(changed(decision, SwapOnCall)) is may
    assert may or phrases(decision) == {"oncall.not_yours"}


@pytest.mark.parametrize("words", ["", "@Ann", "it", "nobody"])
def test_a_swap_with_nobody_of_the_rota_lists_who_is_on_it(words: str) -> None:
    """The reply says what to write."""
    decision = said(f"oncall swap {words}".strip())
    assert notice(decision, "oncall.who").values["people"] == "Kim, Lee"
    assert decision.changes == ()


def test_a_swap_with_oneself_is_refused() -> None:
    """Kim is on call already."""
    assert phrases(said("oncall swap me")) == {"oncall.refused.on_call_already"}


def test_of_several_teams_the_shift_one_has_now_is_meant() -> None:
    """Unless another is named."""
    assert {change.team for change in changed(said("oncall swap lee", policy=BOTH), SwapOnCall)} == {"it"}
    named = said("oncall swap finance kim", by="ada", policy=BOTH)
    assert {change.team for change in changed(named, SwapOnCall)} == {"finance"}
