"""The same few moves on three platforms: ask, press, write in a thread, and look at what is shown.

Each stage is the real adapter against its fake server (the web page's own posting for the web).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette

from adapters.slack.adapter import SlackAdapter, SlackSettings
from adapters.teams.adapter import TeamsAdapter
from adapters.web.desk import DemoPerson, direct_channel, triage_channel
from adapters.web.news import News
from adapters.web.port import WebPort
from adapters.web.posting import Posting
from bot.compose import new_id
from bot.running import Running
from storage.schema import migrate
from tests.contract.slack_harness import words
from tests.contract.web_harness import words_of
from tests.fakes.slack_server import FakeSlack
from tests.fakes.teams_connector import CHANNEL, TENANT, FakeTeams, object_id
from tests.scenario.desk import World, policy, settle
from triage.document import Buttons, Document
from triage.model import Channel, Language, Platform, Sender
from triage.transcripts import WebPost


class Stage(Protocol):
    world: World
    desk: Running

    async def ask(self, text: str) -> None:
        """Dana starts a new conversation."""
        ...

    async def says(self, text: str, *, mention: bool = False) -> None:
        """Dana writes below her last question."""
        ...

    async def press(self, label: str) -> None:
        """Lee presses a button on the newest card."""
        ...

    async def dana_presses(self, label: str) -> None: ...

    async def lee_presses(self, label: str) -> None:
        """Lee presses a button on the newest message to him alone that has it."""
        ...

    async def team_says(self, text: str) -> None:
        """Lee writes in the newest card's thread."""
        ...

    async def orders(self, text: str) -> None:
        """Lee gives a command in the triage channel, by slash or mention as the platform has it."""
        ...

    def dana_sees(self) -> list[str]: ...

    def card(self) -> str:
        """The newest card as it is shown now."""
        ...

    def under_card(self) -> list[str]: ...

    def lee_sees(self) -> list[str]:
        """What the bot told Lee directly or for his eyes only."""
        ...


# --- Slack -------------------------------------------------------------------------------------
class SlackStage:
    def __init__(self, slack: FakeSlack, world: World, desk: Running) -> None:
        self.slack, self.world, self.desk = slack, world, desk
        self.thread = ""

    async def ask(self, text: str) -> None:
        self.thread = await self.slack.say("UDANA", "CHELP", text)
        await settle(self.desk)

    async def says(self, text: str, *, mention: bool = False) -> None:
        said = f"<@{self.slack.bot}> {text}" if mention else text
        await self.slack.say("UDANA", "CHELP", said, thread=self.thread)
        await settle(self.desk)

    async def press(self, label: str) -> None:
        await self.slack.deliver(self.slack.press("ULEE", self._card(), label, channel="CTRIAGE"))
        await settle(self.desk)

    async def dana_presses(self, label: str) -> None:
        shown = [p for p in self.slack.messages("CHELP", self.thread) if label in str(p.get("blocks"))]
        await self.slack.deliver(self.slack.press("UDANA", shown[-1], label, channel="CHELP"))
        await settle(self.desk)

    async def lee_presses(self, label: str) -> None:
        shown, channel = [(p, c) for p, c in self._to_lee() if label in str(p.get("blocks"))][-1]
        await self.slack.deliver(self.slack.press("ULEE", shown, label, channel=channel))
        await settle(self.desk)

    async def team_says(self, text: str) -> None:
        await self.slack.say("ULEE", "CTRIAGE", text, thread=str(self._card()["ts"]))
        await settle(self.desk)

    async def orders(self, text: str) -> None:
        await self.slack.deliver(self.slack.command("ULEE", "CTRIAGE", text))
        await settle(self.desk)

    def dana_sees(self) -> list[str]:
        return [_read(post) for post in self.slack.messages("CHELP", self.thread) if "blocks" in post]

    def card(self) -> str:
        return _read(self._card())

    def under_card(self) -> list[str]:
        return [_read(post) for post in self.slack.messages("CTRIAGE", str(self._card()["ts"])) if "blocks" in post]

    def lee_sees(self) -> list[str]:
        return [_read(post) for post, _ in self._to_lee()]

    def _to_lee(self) -> list[tuple[dict[str, Any], str | None]]:
        """What only he sees, with the channel of each post."""
        direct = self.slack.messages("DULEE") if "DULEE" in self.slack.state.channels else []
        alone = [post for post in self.slack.ephemerals if post.get("to", "ULEE") == "ULEE"]
        return [*((post, "DULEE") for post in direct), *((post, None) for post in alone)]

    def _card(self) -> dict[str, Any]:
        return [p for p in self.slack.messages("CTRIAGE") if "blocks" in p and "thread_ts" not in p][-1]


