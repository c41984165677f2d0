"""A demo desk for the web adapter's tests: people, teams, a clock that stands, ids that count."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from adapters.web.desk import DemoDesk, DemoPerson, DemoTeam, triage_channel
from adapters.web.news import News
from triage.document import Document
from triage.errors import TurnError
from triage.model import Language, Message
from triage.phrases import say
from triage.ports import NewId, Receipt, Transcript, WebPost

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


def counting(prefix: str) -> NewId:
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers)}"


class ListTranscript:
    """A `Transcript` in a list."""

    def __init__(self) -> None:
        self.posts: list[WebPost] = []

    def write(self, post: WebPost) -> WebPost:
        if post.key and (known := self.find(post.key)):
            return known
        self.posts.append(post)
        return post

    def replace(self, id: str, document: Document) -> bool:
        for index, post in enumerate(self.posts):
            if post.id == id:
                self.posts[index] = replace(post, document=document, edited=True)
                return True
        return False

    def find(self, key: str) -> WebPost | None:
        return next((post for post in self.posts if post.key == key), None)

    def read(self, channels: Sequence[str], user: str, limit: int) -> Sequence[WebPost]:
        seen = [post for post in self.posts if post.thread.channel.key in channels and post.only_for in (None, user)]
        return seen[-limit:]


@dataclass
class Desk:
    """An `Intake` that keeps what it was handed; `trouble` is raised instead while it is set."""

    receipt: Receipt = field(default_factory=Receipt)
    trouble: TurnError | None = None
    taken: list[Message] = field(default_factory=list)

    async def __call__(self, message: Message) -> Receipt:
        if self.trouble:
            raise self.trouble
        self.taken.append(message)
        return self.receipt


def demo_desk(intake: Desk, transcript: Transcript, news: News) -> DemoDesk:
    return DemoDesk(
        intake=intake,
        transcript=transcript,
        news=news,
        requesters=(DANA, MINJI, YIJUN),
        agents=(LEE, KIM, PARK, CHEN, SATO),
        teams=(IT, HR, FINANCE, FACILITIES),
        now=lambda: START,
        new_id=counting("p"),
        say=say,
        speed=60,
        timezone="Europe/London",
    )
