"""What the clocks of a ticket have seen, told from the ticket alone. Used by `tests.builders`."""

from __future__ import annotations

from triage import sla
from triage.model import Status, Ticket
from triage.policy import Terms
from triage.timeline import Do, Event, Timeline

LED_BY = {
    Status.PENDING: Do.PENDING,
    Status.ON_HOLD: Do.ON_HOLD,
    Status.RESOLVED: Do.RESOLVE,
    Status.CLOSED: Do.CLOSE,
}


def story(ticket: Ticket, terms: Terms, *events: Event) -> Timeline:
    """Its opening, at that instant what led to its status, and then the events."""
    channel = ticket.home.channel.key if ticket.home else None
    begun = sla.opened(terms, ticket.priority, ticket.opened_at, team=ticket.team, channel=channel)
    led = LED_BY.get(ticket.status)
    first = (Event(at=ticket.opened_at, do=led),) if led else ()
    return sla.followed(begun, *first, *events)
