"""A busy desk for benchmarks: its policy, and tickets that the product itself opened, to be copied by `filling`.

Everything goes through `Desk.take` and the outbox: each ticket was asked for, most were claimed and answered,
and what was said of them counts as delivered. Made once a run by `tests.benchmarks.sweeps`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from pathlib import Path

from sqlalchemy import update

from bot.compose import new_id
from bot.running import introduce
from storage.rows import tickets
from storage.schema import migrate
from storage.sql import SqlStorage
from tests.benchmarks.calendars import ENGLAND, HOUR
from tests.benchmarks.databases import filling_engine
from tests.builders import Known, mark_sent
from triage.calendars import walk_back
from triage.desk import Desk
from triage.model import Account, Channel, Kind, Message, MessageRef, Platform, Priority, Sender, Thread
from triage.outgoing import InThread, OnSlot, UnderSlot
from triage.policy import Member, Metric, Policy, Targets, Team, Terms
from triage.ports import Parcel
from triage.sweeping import sweep

NOW = datetime(2026, 3, 9, 10, tzinfo=UTC)
"""A Monday morning in London."""

ROUND = timedelta(minutes=13)
"""Between two rounds: nobody gets more messages in an hour than the product allows."""

ANSWERED, SOLVED = 16 * HOUR, 24 * HOUR
"""What is promised: a first answer and a solution, in working time."""

PLACE = "T1"
HELP = Channel(platform=Platform.SLACK, place=PLACE, id="C0HELP")
TRIAGE = Channel(platform=Platform.SLACK, place=PLACE, id="C0TRIAGE")
REQUESTERS = 100
SEEDS = 5
"""Of each group, and with that instants at which its tickets are due; calm ones are four times as many."""

FIRST_NUMBER = 9_000_000
"""Ticket numbers of seven digits, found again in any text."""


class Variety(StrEnum):
    """What becomes due: half of a target, for an owner or for a team together, or the whole of it."""

    WARNED = "warned, with owner"
    UNOWNED = "warned, no owner"
    BROKEN = "broken, with owner"


USED = {Variety.WARNED: SOLVED // 2, Variety.UNOWNED: ANSWERED // 2, Variety.BROKEN: SOLVED}
"""Working time after which it happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Tickets that become due together, in one round; `variety` is None for those that are not due for long."""

    variety: Variety | None = None
    round: int = 0

    @property
    def due(self) -> datetime:
        return NOW + self.round * ROUND


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A ticket to be copied; `token` stands in the id of every message about it, `agent` names its owner."""

    id: str
    number: int
    token: str
    agent: str
    group: Group


def agents(count: int) -> tuple[str, ...]:
    return tuple(f"agent{n:02d}" for n in range(count))


def policy(agents: Sequence[str]) -> Policy:
    targets = Targets(seconds={Metric.FIRST_RESPONSE: ANSWERED, Metric.RESOLUTION: SOLVED})
    team = Team(
        id="it",
        name="IT",
        agents=tuple(agents),
        lead="lead",
        terms=Terms(calendar=ENGLAND, targets=dict.fromkeys(Priority, targets), warn=("50%",)),
        help=(HELP,),
        triage={Platform.SLACK: TRIAGE},
    )
    people = {id: Member(id=id, name=id.title(), accounts=(_account(id),)) for id in (*agents, "lead")}
    return Policy(teams={"it": team}, people=people, places=frozenset({(Platform.SLACK, PLACE)}))


def _account(id: str) -> Account:
    return Account(platform=Platform.SLACK, place=PLACE, user=f"U{id}")


class Office:
    """Opens tickets as they come, on a clock of its own, in a database that need not survive a crash."""

    def __init__(self, folder: Path, agents: Sequence[str]) -> None:
        url = f"sqlite:///{folder / 'seeds.db'}"
        migrate(url)
        self.engine = filling_engine(url)
        self.storage = SqlStorage(self.engine)
        self.policy = policy(agents)
        self._agents = agents
        self._at = NOW - timedelta(days=30)
        self._seeds = count(1)
        self._ids: list[str] = []
        self._posted = count(1)
        self.desk = Desk(self.storage, Known(), lambda: self.policy, now=lambda: self._at, new_id=self._new_id)
        introduce(self.storage, self.policy, self._at)
        self._ask("1600000000", 0)
        self._deliver("1600000000")
        with self.engine.begin() as db:
            db.execute(update(tickets).values(number=FIRST_NUMBER))

    def seeds(self, groups: Sequence[Group]) -> list[Seed]:
        """Some tickets for each group, and some that are calm; all as they are at NOW."""
        found = [self._opened(group, n) for group in groups for n in range(SEEDS)]
        found += [self._opened(Group(), n) for n in range(4 * SEEDS)]
        self._at = NOW - timedelta(minutes=1)
        sweep(self.storage, self.policy, lambda: self._at)
        self._deliver("1600000001")
        return found

    def _opened(self, group: Group, place: int) -> Seed:
        n = next(self._seeds)
        token, agent = f"16{n + 1:08d}", self._agents[n % len(self._agents)]
        used = USED[group.variety] if group.variety else HOUR + 60 * place
        self._at = walk_back(ENGLAND, group.due - timedelta(seconds=place), used)
        id = self._ask(token, n % REQUESTERS)
        self._deliver(token)
        if group.variety is not Variety.UNOWNED:
            card = f"{token}.000201"
            self._say(f"claim {FIRST_NUMBER + n}", agent, TRIAGE, f"{token}.000301", kind=Kind.BUTTON, thread=card)
            self._say("I am looking into it.", agent, TRIAGE, f"{token}.000302", thread=card)
            self._deliver(token)
        return Seed(id=id, number=FIRST_NUMBER + n, token=token, agent=agent, group=group)

    def _ask(self, token: str, requester: int) -> str:
        """The id of the ticket that is opened."""
        self._ids.clear()
        self._posted = count(1)
        self._say("The coffee grinder on our floor sparks", f"ann{requester:02d}", HELP, f"{token}.000101")
        return self._ids[-1]

    def _say(
        self, text: str, by: str, channel: Channel, ts: str, *, kind: Kind = Kind.POST, thread: str | None = None
    ) -> None:
        key = f"slack:{PLACE}:{channel.id}:{ts}"
        sender = Sender(account=_account(by), name=by.title())
        self.desk.take(Message(key=key, kind=kind, sender=sender, channel=channel, id=ts, text=text, thread=thread))

    def _deliver(self, token: str) -> None:
        while parcels := self.storage.outbox.lease(100):
            for parcel in parcels:
                mark_sent(self.storage.outbox, parcel, self._ref(parcel, token))

    def _ref(self, parcel: Parcel, token: str) -> MessageRef | None:
        """The first message of a ticket is its promise, the second its card."""
        match parcel.outgoing.to:
            case InThread(thread=thread):
                place = thread
            case UnderSlot(channel=channel):
                place = Thread(channel=channel, root=parcel.ref.id if parcel.ref else None)
            case OnSlot():
                return parcel.ref
            case _:
                return None
        card = parcel.outgoing.slot is not None and parcel.outgoing.slot.startswith("card:")
        number = 1 if card else next(self._posted) + 1
        return MessageRef(thread=place, id=f"{token}.{200 + number:06d}")

    def _new_id(self) -> str:
        self._ids.append(new_id())
        return self._ids[-1]


def rounds(count: int) -> Iterator[Group]:
    """So many rounds of each variety, one after the other."""
    number = 0
    for variety in Variety:
        for _ in range(count):
            number += 1
            yield Group(variety=variety, round=number)
