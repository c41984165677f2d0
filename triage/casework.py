"""One ticket being worked on, whoever moves it: a person's turn, or the clock.

`triage.turn.Turn` is the one, `Tick` the other. Both know what was loaded, the policy and the instant; from
these come the messages to everyone involved and what an event does to the ticket's clocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from triage import sla
from triage.changes import Change, KeepClock, KeepEvent
from triage.clocks import Clock, due_at
from triage.clockstate import note
from triage.model import Language, Person, Priority, Status, Thread, Ticket
from triage.outgoing import (
    At,
    Card,
    Direct,
    InThread,
    Notice,
    OnSlot,
    Outgoing,
    Say,
    Target,
    UnderSlot,
    Value,
    Who,
    card_slot,
    promise_slot,
)
from triage.policy import Metric, Policy, Team, Terms
from triage.ports import Loaded
from triage.rota import Override, on_call
from triage.timeline import Do, Event, Timeline

CARD_TEXT = 600
"""Characters of the request shown on its card; the whole stands in the ticket."""

METRICS = tuple(Metric)

Swaps = Mapping[str, tuple[Override, ...]]
"""Exceptions from the rotas agreed in chat, by team."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A ticket's clocks after something happened, and the facts to store."""

    timeline: Timeline
    changes: tuple[Change, ...] = ()

    @property
    def clocks(self) -> tuple[Clock, ...]:
        return self.timeline.clocks

    @property
    def moved(self) -> bool:
        """Whether any clock is not what it was."""
        return any(isinstance(change, KeepClock) for change in self.changes)


