"""Who may do what to whose ticket, from where: one table, tried whole, through whole turns.

`RULES` is the law. Every verb is given by every role, on every kind of ticket, in every place; what no
rule allows is denied, and a denial is the answer to a ticket that does not exist, letter for letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tests.builders import (
    DM,
    HELP,
    HR_HELP,
    HR_TRIAGE,
    TRIAGE,
    account,
    mention,
    message,
    press,
    shown,
    slash,
)
from tests.unit.office import Office
from triage.model import Account, Message, Platform, Sender, Thread
from triage.outgoing import Card, Outgoing
from triage.ports import Loaded

# --- the law -------------------------------------------------------------------------------------
AGENT_VERBS = {
    "claim": "claim {}",
    "release": "release {}",
    "assign": "assign {} me",
    "transfer": "transfer {} finance",
    "priority": "priority {} high",
    "note": "note {} they called",
    "reply": "reply {} it is ready",
    "pending": "pending {} which room?",
    "hold": "hold {} the vendor has it",
    "kb": "kb {} vpn",
}
SHARED_VERBS = {verb: verb + " {}" for verb in ("resolve", "reopen", "escalate", "show", "why")}
AGENT_PRESSES = {"ack": "ack {}"}
"""Said by buttons only; a Teams client may put what it likes into one."""
REQUESTER_PRESSES = {"rate": "rate {} good"}
VERBS = AGENT_VERBS | SHARED_VERBS | AGENT_PRESSES | REQUESTER_PRESSES
BUTTONS_ONLY = frozenset(AGENT_PRESSES | REQUESTER_PRESSES)

ROLES = {
    "requester": "ann",
    "colleague": "bob",
    "agent": "kim",
    "lead": "lee",
    "agent of HR": "park",
    "agent of another team": "chen",
    "admin": "ada",
    "guest": "gus",
    "stranger": "max",
    "agent as guest": "kim",
    "agent's id elsewhere": "kim",
}
"""Who sends it. The last two say that they are Kim: from a guest's account, and from another company's
workspace in which the same user id is somebody else's."""

TICKETS = {"ordinary": 1, "restricted": 2}
"""Ann's, for IT, asked in its help channel; Ann's, for HR, which is restricted."""
MISSING = 99

IT_SIDE, HR_SIDE = frozenset({"agent", "lead", "admin"}), frozenset({"agent of HR"})
OWN = frozenset({"requester"})


@dataclass(frozen=True, slots=True)
class Rule:
    verbs: frozenset[str]
    ticket: str
    roles: frozenset[str]
    why: str


RULES = (
    Rule(frozenset(AGENT_VERBS | AGENT_PRESSES), "ordinary", IT_SIDE, "a team's people and admins work its tickets"),
    Rule(frozenset(AGENT_VERBS | AGENT_PRESSES), "restricted", HR_SIDE, "admins are kept out of restricted teams"),
    Rule(frozenset(SHARED_VERBS), "ordinary", IT_SIDE | OWN, "the requester may see, end, reopen and push their own"),
    Rule(frozenset(SHARED_VERBS), "restricted", HR_SIDE | OWN, "also where it is restricted"),
    Rule(frozenset(REQUESTER_PRESSES), "ordinary", OWN, "only who asked can say whether it helped"),
    Rule(frozenset(REQUESTER_PRESSES), "restricted", OWN, "also where it is restricted"),
)

PLACES = ("slash", "dm", "thread", "card thread", "button")


def allowed(verb: str, role: str, ticket: str) -> bool:
    return any(verb in rule.verbs and ticket == rule.ticket and role in rule.roles for rule in RULES)


def cells() -> Iterator[tuple[str, str, str, str]]:
    for place in PLACES:
        for verb in VERBS:
            if place == "button" or verb not in BUTTONS_ONLY:
                yield from ((verb, role, ticket, place) for role in ROLES for ticket in TICKETS)


# --- the desk ------------------------------------------------------------------------------------
THREADS = {"ordinary": Thread(channel=HELP, root="100.1"), "restricted": Thread(channel=replace(DM, id="D0ANN"))}
CARDS = {"ordinary": Thread(channel=TRIAGE, root="p2"), "restricted": Thread(channel=HR_TRIAGE, root="p4")}
"""Where the requester is answered, and where the ticket's card stands."""


def opened() -> Office:
    """A desk with the two tickets."""
    office = Office()
    asked = {"ordinary": ("Printer on fire", HELP, "100.1"), "restricted": ("My salary is wrong", HR_HELP, "100.2")}
    out = [
        item
        for text, channel, id in asked.values()
        for item in office.take(message(text, at=channel, id=id, key=f"slack:T1:{channel.id}:{id}"))
    ]
    cards = [f"p{count}" for count, item in enumerate(out, start=1) if isinstance(item.notice, Card)]
    assert cards == [card.root for card in CARDS.values()]
    return office


def kept(office: Office) -> list[Loaded]:
    """All that is known of the tickets."""
    return [office.known(ticket.id) for ticket in office.tickets()]


def sender(role: str) -> Sender:
    user = ROLES[role]
    match role:
        case "agent's id elsewhere":
            return Sender(account=Account(platform=Platform.SLACK, place="T9", user=account(user).user), name="Kim")
        case "stranger":
            return Sender(account=account(user), name="Max")
        case _:
            return Sender(account=account(user), name=user.title(), guest=role in ("guest", "agent as guest"))


