"""A demo desk for the web adapter's tests: people, teams, a clock that stands, ids that count."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapters.web.desk import DemoDesk, DemoPerson, DemoTeam, direct_channel, triage_channel
from adapters.web.news import News
from triage.document import Document
from triage.errors import TurnError, Unavailable
from triage.model import Language, Message
from triage.phrases import say
from triage.ports import NewId, Receipt
from triage.transcripts import Transcript, WebPost

START = datetime(2026, 3, 6, 9, 30, tzinfo=UTC)

DANA = DemoPerson(user="dana", name="Dana")
MINJI = DemoPerson(user="minji", name="민지 Minji", language=Language.KO)
YIJUN = DemoPerson(user="yijun", name="怡君 Yijun", language=Language.ZH_HANT)
LEE = DemoPerson(user="lee", name="Lee", team="it")
KIM = DemoPerson(user="kim", name="Kim", team="it")
PARK = DemoPerson(user="park", name="Park", team="hr")
CHEN = DemoPerson(user="chen", name="Chen", team="finance")
SATO = DemoPerson(user="sato", name="Sato", team="facilities")

IT = DemoTeam(id="it", name="IT", channel=triage_channel("it"))
HR = DemoTeam(id="hr", name="HR", channel=triage_channel("hr"), private=True)
FINANCE = DemoTeam(id="finance", name="Finance", channel=triage_channel("finance"))
FACILITIES = DemoTeam(id="facilities", name="Facilities", channel=triage_channel("facilities"))

REQUESTERS = (DANA, MINJI, YIJUN)
AGENTS = (LEE, KIM, PARK, CHEN, SATO)
TEAMS = (IT, HR, FINANCE, FACILITIES)


def counting(prefix: str) -> NewId:
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers)}"


def written(transcript: Transcript, user: str = "dana") -> list[WebPost]:
    """Every post this user may see, oldest first."""
    channels = [direct_channel(person.user) for person in (*REQUESTERS, *AGENTS)] + [team.channel for team in TEAMS]
    return list(transcript.read([channel.key for channel in channels], user, 1_000))


@dataclass
class Failing:
    """A `Transcript` that cannot be reached for writing while it is `down`."""

    real: Transcript
    down: bool = True

    def write(self, post: WebPost) -> WebPost:
        if self.down:
            raise Unavailable("the database cannot be reached")
        return self.real.write(post)

    def replace(self, id: str, document: Document) -> bool:
        return self.real.replace(id, document)

    def find(self, key: str) -> WebPost | None:
        return self.real.find(key)

    def read(self, channels: Sequence[str], user: str, limit: int) -> Sequence[WebPost]:
        return self.real.read(channels, user, limit)


@dataclass
class Desk:
    """An `Intake` that keeps what it was handed; `trouble` is raised instead while it is set."""

    receipt: Receipt = field(default_factory=Receipt)
    trouble: TurnError | None = None
    taken: list[Message] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, message: Message) -> Receipt:
        if self.trouble:
            raise self.trouble
        self.taken.append(message)
        self._news.set()
        return self.receipt

    async def first(self) -> Message:
        """The first message handed in, as soon as there is one."""
        async with asyncio.timeout(5):
            await self._news.wait()
        return self.taken[0]


def demo_desk(intake: Desk, transcript: Transcript, news: News) -> DemoDesk:
    return DemoDesk(
        intake=intake,
        transcript=transcript,
        news=news,
        requesters=REQUESTERS,
        agents=AGENTS,
        teams=TEAMS,
        now=lambda: START,
        new_id=counting("p"),
        say=say,
        speed=60,
        timezone="Europe/London",
    )