class Casework:
    """What `Turn` and `Tick` share; they say where it comes from."""

    __slots__ = ()

    policy: Policy
    now: datetime

    @property
    def prefix(self) -> str:
        """What the outbox keys of all that is said begin with: a repeat writes the same keys."""
        raise NotImplementedError

    @property
    def loaded(self) -> Loaded:
        raise NotImplementedError

    @property
    def swaps(self) -> Swaps:
        raise NotImplementedError

    def person(self, id: str) -> Person:
        raise NotImplementedError

    # --- who ---
    def team_of(self, ticket: Ticket) -> Team:
        return self.policy.teams.get(ticket.team) or Team(id=ticket.team, name=ticket.team)

    def who(self, id: str) -> Who:
        return Who(person=id, name=self.policy.name(self.person(id)))

    def on_call(self, team: Team) -> str | None:
        """Who is on call for the team now."""
        return on_call(team.rota, self.now, self.swaps.get(team.id, ()))

    def at(self, instant: datetime, person: Person, team: Team) -> At:
        """An instant for this reader: in their zone if it is known, else in the team's."""
        return At(at=instant, zone=person.timezone or team.terms.calendar.timezone)

    # --- saying ---
    def key(self, name: str) -> str:
        return f"{self.prefix}/{name}"

    def to_requester(self, ticket: Ticket, name: str, notice: Notice, *, slot: str | None = None) -> Outgoing:
        """Where the ticket was opened, or directly when it is private."""
        return Outgoing(
            key=self.key(f"requester:{name}"),
            to=_home(ticket),
            notice=notice,
            language=ticket.language,
            slot=slot,
            ticket=ticket.id,
            conversation=ticket.conversation,
        )

    def to_team(self, ticket: Ticket, name: str, notice: Notice) -> tuple[Outgoing, ...]:
        """Under the ticket's card; nothing for a team without a triage channel."""
        under = self.under_card(ticket)
        if under is None:
            return ()
        return (
            Outgoing(
                key=self.key(f"team:{name}"),
                to=under,
                notice=notice,
                language=self.team_of(ticket).language,
                ticket=ticket.id,
            ),
        )

    def under_card(self, ticket: Ticket) -> UnderSlot | None:
        return under_card(ticket, self.team_of(ticket))

    def to_person(self, id: str, ticket: Ticket, name: str, notice: Notice) -> Outgoing:
        """Directly to an agent; in the ticket's thread when they cannot be reached."""
        return Outgoing(
            key=self.key(f"person:{name}:{id}"),
            to=Direct(person=id, otherwise=self.under_card(ticket)),
            notice=notice,
            language=self.person(id).language,
            ticket=ticket.id,
        )

    # --- the promise to the requester ---
    def promise(self, ticket: Ticket, clocks: Sequence[Clock]) -> Say:
        """What the requester is promised, in their zone; as things stand."""
        team = self.team_of(ticket)
        values: dict[str, Value] = {"number": ticket.number, "team": team.name}
        due = promise_of(clocks)
        if due is None:
            return Say(phrase="ticket.open", values=values)
        values["due"] = self.at(due, self.person(ticket.requester), team)
        return Say(phrase="ticket.promise", values=values)

    def promise_update(self, before: Ticket, after: Ticket, clocks: Sequence[Clock]) -> tuple[Outgoing, ...]:
        """The promise edited in place, if something else is promised now while the first answer is to come."""
        if not (awaits_answer(self.clocks) or awaits_answer(clocks)):
            return ()
        promised = self.promise(after, clocks)
        if promised == self.promise(before, self.clocks):
            return ()
        home = _home(after)
        update = Outgoing(
            key=self.key("promise"),
            to=OnSlot(slot=promise_slot(after.id), lane=home.lane, bucket=home.bucket),
            notice=promised,
            language=after.language,
            ticket=after.id,
        )
        return (update,)

    # --- the card ---
    def card(self, ticket: Ticket, clocks: Sequence[Clock], opening: str) -> Card:
        team = self.team_of(ticket)
        zone = team.terms.calendar.timezone
        live = sorted((clock for clock in clocks if clock.live), key=lambda clock: METRICS.index(clock.metric))
        return Card(
            number=ticket.number,
            subject=ticket.subject,
            text=shortened(opening, CARD_TEXT),
            requester=self.who(ticket.requester),
            team=team.name,
            status=ticket.status,
            priority=ticket.priority,
            owner=self.who(ticket.owner) if ticket.owner else None,
            opened=At(at=ticket.opened_at, zone=zone),
            clocks=tuple((clock.metric, note(clock, ticket.status, self.now, zone=zone)) for clock in live),
        )

    def new_card(self, ticket: Ticket, clocks: Sequence[Clock], opening: str) -> tuple[Outgoing, ...]:
        team = self.team_of(ticket)
        channel = team.triage_channel
        if channel is None:
            return ()
        slot = card_slot(ticket.id, team.id)
        card = Outgoing(
            key=self.key(f"card:{ticket.team}"),
            to=InThread(thread=Thread(channel=channel), order=slot),
            notice=self.card(ticket, clocks, opening),
            language=team.language,
            slot=slot,
            ticket=ticket.id,
            rank=1,
        )
        return (card,)

    def card_update(self, ticket: Ticket, clocks: Sequence[Clock] | None = None) -> tuple[Outgoing, ...]:
        """The card as it stands afterwards, updated in place; `clocks` are all of the ticket's, if they changed."""
        team = self.team_of(ticket)
        channel = team.triage_channel
        if channel is None:
            return ()
        slot = card_slot(ticket.id, team.id)
        update = Outgoing(
            key=self.key("card"),
            to=OnSlot(slot=slot, lane=slot, bucket=channel.key),
            notice=self.card(ticket, self.loaded.clocks if clocks is None else clocks, self.loaded.opening),
            language=team.language,
            ticket=ticket.id,
            rank=1,
        )
        return (update,)

    # --- clocks ---
    @property
    def clocks(self) -> tuple[Clock, ...]:
        return self.loaded.clocks

    def terms(self, ticket: Ticket) -> Terms:
        """The terms that hold for the ticket."""
        return self.loaded.terms or self.team_of(ticket).terms

    def progress(self, ticket: Ticket) -> Progress:
        """The ticket's clocks as they were loaded."""
        return Progress(timeline=sla.timeline_of(ticket, self.terms(ticket), self.clocks, self.loaded.events))

    def event(
        self,
        do: Do,
        *,
        priority: Priority | None = None,
        thanks: bool = False,
        terms: Terms | None = None,
        team: str | None = None,
    ) -> Event:
        return Event(at=self.now, do=do, priority=priority, thanks=thanks, terms=terms, team=team)

    def happened(self, ticket: Ticket, *events: Event, since: Progress | None = None) -> Progress:
        """The clocks after these events, which follow on `since` if something happened in this turn already.

        Nothing happens to a closed ticket's.
        """
        before = since or self.progress(ticket)
        if before.timeline.status is Status.CLOSED:
            return before
        after = sla.followed(before.timeline, *events)
        new = (KeepEvent(ticket=ticket.id, event=event) for event in after.events[len(before.timeline.events) :])
        return Progress(timeline=after, changes=(*before.changes, *new, *kept(ticket.id, before.timeline, after)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick(Casework):
    """Time itself moves the ticket; `key` names what is due, once for ever."""

    due: str
    known: Loaded
    policy: Policy
    now: datetime
    people: Mapping[str, Person] = field(default_factory=dict)
    agreed: Swaps = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        return self.due

    @property
    def loaded(self) -> Loaded:
        return self.known

    @property
    def swaps(self) -> Swaps:
        return self.agreed

    def person(self, id: str) -> Person:
        return self.known.people.get(id) or self.people.get(id) or unmet(id, self.policy)


def kept(ticket: str, before: Timeline, after: Timeline) -> tuple[Change, ...]:
    """The clocks that are not what they were, to be stored."""
    same = {id(clock) for clock in before.clocks}
    changed = [clock for clock in after.clocks if id(clock) not in same]
    return tuple(
        KeepClock(ticket=ticket, clock=clock, due_at=due_at(clock), next_at=sla.next_at(clock, after.terms))
        for clock in changed
    )


def under_card(ticket: Ticket, team: Team) -> UnderSlot | None:
    channel = team.triage_channel
    if channel is None:
        return None
    slot = card_slot(ticket.id, team.id)
    return UnderSlot(slot=slot, channel=channel, lane=slot)


def unmet(id: str, policy: Policy) -> Person:
    """Someone named in desk.yaml who was never seen yet."""
    member = policy.people.get(id)
    language = member.language if member and member.language else Language.EN
    return Person(id=id, name=member.name if member else id, language=language)


def awaits_answer(clocks: Sequence[Clock]) -> bool:
    """Whether the first answer is still to come."""
    return any(clock.metric is Metric.FIRST_RESPONSE and clock.live for clock in clocks)


def promise_of(clocks: Sequence[Clock]) -> datetime | None:
    """When the requester is promised a first answer."""
    return next((due_at(c) for c in clocks if c.metric is Metric.FIRST_RESPONSE and c.live), None)


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def awaited(status: Status, owner: str | None) -> Status:
    """The status of a ticket somebody has to act on."""
    return Status.OPEN if owner else Status.NEW


def _home(ticket: Ticket) -> Target:
    return InThread(thread=ticket.home) if ticket.home else Direct(person=ticket.requester)
