"""The company that writes to the desk: its desk.yaml, and an endless stream of what Slack sends about it.

Half is talk that is none of the desk's business, a third are questions that the articles answer, the rest
requests that become tickets, replies to them, buttons on their cards and commands. Pure but for the random
source and the clock it is given. Used by `tests.load.driver`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlencode

from bot import sample
from bot.kb import read_folder
from tests.fakes import slack_payloads as payloads
from tests.fakes.slack_server import FakeSlack

TEAMS = ("it", "hr", "finance", "facilities")
HELP_CHANNELS, TALK_CHANNELS = 15, 40
"""A team; and in the whole company."""
REQUESTERS, AGENTS = 500, 20
SHARES = {"talk": 50, "question": 33, "request": 6, "reply": 4, "button": 4, "command": 3}
"""Of a hundred events."""
TALK = (
    "lunch at noon?",
    "the release is out, thanks everybody",
    "who has the notes of yesterday's meeting",
    "on my way, five minutes late",
    "점심 먹으러 갈까요",
    "會議改到三點",
)
REQUESTS = (
    "the coffee grinder on the third floor sparks when I switch it on",
    "a pigeon is inside the archive and will not leave",
    "my standing desk only goes down, never up again",
    "복도 조명이 계속 깜박거리고 이상한 소리가 납니다",
    "會議室的投影布幕卡住了收不回去",
    "the printer prints everything in purple since this morning",
)
CLAIM = re.compile(rb"claim (\d+)")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One request to the desk. `key` is its inbox key, `kind` one of SHARES."""

    kind: str
    key: str
    body: bytes
    content_type: str

    @property
    def durable(self) -> bool:
        return self.kind != "talk"


def desk_yaml() -> Json:
    calendar = {
        "timezone": "Europe/London",
        "hours": {"mon-fri": ["09:00-12:30", "13:15-17:30"]},
        "holidays": ["GB-ENG"],
    }
    promises = {
        "normal": {"first_response": "4h", "next_reply": "8h", "resolution": "24h", "hours": "business"},
        "urgent": {"first_response": "15m", "resolution": "4h", "hours": "calendar"},
    }
    agents = {f"agent{n}": {"name": f"Agent {n}", "slack": f"UA{n}"} for n in range(AGENTS)}
    teams = {
        team: {
            "name": team.upper(),
            "agents": [f"agent{n}" for n in range(at, AGENTS, len(TEAMS))],
            "lead": f"agent{at}",
            "calendar": calendar,
            "sla": promises,
            "warn": ["50%", "-30m"],
            "slack": {"help": [f"CHELP{at}X{n}" for n in range(HELP_CHANNELS)], "triage": f"CTRIAGE{at}"},
        }
        for at, team in enumerate(TEAMS)
    }
    return {
        "kb": "kb/",
        "places": {"slack": [FakeSlack.team]},
        "people": agents,
        "teams": teams,
        "messages": {"per_minute": 100_000},
    }