def said(text: str, role: str, ticket: str, place: str) -> Message:
    by = sender(role)
    direct = replace(DM, id=f"D0{by.account.user}")
    match place:
        case "slash":
            return slash(text, sender=by)
        case "dm":
            return message(text, sender=by, at=direct)
        case "thread":
            return mention(text, sender=by, at=THREADS[ticket])
        case "card thread":
            return mention(text, sender=by, at=CARDS[ticket])
        case _:
            return press(text, sender=by, at=CARDS[ticket])


def tried(
    text: str, role: str, ticket: str, place: str, *, at: Office | None = None
) -> tuple[list[Outgoing], str, list[Loaded]]:
    """What goes out, what is said at once, and the tickets afterwards; at a desk of its own unless given."""
    office = at or opened()
    ack = office.desk.take(said(text, role, ticket, place)).ack
    return office.deliver(), ack.summary if ack else "", kept(office)


def words(out: list[Outgoing], number: int) -> list[tuple[str, str]]:
    """Where each message goes and what it says, without the number that the sender named himself."""
    return [(type(item.to).__name__, re.sub(rf"\b{number}\b", "N", shown(item))) for item in out]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("place", PLACES)
def test_the_whole_table(place: str, role: str) -> None:
    """Allowed: something is done or shown. Denied: nothing changes, and nothing tells the ticket from none."""
    desk = opened()
    before = kept(desk)
    for verb, who, ticket, where in cells():
        if (who, where) != (role, place):
            continue
        number = TICKETS[ticket]
        fresh = None if allowed(verb, role, ticket) else desk
        out, ack, after = tried(VERBS[verb].format(number), role, ticket, place, at=fresh)
        none, silence, _ = tried(VERBS[verb].format(MISSING), role, ticket, place, at=desk)
        cell = f"{verb} by {role} on the {ticket} ticket, {place}"
        assert out or ack, f"{cell}: no answer"
        told = (words(out, number), ack) == (words(none, MISSING), silence)
        if allowed(verb, role, ticket):
            assert not told, f"{cell}: denied"
        else:
            assert after == before, f"{cell}: something changed"
            own = role == "requester" and verb in AGENT_VERBS | AGENT_PRESSES
            assert own or told, f"{cell}: {words(out, number)} is not {words(none, MISSING)}"


@pytest.mark.parametrize("role", ["colleague", "guest", "stranger", "agent of another team", "agent's id elsewhere"])
@pytest.mark.parametrize("verb", [*AGENT_VERBS, *(verb for verb in SHARED_VERBS if verb != "escalate")])
def test_no_number_is_told_in_somebody_elses_thread(verb: str, role: str) -> None:
    """A command without a number, in a thread one may read, does not act on its ticket or name it.

    But for `escalate`, which is a mention like any other there: it is kept as a bystander's word.
    """
    desk = opened()
    before = kept(desk)
    text = VERBS[verb].format("").replace("  ", " ").strip()
    for place in ("thread", "card thread"):
        out, ack, after = tried(text, role, "ordinary", place, at=desk)
        assert after == before
        assert not any("printer" in shown(item).lower() or re.search(r"#1\b", shown(item)) for item in out), place
        assert "#1" not in ack


def test_the_requester_is_told_that_a_verb_is_the_teams() -> None:
    """Their own ticket is no secret to them: they learn why, not that it is missing."""
    out, _, _ = tried("claim 1", "requester", "ordinary", "slash")
    assert [getattr(item.notice, "phrase", "") for item in out] == ["error.not_agent"]


# --- verbs that name no ticket ---------------------------------------------------------------------
SUBJECTS = {"ordinary": "Printer on fire", "restricted": "My salary is wrong"}
QUEUES = {"agent": {"ordinary"}, "lead": {"ordinary"}, "admin": {"ordinary"}, "agent of HR": {"restricted"}}
"""Whose tickets `queue` lists; everyone else is told that it is for agents, or of an empty queue."""
LISTS = {
    "queue": QUEUES,
    "queue it": {role: tickets & {"ordinary"} for role, tickets in QUEUES.items()},
    "queue hr": {role: tickets & {"restricted"} for role, tickets in QUEUES.items()},
    "mine": {"requester": {"ordinary", "restricted"}},
    "help": {},
    "oncall": {},
    "kb printer": {},
    "why": {},
    "settle x yes": {},
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("text", LISTS)
def test_lists_hold_only_what_one_may_see(text: str, role: str) -> None:
    """By slash command and in a direct chat alike; the requester's own words come back to nobody else."""
    wanted = {SUBJECTS[ticket] for ticket in LISTS[text].get(role, set())}
    for place in ("slash", "dm"):
        out, ack, _ = tried(text, role, "ordinary", place)
        seen = "\n".join([ack, *map(shown, out)])
        assert {subject for subject in SUBJECTS.values() if subject in seen} == wanted


def test_the_table_is_whole() -> None:
    """So that a verb added to the grammar is added here."""
    from triage.decide import AGENT_ACTS, SHARED_ACTS

    assert {*map(str, AGENT_ACTS), *map(str, SHARED_ACTS), "rate"} == set(VERBS)
    assert len(list(cells())) == (4 * len(AGENT_VERBS | SHARED_VERBS) + len(VERBS)) * len(ROLES) * len(TICKETS)