def _read(post: dict[str, Any]) -> str:
    """The post as a person reads it: bold is bold, and a mention shows the name."""
    return re.sub(r"<@U(\w+)>", lambda user: user[1].title(), words(post)).replace("*", "")


@asynccontextmanager
async def slack_stage(folder: Path, *, database: str | None = None) -> AsyncIterator[Stage]:
    """`database` is used instead of a file in `folder`."""
    async with FakeSlack() as slack:
        for user in ("UDANA", "ULEE", "UKIM"):
            slack.add_user(user, name=user[1:].title())
        slack.add_channel("CHELP", members={"UDANA", "ULEE"})
        slack.add_channel("CTRIAGE", members={"ULEE", "UKIM"})
        place = slack.team
        url = database or _file(folder)
        world = _world(url, Platform.SLACK, place, {"lee": "ULEE", "kim": "UKIM"}, "CHELP", "CTRIAGE")
        async with slack_process(slack, world) as desk:
            yield SlackStage(slack, world, desk)


@asynccontextmanager
async def slack_process(slack: FakeSlack, world: World) -> AsyncIterator[Running]:
    """One life of the bot on this world."""
    desk = world.desk()
    settings = SlackSettings(bot_token=slack.token, signing_secret=slack.signing_secret, base_url=slack.url)
    adapter = SlackAdapter(settings, intake=desk.turns, busy=lambda _: "busy", first_pause=0.01)
    slack.deliver_to(Starlette(routes=adapter.routes))
    desk.ports[Platform.SLACK] = adapter.port
    await adapter.start()
    await adapter.wait_ready()
    try:
        yield desk
    finally:
        await adapter.stop()
        await desk.stop()


# --- Teams -------------------------------------------------------------------------------------
HELP = "19:requests@thread.tacv2"


class TeamsStage:
    def __init__(self, teams: FakeTeams, app: Starlette, world: World, desk: Running) -> None:
        self.teams, self.app, self.world, self.desk = teams, app, world, desk
        self.thread = ""

    async def ask(self, text: str) -> None:
        activity = self.teams.activity(text, user="dana", conversation=HELP, mention=True)
        self.thread = activity["id"]
        await self._deliver(activity)

    async def says(self, text: str, *, mention: bool = False) -> None:
        await self._deliver(
            self.teams.activity(text, user="dana", conversation=HELP, thread=self.thread, mention=mention)
        )

    async def press(self, label: str) -> None:
        await self._deliver(self.teams.press(self._command(self._card(), label), self._card(), user="lee"))

    async def dana_presses(self, label: str) -> None:
        shown = [p for p in self.teams.messages(HELP) if p.card and label in str(p.card)][-1]
        await self._deliver(self.teams.press(self._command(shown, label), shown, user="dana"))

    async def lee_presses(self, label: str) -> None:
        chat = self.teams.chat_with("lee")
        shown = [p for p in self.teams.messages(chat) if p.card and label in str(p.card)][-1]
        await self._deliver(self.teams.press(self._command(shown, label), shown, user="lee"))

    async def team_says(self, text: str) -> None:
        await self._deliver(self.teams.activity(text, user="lee", conversation=CHANNEL, thread=self._card().id))

    async def orders(self, text: str) -> None:
        await self._deliver(self.teams.activity(text, user="lee", conversation=CHANNEL, mention=True))

    def dana_sees(self) -> list[str]:
        return [post.text for post in self.teams.messages(HELP, self.thread)]

    def card(self) -> str:
        return str(self._card().text)

    def under_card(self) -> list[str]:
        return [post.text for post in self.teams.messages(CHANNEL, self._card().id)[1:]]

    def lee_sees(self) -> list[str]:
        return [post.text for post in self.teams.messages(self.teams.chat_with("lee"))]

    def _card(self) -> Any:
        return [p for p in self.teams.messages(CHANNEL) if p.conversation.endswith(f"messageid={p.id}")][-1]

    def _command(self, post: Any, label: str) -> str:
        actions = [action for block in post.card["body"] for action in block.get("actions", [])]
        return str(next(a["data"]["command"] for a in actions if a["title"] == label))

    async def _deliver(self, activity: Any) -> None:
        answer = await self.teams.deliver(self.app, activity)
        assert answer.status_code < 300, answer.text
        await settle(self.desk)


@asynccontextmanager
async def teams_stage(folder: Path) -> AsyncIterator[Stage]:
    async with FakeTeams() as teams:
        agents = {"lee": object_id("lee"), "kim": object_id("kim")}
        world = _world(_file(folder), Platform.TEAMS, TENANT, agents, HELP, CHANNEL)
        desk = world.desk()
        adapter = TeamsAdapter(
            teams.settings, desk.turns, retry_text=lambda _: "busy", done_text=lambda _: "done", token=teams.bot_token
        )
        desk.ports[Platform.TEAMS] = adapter.port
        await adapter.start()
        while not adapter.ready:
            await asyncio.sleep(0.01)
        try:
            yield TeamsStage(teams, Starlette(routes=adapter.routes), world, desk)
        finally:
            await adapter.stop()
            await desk.stop()


