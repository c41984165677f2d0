"""What is kept for the audit: who did or saw what, to which ticket, when, from where, and why. Nobody's words.

Both storages call `audited` for everything they record, so that no change of a ticket can leave it out;
`triage.desk` adds what was only read. Whatever is named here is a key of the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triage.changes import (
    AddArticle,
    AddEntry,
    AddPhrasing,
    Assign,
    Called,
    Change,
    Consult,
    Decision,
    Detach,
    EditEntry,
    KeepPosition,
    KeepTerms,
    Meet,
    OpenTicket,
    Rate,
    SetPriority,
    SetStatus,
    Settle,
    SwapOnCall,
    Transfer,
)
from triage.model import Message, Platform, Ticket
from triage.outgoing import Reasons, TicketList, TicketView


class Why(StrEnum):
    """What made it happen; the first five are `triage.model.Kind`, for what somebody sent."""

    POST = "audit.why.post"
    EDIT = "audit.why.edit"
    DELETE = "audit.why.delete"
    COMMAND = "audit.why.command"
    BUTTON = "audit.why.button"
    TIME = "audit.why.time"
    """The sweep, and what follows from a delivery."""
    ADMIN = "audit.why.admin"
    """A command of whoever runs the desk."""
    RETENTION = "audit.why.retention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that was done; `about` is the id of another person whom it concerns."""

    what: str
    ticket: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who did it, by id, and from where; nobody and nowhere when it was the desk itself."""

    why: Why
    who: str | None = None
    platform: Platform | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """A line as it is kept. `who` and `about` are surrogate ids, which outlive the erasure of a person."""

    at: datetime
    what: str
    ticket: str | None
    about: str | None
    who: str | None
    platform: Platform | None
    place: str | None
    why: Why


EXPORTED, EXPORTED_PERSON = "audit.exported", "audit.exported_person"
ERASED, IMPORTED, FORGOTTEN = "audit.erased", "audit.imported", "audit.forgotten"


def by(decision: Decision, message: Message | None, why: Why) -> By:
    """Whoever sent the message; without one the desk itself, for this reason."""
    if message is None:
        return By(why=why)
    account = message.sender.account
    met = (change.person for change in decision.changes if isinstance(change, Meet))
    who = next((person.id for person in met if person.account == account), None)
    reason = Why(f"audit.why.{message.kind}")
    return By(why=reason, who=who, platform=account.platform, place=account.place)


def audited(changes: Iterable[Change]) -> tuple[Act, ...]:
    """What of these changes is kept. What a new ticket begins with is part of its opening."""
    changes = tuple(changes)
    new = {change.ticket.id for change in changes if isinstance(change, OpenTicket)}
    acts = (act for change in changes for act in _acts(change, new))
    return tuple(dict.fromkeys(acts))


def consulted(decision: Decision, ticket: Ticket | None, listed: Sequence[Ticket]) -> tuple[Consult, ...]:
    """Which restricted tickets this decision shows: the turn's own one by one, others in a list."""
    shown = {type(outgoing.notice) for outgoing in decision.outgoing}
    found = []
    if ticket is not None and ticket.restricted and shown & {TicketView, Reasons}:
        found.append(Consult(ticket=ticket.id))
    if TicketList in shown and any(each.restricted for each in listed):
        found.append(Consult(ticket=None))
    return tuple(found)


def _acts(change: Change, new: set[str]) -> Iterator[Act]:
    match change:
        case OpenTicket(ticket=ticket):
            yield Act(what="audit.opened", ticket=ticket.id, about=ticket.requester)
        case Assign(ticket=id, owner=None):
            yield Act(what="audit.released", ticket=id)
        case Assign(ticket=id, owner=owner):
            yield Act(what="audit.assigned", ticket=id, about=owner)
        case SetStatus(ticket=id, status=status):
            yield Act(what=f"audit.status.{status}", ticket=id)
        case SetPriority(ticket=id, priority=priority):
            yield Act(what=f"audit.priority.{priority}", ticket=id)
        case AddEntry(ticket=id, entry=entry):
            yield Act(what=f"audit.entry.{entry.kind}", ticket=id)
        case KeepTerms(ticket=id) | KeepPosition(ticket=id) if id in new:
            return
        case Consult(ticket=None):
            yield Act(what="audit.listed")
        case SwapOnCall(override=override):
            yield Act(what="audit.swapped", about=override.person)
        case _ if type(change) in _PLAIN:
            yield Act(what=_PLAIN[type(change)], ticket=getattr(change, "ticket", None))
        case _:
            return


_PLAIN: dict[type, str] = {
    Detach: "audit.detached",
    Transfer: "audit.transferred",
    Called: "audit.called",
    Rate: "audit.rated",
    EditEntry: "audit.edited",
    KeepTerms: "audit.terms",
    KeepPosition: "audit.position",
    Consult: "audit.read",
    AddPhrasing: "audit.phrasing",
    AddArticle: "audit.article",
    Settle: "audit.settled",
}
