"""The use cases, over ports: take one message, sweep the clocks.

Called by the edge through `bot.turns`: `hear`, then `take_together` or `answer`, for every inbound
message; `sweep` by a fixed job. Synchronous; a turn is one write transaction and no network call is made inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Protocol

from triage.auditing import consulted
from triage.briefing import Arrival, answered, with_lessons, with_reading
from triage.changes import Decision, Meet
from triage.commands import Command, Intent, Unknown, Verb, intent_of
from triage.decide import decide, may_be_talk
from triage.errors import Conflict, TooSlow, Unsettled
from triage.knowledge import KnowledgeBase
from triage.layout import render
from triage.matching import Matcher
from triage.model import Account, ChannelKind, Kind, Language, Message, Person, Thread
from triage.outgoing import InThread, Notice, OnSlot, Outgoing, Pings, Privately, Say, Target
from triage.phrases import known_zone, language_of_locale
from triage.pings import OUT_OF_REACH, UNDELIVERED, apart, out_of_reach, undelivered
from triage.policy import Policy, audience
from triage.ports import Loaded, Lookup, NewId, Now, Reading, Receipt, Storage, Work
from triage.sweeping import Swept, sweep
from triage.turn import Situation, own_thread

ATTEMPTS = 3
"""How often a turn is decided when others keep changing the same ticket first."""

LATIN_WORDS = 4
"""So many Latin words are taken for English."""


Late = Callable[[], bool]


class Knowing(Protocol):
    """The knowledge base as one audience sees it, ready to match; swapped whole when it changes."""

    def base(self, audience: frozenset[str]) -> KnowledgeBase: ...

    def matcher(self, audience: frozenset[str]) -> Matcher: ...


class Desk:
    """`policy` is called once a turn, so that a changed desk.yaml is in force with the next message."""

    def __init__(
        self, storage: Storage, knowing: Knowing, policy: Callable[[], Policy], *, now: Now, new_id: NewId
    ) -> None:
        self._storage = storage
        self._knowing = knowing
        self._policy = policy
        self._now = now
        self._new_id = new_id

    # --- a message ---
    def take(self, message: Message, *, late: Late = lambda: False) -> Receipt:
        """One turn, from hearing to answering. Raises a TurnError, and then nothing is stored."""
        heard = self.hear(message)
        return heard if isinstance(heard, Receipt) else self.answer(heard, late=late)

    def overhears(self, message: Message) -> bool:
        """Whether this is surely people's talk, which takes nothing to find out."""
        return message.thread is None and may_be_talk(message, self._policy())

    def hear(self, message: Message) -> Arrival | Receipt:
        """What a turn needs that takes no transaction: who writes, and the article that matches. A receipt where
        nothing is to be done: a repeat, and people's talk among themselves, of which nothing is stored, since it
        would mean the same the next time. Raises Unsettled.
        """
        policy = self._policy()
        if self.overhears(message):
            return Receipt(talk=True)
        with self._storage.reading() as reading:
            if may_be_talk(message, policy) and not reading.knows(message.here):
                return Receipt(talk=True)
            seen, known = reading.arriving({message.key: message.sender.account})[message.key]
            if seen:
                return Receipt(repeat=True)
            if _too_early(message, policy, reading):
                raise Unsettled("the post that this one answers is still to be handled")
            return self._arrive(message, known, policy, reading)

    def answer(self, arrival: Arrival, *, late: Late = lambda: False) -> Receipt:
        """One turn: stored whole, or not at all (then it raises a TurnError).

        `late` says that the turn's time is up: asked just before the commit.
        """
        for _ in range(ATTEMPTS - 1):
            try:
                return self._turns([arrival], late)[0]
            except Conflict:
                continue
        return self._turns([arrival], late)[0]

    def take_together(self, arrivals: Sequence[Arrival], *, late: Late) -> Sequence[Receipt]:
        """Several turns, one after the other in one transaction: all of them are stored, or none.

        Raises what any of them raises, and Unavailable where it had to wait for somebody else's turn: then each
        is to be taken by itself.
        """
        return self._turns(arrivals, late, patient=False)

    def fail(self, message: Message, error: str) -> Receipt:
        """Keep a turn that raised, with an apology to whoever waits for an answer.

        `error` says what failed, in no word that anybody wrote: `doctor` shows it.
        """
        policy, now, id = self._policy(), self._now(), self._new_id()
        with self._storage.reading() as reading:
            sender = self._sender(message, policy, reading.person(message.sender.account))
        apology = Say(phrase="error.failed", values={"id": id})
        outgoing = (_private(message, sender, f"{message.key}/failed", apology),) if message.addressed else ()
        with self._storage.writing() as work:
            if not work.claim(message.key, now):
                return Receipt(repeat=True)
            work.fail(id, message.key, now, error)
            work.record(Decision(changes=(Meet(person=sender),), outgoing=outgoing), now, message=message)
            work.commit()
        return Receipt(failure=id)

    def slow_down(self, message: Message) -> Receipt:
        """Instead of a turn: its sender writes too much at once, and is asked to wait."""
        policy, now = self._policy(), self._now()
        with self._storage.reading() as reading:
            sender = self._sender(message, policy, reading.person(message.sender.account))
        wait = Say(phrase="error.slow_down", values={"most": policy.messages_a_minute})
        with self._storage.writing() as work:
            if not work.claim(message.key, now):
                return Receipt(repeat=True)
            told = (_private(message, sender, f"{message.key}/slow", wait),)
            work.record(Decision(changes=(Meet(person=sender),), outgoing=told), now, message=message)
            work.commit()
        return Receipt()

    def pass_over(self, message: Message) -> Receipt:
        """Instead of a turn: it is not read now, nor when the platform repeats it later."""
        with self._storage.writing() as work:
            if not work.claim(message.key, self._now()):
                return Receipt(repeat=True)
            work.commit()
        return Receipt()

    def _turns(self, arrivals: Sequence[Arrival], late: Late, *, patient: bool = True) -> list[Receipt]:
        policy, now = self._policy(), self._now()
        claims = {arrival.message.key: _here(arrival) for arrival in arrivals}
        with self._storage.writing() as work:
            new = set(work.claim_all(claims, now, patient=patient))
            receipts = [self._turn(arrival, new, policy, work, now) for arrival in _settled(arrivals, policy, work)]
            work.flush()
            if late():
                raise TooSlow("the turn took longer than its time and was rolled back")
            work.commit()
        return receipts

    def _turn(self, arrival: Arrival, new: set[str], policy: Policy, work: Work, now: datetime) -> Receipt:
        message = arrival.message
        if message.key not in new:
            return Receipt(repeat=True)
        new.remove(message.key)
        situation = self._situation(arrival, policy, work, now)
        decision = decide(message, situation, arrival.match, policy, now)
        shown = consulted(decision, situation.loaded.ticket, situation.tickets)
        met = Decision(changes=(Meet(person=arrival.sender, known=arrival.known), *shown)) + decision
        work.record(met, now, message=message)
        ack = render(decision.ack, arrival.sender.language) if decision.ack else None
        return Receipt(ack=ack)

    def _arrive(self, message: Message, known: Person | None, policy: Policy, reading: Reading) -> Arrival:
        sender = self._sender(message, policy, known)
        stranger = policy.is_stranger(message.sender.account, guest=message.sender.guest)
        readable = audience(policy, sender.id, stranger=stranger)
        intent = intent_of(message)
        asked = _asked(message, intent) or answered(intent, sender, policy, reading)
        match = self._knowing.matcher(readable).match(asked) if asked and not _triaging(message, policy) else None
        if match:
            match = replace(match, language=_spoken(asked, match.language, sender.language))
        return Arrival(
            message=message,
            sender=sender,
            stranger=stranger,
            audience=readable,
            intent=intent,
            match=match,
            known=known,
        )

    def _sender(self, message: Message, policy: Policy, known: Person | None) -> Person:
        """The person behind the account: named in desk.yaml, known from before, or new."""
        said, account = message.sender, message.sender.account
        member = policy.member(account)
        id = member.id if member else known.id if known else self._new_id()
        name = (member.name if member else said.name) or (known.name if known else "") or account.user
        language = known.language if known else Language.EN
        if said.locale:
            language = language_of_locale(said.locale)
        if member and member.language and not said.locale:
            language = member.language
        timezone = known_zone(said.timezone) or (known.timezone if known else None)
        return Person(id=id, name=name, language=language, timezone=timezone, account=account, guest=said.guest)

    def _situation(self, arrival: Arrival, policy: Policy, work: Work, now: datetime) -> Situation:
        loaded = self._load(arrival, work)
        situation = Situation(
            sender=arrival.sender,
            stranger=arrival.stranger,
            kb=self._knowing.base(arrival.audience),
            new_number=work.next_number,
            new_id=self._new_id,
            loaded=loaded,
        )
        look = work.look()
        if any(team.rota.people for team in policy.teams.values()):
            situation = replace(situation, swaps=look.swaps(now))
        return with_lessons(with_reading(situation, arrival, policy, look), arrival, look.lessons, look, now)

    def _load(self, arrival: Arrival, work: Work) -> Loaded:
        message, intent = arrival.message, arrival.intent
        number = intent.number if isinstance(intent, Command) else None
        here = _here(arrival)
        fresh = message.kind is Kind.POST and message.thread is None
        lookup = Lookup(
            sender=arrival.sender.id, here=here, root=message.thread, flat=message.flat, number=number, fresh=fresh
        )
        loaded = work.load(lookup)
        if message.kind is not Kind.BUTTON or loaded.conversation or loaded.ticket:
            return loaded
        return work.load(replace(lookup, here=own_thread(message, arrival.sender)))

    def undelivered(self, outgoing: Outgoing) -> tuple[Outgoing, ...]:
        """What is to be said when a message about a ticket is given up: word to the team's lead, once.

        Not of a card that could not be updated: the lead was told when the card itself failed.
        """
        if isinstance(outgoing.notice, Pings) and outgoing.ticket is None:
            return self._taken_apart(outgoing, outgoing.notice)
        return () if isinstance(outgoing.to, OnSlot) else self._to_lead(outgoing, partial(undelivered, outgoing))

    def _taken_apart(self, bundle: Outgoing, pings: Pings) -> tuple[Outgoing, ...]:
        """Several pings to one person who cannot be reached: each goes to its ticket's thread."""
        with self._storage.reading() as look:
            ids = {each.guard.ticket for each in pings.reminders}
            tickets = {id: ticket for id in ids if (ticket := look.ticket(id))}
        return apart(bundle, tickets, self._policy())

    def missed(self, outgoing: Outgoing) -> None:
        """A message to one person stands in the ticket's thread, for want of a direct chat: their lead is told."""
        if told := self._to_lead(outgoing, partial(out_of_reach, outgoing)):
            with self._storage.writing() as work:
                work.record(Decision(outgoing=told), self._now())
                work.commit()

    def _to_lead(self, about: Outgoing, word: Callable[..., Outgoing | None]) -> tuple[Outgoing, ...]:
        if about.ticket is None or about.key.endswith((UNDELIVERED, OUT_OF_REACH)):
            return ()
        policy = self._policy()
        with self._storage.reading() as look:
            ticket = look.ticket(about.ticket)
            notice = word(ticket, policy, people=look.people(_leads(policy))) if ticket else None
        return (notice,) if notice else ()

    # --- time ---
    def sweep(self) -> Swept:
        """Do what is due. Raises TurnError when that cannot be stored."""
        return sweep(self._storage, self._policy(), self._now)