# --- web ---------------------------------------------------------------------------------------
class WebStage:
    def __init__(self, posting: Posting, world: World, desk: Running) -> None:
        self.posting, self.world, self.desk = posting, world, desk
        self.dana = DemoPerson(user="dana", name="Dana")
        self.lee = DemoPerson(user="lee", name="Lee", team="it")
        self.chat, self.triage = direct_channel("dana"), triage_channel("it")

    async def ask(self, text: str) -> None:
        await self._posts(self.dana, self.chat, text)

    async def says(self, text: str, *, mention: bool = False) -> None:
        await self._posts(self.dana, self.chat, f"@Deskbell {text}" if mention else text)

    async def press(self, label: str) -> None:
        await self._press(self.lee, self._card(), label)

    async def dana_presses(self, label: str) -> None:
        shown = [post for post in self._read(self.chat, "dana") if label in str(post.document)]
        await self._press(self.dana, shown[-1], label)

    async def lee_presses(self, label: str) -> None:
        await self._press(self.lee, [post for post in self._to_lee() if label in str(post.document)][-1], label)

    async def team_says(self, text: str) -> None:
        await self._posts(self.lee, self.triage, text, thread=self._card().id)

    async def orders(self, text: str) -> None:
        await self._posts(self.lee, self.triage, f"/desk {text}")

    def dana_sees(self) -> list[str]:
        return [words_of(post) for post in self._read(self.chat, "dana") if post.author is None]

    def card(self) -> str:
        return words_of(self._card())

    def under_card(self) -> list[str]:
        root = self._card().id
        posts = self._read(self.triage, "lee")
        return [words_of(post) for post in posts if post.thread.root == root and post.author is None]

    def lee_sees(self) -> list[str]:
        return [words_of(post) for post in self._to_lee()]

    def _to_lee(self) -> list[WebPost]:
        direct = self._read(direct_channel("lee"), "lee")
        private = [post for post in self._read(self.triage, "lee") if post.only_for == "lee" and post.author is None]
        return [*direct, *private]

    def _read(self, channel: Channel, user: str) -> list[WebPost]:
        return list(self.desk.storage.transcript.read([channel.key], user, 100))

    def _card(self) -> WebPost:
        posts = self._read(self.triage, "lee")
        return [p for p in posts if p.author is None and p.thread.root is None and p.only_for is None][-1]

    async def _posts(self, person: DemoPerson, channel: Channel, text: str, *, thread: str | None = None) -> None:
        await self.posting.post(_sender(person), channel, text, thread=thread)
        await settle(self.desk)

    async def _press(self, person: DemoPerson, post: WebPost, label: str) -> None:
        await self.posting.press(_sender(person), post, _command(post.document, label))
        await settle(self.desk)


def _sender(person: DemoPerson) -> Sender:
    return Sender(account=person.account, name=person.name, locale=Language.EN)


def _command(document: Document, label: str) -> str:
    buttons = [b for block in document.blocks if isinstance(block, Buttons) for b in block.buttons]
    return next(button.command for button in buttons if button.label == label)


@asynccontextmanager
async def web_stage(folder: Path, *, restricted: bool = False) -> AsyncIterator[Stage]:
    world = _world(_file(folder), Platform.WEB, "demo", {"lee": "lee", "kim": "kim"}, "it-help", "triage-it")
    teams = {id: replace(team, restricted=restricted) for id, team in world.policy.teams.items()}
    world.policy = replace(world.policy, teams=teams)
    desk, news = world.desk(), News()
    transcript = desk.storage.transcript
    desk.ports[Platform.WEB] = WebPort(transcript, now=desk.now, new_id=new_id, changed=news)
    posting = Posting(intake=desk.turns, transcript=transcript, news=news, now=desk.now, new_id=new_id)
    try:
        yield WebStage(posting, world, desk)
    finally:
        await desk.stop()


# --- common ------------------------------------------------------------------------------------
STAGES: dict[str, Callable[[Path], AbstractAsyncContextManager[Stage]]] = {
    "slack": slack_stage,
    "teams": teams_stage,
    "web": web_stage,
}


def _file(folder: Path) -> str:
    return f"sqlite:///{folder / 'desk.db'}"


def _world(url: str, platform: Platform, place: str, agents: dict[str, str], help: str, triage: str) -> World:
    world = World(
        url,
        policy(
            platform,
            place,
            agents,
            Channel(platform=platform, place=place, id=help),
            Channel(platform=platform, place=place, id=triage),
        ),
    )
    migrate(world.url)
    return world
