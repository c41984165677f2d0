"""Small values to test the core with: one company, its people and channels, and what they write.

Everything is pure. Ann asks, Bob stands by, Kim works for IT under Lee, Park is HR (restricted),
Chen is Finance (welcomes guests), Ada is the admin, Max comes from another company.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from tests.timelines import story
from triage.calendars import Calendar, Window
from triage.changes import Change, Decision
from triage.decide import decide
from triage.document import (
    Block,
    Button,
    Buttons,
    Document,
    Facts,
    Heading,
    Markdown,
    Paragraph,
    Quote,
    Small,
    text_of,
)
from triage.knowledge import Article, KnowledgeBase
from triage.layout import render
from triage.matching import Candidate, Match, Verdict
from triage.model import (
    Account,
    Channel,
    ChannelKind,
    Conversation,
    Entry,
    EntryKind,
    Kind,
    Language,
    Message,
    MessageRef,
    Person,
    Platform,
    Priority,
    Sender,
    Status,
    Thread,
    Ticket,
)
from triage.outgoing import Choice, Direct, InThread, Outgoing, Privately, Say, UnderSlot
from triage.policy import Member, Metric, Policy, Targets, Team, Terms
from triage.ports import Address, Loaded, Outbox, Parcel, Sent
from triage.turn import Situation

HOUR = 3_600
NOW = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
"""A Monday, when London opens."""

HELP = Channel(platform=Platform.SLACK, place="T1", id="C0HELP")
HR_HELP = Channel(platform=Platform.SLACK, place="T1", id="C0HRHELP")
LOBBY = Channel(platform=Platform.SLACK, place="T1", id="C0LOBBY")
TRIAGE = Channel(platform=Platform.SLACK, place="T1", id="C0TRIAGE")
HR_TRIAGE = Channel(platform=Platform.SLACK, place="T1", id="C0HRTRIAGE")
FINANCE_TRIAGE = Channel(platform=Platform.SLACK, place="T1", id="C0FINTRIAGE")
DM = Channel(platform=Platform.SLACK, place="T1", id="D0ANN", kind=ChannelKind.DM)
GROUP = Channel(platform=Platform.SLACK, place="T1", id="G0GROUP", kind=ChannelKind.GROUP)
ASKED = Thread(channel=HELP, root="100.1")
"""The thread in which Ann asked."""
CARD = Thread(channel=TRIAGE, root="200.1")
"""The thread under her ticket's card."""

WEEKDAYS = tuple(Window(day=day, opens=9 * HOUR, closes=17 * HOUR) for day in range(5))
LONDON = Calendar(timezone="Europe/London", windows=WEEKDAYS)

VPN = Article(id="vpn", title="VPN keeps dropping", body="Restart the client.", team="it", audience="public")
LEAVE = Article(id="leave", title="Parental leave", body="Ask early.", team="hr")
BANDS = Article(id="bands", title="Salary bands", body="Band 3.", team="hr", audience="team:hr")
MAIL = Article(id="mail", title="Mail on the phone", body="Install the app.", team="it")
KB = KnowledgeBase.of((VPN, LEAVE, BANDS, MAIL))


def targets(first_response: float = 4, resolution: float = 24, **changes: Any) -> Targets:
    """Promises in hours."""
    seconds = {
        Metric.FIRST_RESPONSE: int(first_response * HOUR),
        Metric.RESOLUTION: int(resolution * HOUR),
    }
    return Targets(seconds=seconds, **changes)


TERMS = Terms(
    calendar=LONDON,
    targets={
        Priority.URGENT: targets(0.5, 2),
        Priority.HIGH: targets(1, 4),
        Priority.NORMAL: targets(4, 8),
        Priority.LOW: targets(8, 40),
    },
    warn=("50%", "-30m"),
)


def policy() -> Policy:
    teams = (
        Team(
            id="it",
            name="IT",
            agents=("kim", "lee"),
            lead="lee",
            terms=TERMS,
            help=(HELP,),
            triage={Platform.SLACK: TRIAGE},
        ),
        Team(
            id="hr",
            name="HR",
            agents=("park",),
            lead="park",
            language=Language.KO,
            restricted=True,
            terms=TERMS,
            help=(HR_HELP,),
            triage={Platform.SLACK: HR_TRIAGE},
        ),
        Team(
            id="finance",
            name="Finance",
            agents=("chen",),
            lead="chen",
            allow_guests=True,
            terms=TERMS,
            triage={Platform.SLACK: FINANCE_TRIAGE},
        ),
    )
    members = (
        Member(id="kim", name="Kim", accounts=(account("kim"),), language=Language.ZH_HANT),
        Member(id="lee", name="Lee", accounts=(account("lee"),)),
        Member(id="park", name="Park", accounts=(account("park"),)),
        Member(id="chen", name="Chen", accounts=(account("chen"),)),
        Member(id="ada", name="Ada", accounts=(account("ada"),), admin=True),
    )
    return Policy(
        teams={team.id: team for team in teams},
        people={member.id: member for member in members},
        places=frozenset({(Platform.SLACK, "T1")}),
    )