def _private(message: Message, sender: Person, key: str, notice: Notice) -> Outgoing:
    to: Target
    if message.channel.kind is ChannelKind.DM:
        to = InThread(thread=message.here)
    else:
        to = Privately(person=sender.id, near=message.here, reply_url=message.reply_url)
    return Outgoing(key=key, to=to, notice=notice, language=sender.language)


def _too_early(message: Message, policy: Policy, reading: Reading) -> bool:
    """Whether these words follow a post of a help channel that another process may still be at work on: without
    its question they would be nobody's, or take the thread for their own."""
    if message.after is None or message.last_try:
        return False
    return policy.team_helping_in(message.channel) is not None and not reading.seen(message.after)


def _here(arrival: Arrival) -> Thread:
    """The thread that the message belongs to."""
    return own_thread(arrival.message, arrival.sender) if _alone(arrival.message) else arrival.message.here


def _alone(message: Message) -> bool:
    """A slash command outside a direct chat belongs to no thread."""
    return message.kind is Kind.COMMAND and message.channel.kind is not ChannelKind.DM


def _triaging(message: Message, policy: Policy) -> bool:
    return policy.team_triaging_in(message.channel) is not None and not message.addressed


def _asked(message: Message, intent: Intent) -> str:
    """The words to match: a question, never an order about a ticket."""
    if message.kind in (Kind.EDIT, Kind.DELETE):
        return ""
    match intent:
        case Command(verb=Verb.ASK | Verb.NEW | Verb.TICKET, rest=rest):
            return rest
        case Command(verb=Verb.KB, number=None, rest=rest):
            return rest
        case None | Unknown():
            return message.text
        case _:
            return ""


def _spoken(text: str, found: Language, preferred: Language) -> Language:
    """A few Latin words ("VPN error 809") say nothing about the language their writer reads."""
    if found is not Language.EN or preferred is Language.EN:
        return found
    return preferred if len(text.split()) < LATIN_WORDS else found


def _settled(arrivals: Sequence[Arrival], policy: Policy, work: Work) -> list[Arrival]:
    """Two first messages of one person may arrive at once: whoever was stored, or comes, first is who they are."""
    new = [a for a in arrivals if a.known is None and not policy.member(a.message.sender.account)]
    if not new:
        return list(arrivals)
    stored = work.look().arriving({a.message.key: a.message.sender.account for a in new})
    ids: dict[Account, str] = {}
    for arrival in new:
        _, known = stored[arrival.message.key]
        ids.setdefault(arrival.message.sender.account, known.id if known else arrival.sender.id)
    return [_named(a, ids.get(a.message.sender.account, a.sender.id)) for a in arrivals]


def _named(arrival: Arrival, id: str) -> Arrival:
    return arrival if arrival.sender.id == id else replace(arrival, sender=replace(arrival.sender, id=id))


def _leads(policy: Policy) -> list[str]:
    return [team.lead for team in policy.teams.values() if team.lead]
