"""Events at a given rate, whether or not the desk keeps up, and when each was acknowledged and replied to.

Latency counts from when an event was to be sent, so that a desk that falls behind cannot hide it by slowing the
generator. Used by `tests.load.__main__`.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import quantiles

from tests.fakes.slack_payloads import signature
from tests.fakes.slack_server import FakeSlack
from tests.load.office import Event, Office
from tests.load.slack import BUSY
from tests.load.wire import Client, Got

PATIENCE = 3.0
"""Seconds that Slack waits for an acknowledgement."""
GRACE = 30.0
"""Seconds after the last event in which replies may still come."""


@dataclass(slots=True, kw_only=True)
class Sent:
    """One event's fate; monotonic seconds."""

    event: Event
    due: float
    refused: bool = False
    acknowledged: float | None = None
    replied: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency:
        if len(seconds) < 2:
            return cls(p50=float("nan"), p99=float("nan"))
        cuts = quantiles(seconds, n=100)
        return cls(p50=1_000 * cuts[49], p99=1_000 * cuts[98])


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one rate gave. Rates are events a second; `refused` were answered, but not with 200."""

    offered: float
    seconds: float
    durable: float
    talk: float
    refused: int
    unanswered: int
    unreplied: int
    ack: Latency
    reply: Latency
    kinds: Mapping[str, int]
    keys: Sequence[str] = field(repr=False)
    """Inbox keys of the durable events that were acknowledged."""


class Driver:
    """Sends to the desk's processes in turn, as a proxy would; `office` says what."""

    def __init__(self, office: Office, random: Random) -> None:
        self._office = office
        self._random = random
        self._sent: dict[str, Sent] = {}

    def arrived(self, key: str, at: float) -> None:
        """A message of the desk: its key begins with that of the event it answers."""
        found = self._sent.get(key.partition("/")[0] if key.startswith("slack:") else key)
        if found is not None and found.replied is None:
            found.replied = at

    async def run(self, ports: Sequence[int], *, rate: float, seconds: float, kind: str | None = None) -> Step:
        """`rate` events a second for so long, at random instants."""
        clients = [Client("127.0.0.1", port) for port in ports]
        self._sent = {}
        tasks: set[asyncio.Task[None]] = set()
        started = due = time.monotonic()
        while (due := due + self._random.expovariate(rate)) < started + seconds:
            if (early := due - time.monotonic()) > 0:
                await asyncio.sleep(early)
            event = self._office.event(kind)
            sent = self._sent[event.key] = Sent(event=event, due=due)
            task = asyncio.create_task(self._deliver(self._random.choice(clients), sent))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(set(tasks))
        await self._settle()
        for client in clients:
            client.close()
        return self._step(rate, seconds)

    async def _deliver(self, client: Client, sent: Sent) -> None:
        event = sent.event
        headers = signature(FakeSlack.signing_secret, int(time.time()), event.body)
        try:
            async with asyncio.timeout(PATIENCE):
                got = await client.post("/slack/events", event.body, {**headers, "content-type": event.content_type})
        except TimeoutError:
            return
        self._note(sent, got)

    def busy(self, key: str) -> None:
        """Slack was answered with 200, and the author with an apology: nothing of it is kept."""
        if (sent := self._sent.get(key)) is not None and not sent.refused:
            sent.refused, sent.acknowledged = True, None

    def _note(self, sent: Sent, got: Got) -> None:
        if not got.status:
            return
        sent.refused = sent.refused or got.status != 200 or BUSY in got.body.decode()
        if not sent.refused:
            sent.acknowledged = time.monotonic()

    async def _settle(self) -> None:
        """Until every acknowledged event has its reply, or none has come for a while."""
        until = time.monotonic() + GRACE
        while any(_waits(sent) for sent in self._sent.values()) and time.monotonic() < until:
            await asyncio.sleep(0.2)

    def _step(self, rate: float, seconds: float) -> Step:
        acknowledged = [sent for sent in self._sent.values() if sent.acknowledged is not None]
        durable = [sent for sent in acknowledged if sent.event.durable]
        refused = sum(sent.refused for sent in self._sent.values())
        last = max((sent.acknowledged or 0.0 for sent in acknowledged), default=0.0)
        first = min((sent.due for sent in self._sent.values()), default=0.0)
        took = max(seconds, last - first)
        return Step(
            offered=rate,
            seconds=seconds,
            durable=len(durable) / took,
            talk=(len(acknowledged) - len(durable)) / took,
            refused=refused,
            unanswered=len(self._sent) - len(acknowledged) - refused,
            unreplied=sum(_waits(sent) for sent in acknowledged),
            ack=Latency.of([sent.acknowledged - sent.due for sent in durable if sent.acknowledged]),
            reply=Latency.of([sent.replied - sent.due for sent in durable if sent.replied]),
            kinds=Counter(sent.event.kind for sent in acknowledged),
            keys=[sent.event.key for sent in durable],
        )


REPLIED = frozenset({"question", "request", "command"})
"""What is answered by a new message; the others change messages that stand."""


def _waits(sent: Sent) -> bool:
    return sent.event.kind in REPLIED and sent.acknowledged is not None and sent.replied is None