@dataclass(slots=True, kw_only=True)
class Office:
    """`clock` gives unix seconds; two posts never have the same time stamp."""

    random: Random
    clock: Callable[[], float]
    actions: str
    """Base of the response_urls."""
    _count: int = 0
    _asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Requests by channel, time stamp and author."""
    _cards: list[tuple[str, str, int]] = field(default_factory=list)
    """Cards by channel, time stamp and ticket."""
    _questions: Sequence[str] = field(default_factory=lambda: questions())

    def event(self, kind: str | None = None) -> Event:
        """The next one, of this kind or as the shares have it."""
        chosen = kind or self.random.choices(tuple(SHARES), weights=tuple(SHARES.values()))[0]
        match chosen:
            case "talk":
                return self._talk()
            case "question":
                return self._post("question", self._help(), self._requester(), self.random.choice(self._questions))
            case "reply" if self._asked:
                channel, ts, author = self.random.choice(self._asked)
                return self._post("reply", channel, author, f"it is still so, since {self._next()} minutes", thread=ts)
            case "button" if self._cards:
                return self._button()
            case "command":
                return self._command()
            case _:
                return self._request()

    def posted(self, channel: str, ts: str, body: bytes) -> None:
        """What the desk wrote: a ticket's card can be pressed from now on."""
        if channel.startswith("CTRIAGE") and (found := CLAIM.search(body)):
            self._cards.append((channel, ts, int(found[1])))

    def _talk(self) -> Event:
        thread = f"{int(self.clock()) - 600}.000100" if self.random.random() < 0.5 else None
        channel = f"CTALK{self.random.randrange(TALK_CHANNELS)}"
        return self._post("talk", channel, self._requester(), self.random.choice(TALK), thread=thread)

    def _request(self) -> Event:
        channel, author = self._help(), self._requester()
        event = self._post("request", channel, author, self.random.choice(REQUESTS))
        self._asked.append((channel, event.key.rpartition(":")[2], author))
        return event

    def _button(self) -> Event:
        channel, ts, number = self.random.choice(self._cards)
        verb = self.random.choice((f"claim {number}", f"show {number}", f"why {number}"))
        user = {"id": self._agent(), "team_id": FakeSlack.team, "name": "agent"}
        trigger = f"trigger{self._next()}"
        body = payloads.block_actions(
            {"type": "button", "action_id": "do", "value": verb, "text": {"type": "plain_text", "text": "Do"}},
            {"type": "message", "ts": ts, "text": "a card", "user": FakeSlack.bot},
            user=user,
            channel=channel,
            channel_name=channel.lower(),
            team=FakeSlack.team,
            app=FakeSlack.app_id,
            trigger=trigger,
            url=f"{self.actions}/{trigger}",
        )
        return _form("button", f"slack:{FakeSlack.team}:trigger:{trigger}", {"payload": json.dumps(body)})

    def _command(self) -> Event:
        trigger, channel = f"trigger{self._next()}", self._help()
        body = payloads.slash_command(
            self.random.choice(("mine", "queue", "help", "ask how do I get a new badge")),
            user=self._agent(),
            user_name="agent",
            channel=channel,
            channel_name=channel.lower(),
            team=FakeSlack.team,
            app=FakeSlack.app_id,
            trigger=trigger,
            url=f"{self.actions}/{trigger}",
        )
        return _form("command", f"slack:{FakeSlack.team}:trigger:{trigger}", body)

    def _post(self, kind: str, channel: str, user: str, text: str, *, thread: str | None = None) -> Event:
        n, now = self._next(), self.clock()
        ts = f"{int(now)}.{n % 1_000_000:06d}"
        post = {"type": "message", "user": user, "text": text, "ts": ts, "team": FakeSlack.team}
        if thread:
            post["thread_ts"] = thread
        event = payloads.message(post, channel=channel, channel_type="channel")
        body = payloads.callback(
            event, team=FakeSlack.team, app=FakeSlack.app_id, bot=FakeSlack.bot, id=f"Ev{n}", at=int(now)
        )
        raw, content_type = payloads.as_json(body)
        return Event(kind=kind, key=f"slack:{FakeSlack.team}:{channel}:{ts}", body=raw, content_type=content_type)

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _requester(self) -> str:
        return f"U{self.random.randrange(REQUESTERS):04d}"

    def _agent(self) -> str:
        return f"UA{self.random.randrange(AGENTS)}"

    def _help(self) -> str:
        return f"CHELP{self.random.randrange(len(TEAMS))}X{self.random.randrange(HELP_CHANNELS)}"


def questions() -> Sequence[str]:
    """All phrasings of the sample articles that everybody may read."""
    found, _ = read_folder(sample.files() / "kb")
    open_to_all = (article for article in found.articles if article.audience == "company")
    return [phrasing for article in open_to_all for phrasing in article.phrasings]


def _form(kind: str, key: str, body: Json) -> Event:
    return Event(kind=kind, key=key, body=urlencode(body).encode(), content_type="application/x-www-form-urlencoded")