def account(person: str) -> Account:
    return Account(platform=Platform.SLACK, place="T9" if person == "max" else "T1", user=f"U0{person.upper()}")


def person(id: str = "ann", language: Language = Language.EN) -> Person:
    return Person(id=id, name=id.title(), language=language, account=account(id))


# --- what comes in -----------------------------------------------------------------------------
_ids = count(1_000)


def message(text: str = "", *, by: str = "ann", at: Channel | Thread = HELP, **changes: Any) -> Message:
    """A post by somebody; `at` a thread makes it a reply there."""
    channel = at.channel if isinstance(at, Thread) else at
    id = f"{next(_ids)}.1"
    known: dict[str, Any] = {
        "key": f"slack:T1:{channel.id}:{id}",
        "kind": Kind.POST,
        "sender": Sender(account=account(by), name=by.title(), guest=by == "max"),
        "channel": channel,
        "id": id,
        "text": text,
        "thread": at.root if isinstance(at, Thread) else None,
    }
    return Message(**(known | changes))


def mention(text: str = "", *, by: str = "ann", at: Channel | Thread = HELP, **changes: Any) -> Message:
    return message(text, by=by, at=at, mentions_bot=True, **changes)


def slash(text: str = "", *, by: str = "ann", at: Channel = LOBBY, **changes: Any) -> Message:
    return message(text, by=by, at=at, kind=Kind.COMMAND, **changes)


def press(command: str, *, by: str = "ann", at: Channel | Thread = ASKED, **changes: Any) -> Message:
    return message(command, by=by, at=at, kind=Kind.BUTTON, **changes)


def match(
    verdict: Verdict = Verdict.TICKET,
    *articles: Article,
    language: Language = Language.EN,
    team: str | None = None,
    reasons: tuple[str, ...] = ("because",),
) -> Match:
    top = tuple(Candidate(article=article, confidence=0.9) for article in articles)
    return Match(verdict=verdict, language=language, top=top, answer=0.8, suggest=0.4, team=team, reasons=reasons)


NO_MATCH = match()


# --- what is known -----------------------------------------------------------------------------
def ticket(number: int = 7, **changes: Any) -> Ticket:
    """Ann's, opened in IT's help channel an hour ago."""
    known: dict[str, Any] = {
        "id": f"t{number}",
        "number": number,
        "team": "it",
        "requester": "ann",
        "subject": "Printer on fire",
        "language": Language.EN,
        "priority": Priority.NORMAL,
        "status": Status.OPEN if changes.get("owner") else Status.NEW,
        "opened_at": NOW - timedelta(hours=1),
        "conversation": ASKED.key,
        "home": ASKED,
    }
    return Ticket(**(known | changes))


def hr_ticket(number: int = 8, **changes: Any) -> Ticket:
    """A restricted one of Ann's, answered by direct message."""
    return ticket(number, **({"team": "hr", "restricted": True, "home": None, "subject": "My salary"} | changes))


def conversation(thread: Thread = ASKED, **changes: Any) -> Conversation:
    known: dict[str, Any] = {
        "key": thread.key,
        "thread": thread,
        "requester": "ann",
        "language": Language.EN,
        "team": "it",
        "question": "Printer on fire",
    }
    return Conversation(**(known | changes))


def entry(text: str, *, by: str = "ann", kind: EntryKind = EntryKind.MESSAGE, of: Message | None = None) -> Entry:
    return Entry(at=NOW, kind=kind, author=by, text=text, message=of.key if of else None)


def loaded(ticket: Ticket | None = None, **changes: Any) -> Loaded:
    """What storage finds for a thread; a ticket comes with running clocks and its conversation."""
    known: dict[str, Any] = {"ticket": ticket, "people": {"ann": person()}}
    if ticket is not None:
        past = story(ticket, TERMS)
        known |= {"clocks": past.clocks, "events": past.events, "opening": "Printer on fire", "terms": TERMS}
        known["conversation"] = conversation(ticket=ticket.id)
    return Loaded(**(known | changes))


