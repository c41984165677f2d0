"""What the company has decided, as values: teams, people, places, promises.

`bot.deskfile` builds a `Policy` from desk.yaml; the core reads it and never sees the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from triage.calendars import ALWAYS, Calendar
from triage.chain import Chain, ChainStep, Notify
from triage.model import Account, Channel, Language, Person, Platform, Priority
from triage.rota import Rota


class Metric(StrEnum):
    """The seven clocks, in the order of SLA.md."""

    FIRST_RESPONSE = "first_response"
    NEXT_REPLY = "next_reply"
    PERIODIC_UPDATE = "periodic_update"
    REQUESTER_WAIT = "requester_wait"
    AGENT_WORK = "agent_work"
    RESOLUTION = "resolution"
    OWNERSHIP = "ownership"


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The promises for one priority: seconds by metric, in business or calendar time."""

    seconds: Mapping[Metric, int]
    hours: str = "business"
    pause_on_hold: bool = False
    reopen: str = "exclude"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """All a ticket's clocks and its escalation need; copied onto the ticket when it is opened (SLA.md, rule 2).

    `warn` holds stages before due: `50%` of the target, or `-30m` of policy time. `overdue` is how often
    a broken promise is rung again, in seconds of policy time; None for never.
    """

    policy: str = "sla"
    """Name of the policy that matched."""
    calendar: Calendar = ALWAYS
    targets: Mapping[Priority, Targets] = field(default_factory=dict)
    warn: tuple[str, ...] = ()
    overdue: int | None = None
    chain: Chain = field(default_factory=Chain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a policy's conditions look at: the request as it was when the ticket was opened.

    `channel` is the key of the channel it was asked in.
    """

    requester: str
    guest: bool
    language: Language
    channel: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Conditions of a policy; what is None or empty is no condition, and all others must hold.

    `words` are folded; one of them in the request is enough.
    """

    requesters: frozenset[str] = frozenset()
    guests: bool | None = None
    languages: frozenset[Language] = frozenset()
    channels: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()

    def holds(self, facts: Facts) -> bool:
        return (
            (not self.requesters or facts.requester in self.requesters)
            and (self.guests is None or facts.guest is self.guests)
            and (not self.languages or facts.language in self.languages)
            and (not self.channels or facts.channel in self.channels)
            and (not self.words or any(word in facts.text.casefold() for word in self.words))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A policy with its condition; `priority` is that of a ticket that it matches, else normal."""

    when: When
    terms: Terms
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Hours in which a person is left alone: a calendar whose open hours are the quiet ones.

    `zoned` says that desk.yaml names the zone; else it is the one the person's platform told last.
    """

    hours: Calendar
    zoned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Someone named in desk.yaml, known by platform ids only (never by name or mail)."""

    id: str
    name: str
    accounts: tuple[Account, ...] = ()
    language: Language | None = None
    email: str | None = None
    admin: bool = False
    quiet: Quiet | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    id: str
    name: str
    agents: tuple[str, ...] = ()
    lead: str | None = None
    language: Language = Language.EN
    restricted: bool = False
    allow_guests: bool = False
    rules: tuple[Rule, ...] = ()
    """Policies with a condition, in order; `terms` are for tickets that fit none of them."""
    terms: Terms = field(default_factory=Terms)
    rota: Rota = field(default_factory=Rota)
    help: tuple[Channel, ...] = ()
    triage: Mapping[Platform, Channel] = field(default_factory=dict)

    @property
    def triage_channel(self) -> Channel | None:
        """Where its cards are posted: the first of the platforms named in desk.yaml."""
        return next(iter(self.triage.values()), None)

    def rule_for(self, facts: Facts) -> Rule:
        """The first policy that fits (SLA.md, rule 2)."""
        fallback = Rule(when=When(), terms=self.terms)
        return next((rule for rule in self.rules if rule.when.holds(facts)), fallback)

    @property
    def staff(self) -> frozenset[str]:
        return frozenset(self.agents) | ({self.lead} if self.lead else frozenset())


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Without slots: what every message asks of it is looked up in tables that are made once."""

    teams: Mapping[str, Team]
    people: Mapping[str, Member] = field(default_factory=dict)
    places: frozenset[tuple[Platform, str]] = frozenset()
    precision: float = 0.95
    pings_an_hour: int = 6
    """Messages about promises that one person gets in an hour; the rest is held back."""
    messages_a_minute: int = 20
    """Posts to the desk that are read of one person, if not of its staff; what is more is not."""

    def member(self, account: Account) -> Member | None:
        return self._members.get(account.key)

    def is_stranger(self, account: Account, *, guest: bool) -> bool:
        """People of a place not listed in desk.yaml, and guests of a listed one (DESIGN.md, "Strangers")."""
        return guest or (account.platform, account.place) not in self.places

    def is_known_stranger(self, person: Person) -> bool:
        """The same of somebody who wrote before; of nobody known it is assumed, unless desk.yaml names them."""
        if person.account is None:
            return person.id not in self.people
        return self.is_stranger(person.account, guest=person.guest)

    def is_admin(self, person: str) -> bool:
        return person in self.people and self.people[person].admin

    def serves(self, person: str, team: str) -> bool:
        """Whether this person works this team's tickets: an agent, its lead, or an admin.

        Admins are kept out of restricted teams unless they are named there.
        """
        if team not in self.teams:
            return self.is_admin(person)
        found = self.teams[team]
        return person in found.staff or (self.is_admin(person) and not found.restricted)

    def teams_of(self, person: str) -> tuple[str, ...]:
        return tuple(team for team in self.teams if self.serves(person, team))

    def team_helping_in(self, channel: Channel) -> Team | None:
        return self._helping.get(channel.key)

    def team_triaging_in(self, channel: Channel) -> Team | None:
        return self._triaging.get(channel.key)

    @cached_property
    def _members(self) -> Mapping[str, Member]:
        found = [(account.key, member) for member in self.people.values() for account in member.accounts]
        return dict(reversed(found))

    @cached_property
    def _helping(self) -> Mapping[str, Team]:
        """The first team that names the channel has it."""
        return dict(reversed([(channel.key, team) for team in self.teams.values() for channel in team.help]))

    @cached_property
    def _triaging(self) -> Mapping[str, Team]:
        return dict(reversed([(channel.key, team) for team in self.teams.values() for channel in team.triage.values()]))

    def only(self, platforms: frozenset[Platform]) -> Policy:
        """The same desk on these platforms alone: cards go where somebody can see them."""
        teams = {
            id: replace(
                team,
                help=tuple(channel for channel in team.help if channel.platform in platforms),
                triage={on: channel for on, channel in team.triage.items() if on in platforms},
                terms=_terms_on(platforms, team.terms),
                rules=tuple(replace(rule, terms=_terms_on(platforms, rule.terms)) for rule in team.rules),
            )
            for id, team in self.teams.items()
        }
        people = {
            id: replace(member, accounts=tuple(a for a in member.accounts if a.platform in platforms))
            for id, member in self.people.items()
        }
        return replace(self, teams=teams, people=people)

    def name(self, person: Person) -> str:
        known = self.people.get(person.id)
        return known.name if known else person.name


def audience(policy: Policy, person: str, *, stranger: bool) -> frozenset[str]:
    """The article audiences this person may read: `public`, `company`, `team:ID`."""
    if stranger:
        return frozenset({"public"})
    own = {f"team:{team.id}" for team in policy.teams.values() if person in team.staff}
    return frozenset({"public", "company"} | own)


def _terms_on(platforms: frozenset[Platform], terms: Terms) -> Terms:
    """The same without calls into channels of other platforms."""
    reachable = tuple(step for step in terms.chain.steps if _platform(step) in (None, *platforms))
    return replace(terms, chain=replace(terms.chain, steps=reachable))


def _platform(step: ChainStep) -> Platform | None:
    """Of the channel that a step calls into."""
    return step.channel.platform if isinstance(step, Notify) and step.channel else None
