"""What a decision makes of tickets, whatever they are kept in; shared by both storages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from triage.changes import Change, KeepTerms, OpenTicket, TicketChange, apply
from triage.model import Ticket
from triage.outgoing import Guard
from triage.policy import Terms
from triage.sla import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A ticket with the terms its clocks run under."""

    ticket: Ticket
    terms: Terms | None = None


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
        elif isinstance(change, TicketChange | KeepTerms):
            ours = opened if change.ticket in opened else changed
            ours[change.ticket] = _changed(ours.get(change.ticket) or fetch(change.ticket), change)
    return Folded(opened=opened, changed=changed)


def _changed(kept: Kept, change: TicketChange | KeepTerms) -> Kept:
    if isinstance(change, KeepTerms):
        return replace(kept, terms=change.terms)
    return replace(kept, ticket=apply(kept.ticket, change))


def holds(guard: Guard, clock: Clock | None) -> bool:
    """Whether a notice about this clock still need be said."""
    return clock is not None and clock.live and clock.revision == guard.revision