def situation(by: str = "ann", found: Loaded | None = None, **changes: Any) -> Situation:
    readable = frozenset({"public"}) if by == "max" else frozenset({"public", "company"})
    known: dict[str, Any] = {
        "sender": person(by),
        "stranger": by == "max",
        "kb": KB.for_audience(readable),
        "new_number": lambda: 42,
        "new_id": lambda: "t42",
        "loaded": found or Loaded(),
    }
    return Situation(**(known | changes))


def decided(
    said: Message,
    found: Loaded | None = None,
    *,
    match: Match | None = None,
    now: datetime = NOW,
    language: Language = Language.EN,
    policy: Policy | None = None,
    **known: Any,
) -> Decision:
    """The decision on a message, after the laws that hold for every decision."""
    by = said.sender.account.user.removeprefix("U0").lower()
    known.setdefault("sender", person(by, language))
    decision = decide(said, situation(by, found, **known), match, policy or POLICY, now)
    keys = [item.key for item in decision.outgoing]
    assert len(keys) == len(set(keys)), f"two messages under one outbox key: {keys}"
    assert all(key.startswith((f"{said.key}/", "proposal:")) for key in keys)
    for item in decision.outgoing:
        render(item.notice, item.language)
    return decision


POLICY = policy()


# --- looking at decisions ----------------------------------------------------------------------
def phrases(decision: Decision) -> set[str]:
    return {item.notice.phrase for item in decision.outgoing if isinstance(item.notice, Say)}


def saying(decision: Decision, phrase: str) -> Outgoing:
    """The one message with this phrase."""
    (found,) = [item for item in decision.outgoing if isinstance(item.notice, Say) and item.notice.phrase == phrase]
    return found


def notice(decision: Decision, phrase: str) -> Say:
    found = saying(decision, phrase).notice
    assert isinstance(found, Say)
    return found


def changed(decision: Decision, kind: type[Change]) -> list[Any]:
    return [change for change in decision.changes if isinstance(change, kind)]


def to_requester(decision: Decision, requester: str = "ann", home: Thread | None = ASKED) -> list[Outgoing]:
    """All that the requester gets to see: in the thread they asked in, or alone."""
    return [
        item
        for item in decision.outgoing
        if (isinstance(item.to, InThread) and item.to.thread == home)
        or (isinstance(item.to, Direct | Privately) and item.to.person == requester)
    ]


def to_team(decision: Decision) -> list[Outgoing]:
    return [item for item in decision.outgoing if isinstance(item.to, UnderSlot)]


def commands(choices: tuple[Choice, ...]) -> list[str]:
    return [choice.command for choice in choices]


def words(document: Document) -> str:
    """All that a reader of the document sees."""
    return "\n".join(line for block in document.blocks for line in _lines(block))


def shown(item: Outgoing) -> str:
    return words(render(item.notice, item.language))


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(text) | Markdown(text) | Quote(text):
            yield text
        case Paragraph(line) | Small(line):
            yield text_of(line)
        case Facts(pairs):
            yield from (f"{label}: {text_of(line)}" for label, line in pairs)
        case Buttons(buttons):
            yield from (button.label for button in buttons)


def buttons(document: Document) -> list[Button]:
    return [button for block in document.blocks if isinstance(block, Buttons) for button in block.buttons]


# --- a knowledge base that answers by its titles -----------------------------------------------
@dataclass(frozen=True)
class ByTitle:
    """A matcher that answers a message holding an article's title, and opens a ticket otherwise."""

    kb: KnowledgeBase
    languages: Mapping[str, Language] = field(default_factory=dict)

    def match(self, text: str) -> Match:
        found = [article for article in self.kb.articles if article.title.lower() in text.lower()]
        verdict = Verdict.ANSWER if found else Verdict.TICKET
        language = self.languages.get(text, Language.EN)
        return replace(match(verdict, *found[:3]), language=language, team=found[0].team if found else None)


@dataclass(frozen=True)
class Known:
    """Implements `triage.desk.Knowing`."""

    kb: KnowledgeBase = KB
    languages: Mapping[str, Language] = field(default_factory=dict)

    def base(self, audience: frozenset[str]) -> KnowledgeBase:
        return self.kb.for_audience(audience)

    def matcher(self, audience: frozenset[str]) -> ByTitle:
        return ByTitle(self.base(audience), self.languages)


def mark_sent(
    outbox: Outbox,
    parcel: Parcel,
    ref: MessageRef | None = None,
    direct: Address | None = None,
    *,
    missed: str | None = None,
) -> bool:
    """Mark one parcel sent, as delivery does with several; False when its lease was lost."""
    (marked,) = outbox.sent([Sent(parcel=parcel, ref=ref, direct=direct, missed=missed)])
    return marked
