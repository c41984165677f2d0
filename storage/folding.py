"""What a decision makes of tickets, whatever they are kept in; shared by both storages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from triage.changes import Change, KeepPosition, KeepTerms, KeptChange, OpenTicket, TicketChange, apply
from triage.escalation import Position
from triage.model import Ticket
from triage.outgoing import Guard, Outgoing, Pings, StepGuard
from triage.policy import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A ticket with the terms its clocks run under, and where its escalation stands."""

    ticket: Ticket
    terms: Terms | None = None
    position: Position = field(default_factory=Position)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """Tickets by id as a decision leaves them; `changed` ones still carry the version they were read with."""

    opened: Mapping[str, Kept]
    changed: Mapping[str, Kept]


def fold(changes: Iterable[Change], fetch: Callable[[str], Kept]) -> Folded:
    """Apply the changes to their tickets; `fetch` reads a ticket and raises Conflict when it is gone."""
    opened: dict[str, Kept] = {}
    changed: dict[str, Kept] = {}
    for change in changes:
        if isinstance(change, OpenTicket):
            opened[change.ticket.id] = Kept(ticket=change.ticket)
        elif isinstance(change, TicketChange | KeptChange):
            ours = opened if change.ticket in opened else changed
            ours[change.ticket] = _changed(ours.get(change.ticket) or fetch(change.ticket), change)
    return Folded(opened=opened, changed=changed)


def _changed(kept: Kept, change: TicketChange | KeptChange) -> Kept:
    match change:
        case KeepTerms(terms=terms):
            return replace(kept, terms=terms)
        case KeepPosition(position=position):
            return replace(kept, position=position)
        case _:
            return replace(kept, ticket=apply(kept.ticket, change))


def running(guard: Guard, *, live: bool, paused: bool, revision: int) -> bool:
    """Whether a notice about a clock that stands so still need be said."""
    return live and not paused and revision == guard.revision


def calling(guard: StepGuard, kept: Kept | None) -> bool:
    """Whether a call about this ticket still need be said."""
    if kept is None or kept.ticket.ended:
        return False
    return kept.position.run == guard.run and kept.position.acked_by is None


def still_said(outgoing: Outgoing, holds: Callable[[Guard | StepGuard], bool]) -> Outgoing | None:
    """What of a message still need be said, by what its guards say now."""
    if outgoing.guard is not None and not holds(outgoing.guard):
        return None
    if not isinstance(outgoing.notice, Pings):
        return outgoing
    left = tuple(reminder for reminder in outgoing.notice.reminders if holds(reminder.guard))
    return replace(outgoing, notice=replace(outgoing.notice, reminders=left)) if left else None
