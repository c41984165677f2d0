"""Who may do and read what, as desk.yaml decides it."""

from __future__ import annotations

import pytest

from triage.calendars import ALWAYS
from triage.model import Account, Channel, Person, Platform
from triage.policy import Member, Policy, Team, Terms, audience

HOME = "T1"


def account(user: str, *, place: str = HOME, platform: Platform = Platform.SLACK) -> Account:
    return Account(platform=platform, place=place, user=user)


def channel(id: str, *, place: str = HOME, platform: Platform = Platform.SLACK) -> Channel:
    return Channel(platform=platform, place=place, id=id)


def member(id: str, *, admin: bool = False) -> Member:
    return Member(id=id, name=id.title(), accounts=(account(f"U{id.upper()}"),), admin=admin)


IT = Team(
    id="it",
    name="IT",
    agents=("kim",),
    lead="lee",
    help=(channel("CHELP"),),
    triage={Platform.TEAMS: channel("19:t", platform=Platform.TEAMS), Platform.SLACK: channel("CTRIAGE")},
)
HR = Team(id="hr", name="HR", agents=("park",), restricted=True)
POLICY = Policy(
    teams={"it": IT, "hr": HR},
    people={who.id: who for who in (member("kim"), member("lee"), member("park"), member("boss", admin=True))},
    places=frozenset({(Platform.SLACK, HOME)}),
)


def test_member_is_found_by_account() -> None:
    """People are known by platform ids."""
    found = POLICY.member(account("UKIM"))
    assert found is not None
    assert found.id == "kim"


def test_account_of_another_place_is_nobody() -> None:
    """The same user id in another workspace is another person."""
    assert POLICY.member(account("UKIM", place="T2")) is None


@pytest.mark.parametrize(
    ("place", "guest", "stranger"), [(HOME, False, False), (HOME, True, True), ("T2", False, True), ("T2", True, True)]
)
def test_strangers_are_guests_and_people_of_other_places(place: str, guest: bool, stranger: bool) -> None:
    """Only people of a listed place who are no guests there belong to the company."""
    assert POLICY.is_stranger(account("U9", place=place), guest=guest) is stranger


@pytest.mark.parametrize(
    ("person", "teams"), [("kim", ("it",)), ("lee", ("it",)), ("park", ("hr",)), ("boss", ("it",)), ("nobody", ())]
)
def test_teams_a_person_works_for(person: str, teams: tuple[str, ...]) -> None:
    """Agents and leads work their own team's tickets, admins those of every team that is not restricted."""
    assert POLICY.teams_of(person) == teams


def test_admin_named_in_a_restricted_team_serves_it() -> None:
    """Being named is what counts there."""
    policy = Policy(teams={"hr": Team(id="hr", name="HR", agents=("boss",), restricted=True)}, people=POLICY.people)
    assert policy.serves("boss", "hr")


def test_tickets_of_a_team_that_is_gone_are_for_admins() -> None:
    """After a team was taken out of desk.yaml its tickets are not lost."""
    assert POLICY.serves("boss", "gone")
    assert not POLICY.serves("kim", "gone")


def test_help_and_triage_channels_lead_to_their_team() -> None:
    """A channel tells which team is meant, on whichever platform."""
    assert POLICY.team_helping_in(channel("CHELP")) is IT
    assert POLICY.team_triaging_in(channel("CTRIAGE")) is IT
    assert POLICY.team_triaging_in(channel("19:t", platform=Platform.TEAMS)) is IT


def test_same_channel_id_in_another_place_is_another_channel() -> None:
    """Ids are unique within a place only."""
    assert POLICY.team_helping_in(channel("CHELP", place="T2")) is None


def test_cards_go_to_the_first_platform_named() -> None:
    """One ticket has one card."""
    assert IT.triage_channel == channel("19:t", platform=Platform.TEAMS)


def test_team_without_triage_channel_has_no_place_for_cards() -> None:
    """None, rather than somebody else's channel."""
    assert HR.triage_channel is None


def test_desk_on_one_platform_has_no_channels_or_accounts_elsewhere() -> None:
    """Where a platform did not start, cards and pings must not wait for it."""
    slack = POLICY.only(frozenset({Platform.SLACK}))
    assert slack.teams["it"].triage_channel == channel("CTRIAGE")
    assert slack.people["kim"].accounts == (account("UKIM"),)
    assert POLICY.only(frozenset({Platform.TEAMS})).people["kim"].accounts == ()


def test_name_in_desk_yaml_beats_the_platform_s() -> None:
    """A display name is whatever its owner typed; the desk's own list is not."""
    assert POLICY.name(Person(id="kim", name="THE CEO")) == "Kim"
    assert POLICY.name(Person(id="p7", name="Ada")) == "Ada"


def test_stranger_reads_public_articles_only() -> None:
    """Even when the surrogate id is that of an agent."""
    assert audience(POLICY, "kim", stranger=True) == {"public"}


def test_staff_reads_its_own_team_s_articles() -> None:
    """Agents see what is written for them, and what everybody sees."""
    assert audience(POLICY, "kim", stranger=False) == {"public", "company", "team:it"}


def test_admin_reads_no_team_s_articles() -> None:
    """Configuring the desk is no reason to read what HR wrote for HR."""
    assert audience(POLICY, "boss", stranger=False) == {"public", "company"}


def test_terms_without_calendar_run_around_the_clock() -> None:
    """A team that says nothing about hours is measured in calendar time."""
    assert Terms().calendar == ALWAYS
