"""The two halves of the demo page: whoever asks, and whoever helps. Made by `adapters.web.page`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol

from nicegui import background_tasks, events, ui

from adapters.web.chat import Chat, View
from adapters.web.desk import DemoDesk, DemoPerson, direct_channel
from adapters.web.elements import Text, box
from adapters.web.news import Shown
from adapters.web.posting import Posting
from adapters.web.visit import DIRECT, Visit, home
from adapters.web.words import Words
from triage.model import Channel, Language

Choose = Callable[[events.ValueChangeEventArguments[str]], Awaitable[None]]

EXAMPLES = ("page.try.1", "page.try.2", "page.try.3")


class Page(Protocol):
    """What a side needs of the page it is half of."""

    desk: DemoDesk
    posting: Posting
    visit: Visit
    unread: Counter[str]

    @property
    def words(self) -> Words: ...

    def become(self, visit: Visit) -> None: ...


class RequesterSide:
    """The requester's direct chat with the bot, and a few questions to begin with."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._chat: Chat | None = None
        words = page.words
        options = {
            person.user: words.person(person, words(f"page.language.{person.language}"))
            for person in page.desk.requesters
        }
        with box("section", "db-side", aria_label=words("page.chat")):
            with box("div", "db-head"):
                _title(words("page.chat"), words("page.chat_hint"))
                _people(words("page.you_are"), options, page.visit.requester.user, self._be)
            self._box = box("div", "db-chat")

    async def show(self) -> None:
        page, words = self._page, self._page.words
        person = page.visit.requester
        self._box.clear()
        with self._box:
            self._chat = Chat(
                View(
                    desk=page.desk,
                    posting=page.posting,
                    words=words,
                    person=person,
                    locale=person.language,
                    channel=direct_channel(person.user),
                    label=words("page.write"),
                    empty=(words("page.empty_chat"), words("page.empty_chat_hint")),
                )
            )
            self._examples(self._chat, person)
            self._chat.composer()
        await self._chat.refresh()

    def on_shown(self, shown: Shown) -> None:
        _refresh(self._chat, shown)

    def _examples(self, chat: Chat, person: DemoPerson) -> None:
        """In the language of whoever asks, which a visitor need not be able to type."""
        page = self._page
        with box("div", "db-try", role="group", aria_label=page.words("page.try")):
            Text(page.words("page.try"), classes="db-try-label")
            for key in EXAMPLES:
                _example(chat, page.desk.say(key, person.language), person.language)

    async def _be(self, event: events.ValueChangeEventArguments[str]) -> None:
        page = self._page
        person = next(person for person in page.desk.requesters if person.user == event.value)
        page.become(page.visit.but(requester=person))
        await self.show()


class AgentSide:
    """The triage channels and the direct messages of one agent."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._chat: Chat | None = None
        words = page.words
        teams = {team.id: team.name for team in page.desk.teams}
        options = {agent.user: words.person(agent, teams.get(agent.team or "", "")) for agent in page.desk.agents}
        with box("section", "db-side db-side-desk", aria_label=words("page.desk")):
            with box("div", "db-head"):
                _title(words("page.desk"), words("page.desk_hint"))
                _people(words("page.you_are"), options, page.visit.agent.user, self._be)
            self._tabs_of(words)
            self._box = box("div", "db-chat")

    def _tabs_of(self, words: Words) -> None:
        page = self._page
        self._counts: dict[str, Text] = {}
        self._tabs = ui.tabs(value=None).props("no-caps dense align=left inline-label indicator-color=transparent")
        self._tabs.classes("db-tabs").props["aria-label"] = words("page.channels")
        with self._tabs:
            for team in page.desk.teams:
                icon = "lock" if team.private else "tag"
                with ui.tab(team.id, label=team.name, icon=icon):
                    self._counts[team.id] = Text("", classes="db-count")
            with ui.tab(DIRECT, label=words("page.direct"), icon="forum").classes("db-tab-direct"):
                self._counts[DIRECT] = Text("", classes="db-count")
        self._tabs.value = page.visit.tab
        self._tabs.on_value_change(self._open)

    def on_shown(self, shown: Shown) -> None:
        """Show it, or count it as unread; a direct message is announced as well."""
        page, channel = self._page, shown.channel
        _refresh(self._chat, shown)
        if shown.fresh and page.visit.channel(page.desk) != channel:
            page.unread[channel.key] += 1
            self.count()
            if channel == direct_channel(page.visit.agent.user):
                with self._box:
                    ui.notify(page.words("page.direct_new"), icon="notifications", position="top-right")

    async def show(self) -> None:
        page = self._page
        channel = page.visit.channel(page.desk)
        self._box.clear()
        if channel is None:
            self._chat = None
            self._closed()
        else:
            page.unread.pop(channel.key, None)
            with self._box:
                self._chat = Chat(self._view(channel))
                self._chat.composer()
            await self._chat.refresh()
        self.count()

    def count(self) -> None:
        """Put the number of unread posts on each tab."""
        page = self._page
        for tab, label in self._counts.items():
            channel = page.visit.but(tab=tab).channel(page.desk)
            unread = page.unread[channel.key] if channel else 0
            label.text = str(unread or "")
            label.props["title"] = page.words("page.unread", count=unread)
            label.set_visibility(unread > 0)

    def _view(self, channel: Channel) -> View:
        page, words = self._page, self._page.words
        team = page.visit.team(page.desk)
        if team is None:
            label = words("page.write_direct")
            empty = words("page.empty_direct"), words("page.empty_direct_hint", name=page.visit.agent.name)
        else:
            label = words("page.write_channel", team=team.name)
            empty = words("page.empty_channel"), words("page.empty_channel_hint")
        return View(
            desk=page.desk,
            posting=page.posting,
            words=words,
            person=page.visit.agent,
            locale=page.visit.language,
            channel=channel,
            label=label,
            empty=empty,
        )

    def _closed(self) -> None:
        page, words = self._page, self._page.words
        team = page.visit.team(page.desk)
        with self._box, box("div", "db-empty db-closed"):
            ui.icon("lock").props["aria-hidden"] = "true"
            Text(words("page.private"), "p", classes="db-empty-title")
            Text(words("page.private_hint", team=team.name if team else ""), "p", classes="db-empty-hint")

    async def _be(self, event: events.ValueChangeEventArguments[str]) -> None:
        page = self._page
        agent = next(agent for agent in page.desk.agents if agent.user == event.value)
        stays = page.visit.tab == DIRECT
        page.become(page.visit.but(agent=agent, tab=DIRECT if stays else home(page.desk, agent)))
        if self._tabs.value == page.visit.tab:
            await self.show()
        else:
            self._tabs.value = page.visit.tab

    async def _open(self) -> None:
        self._page.become(self._page.visit.but(tab=self._tabs.value))
        await self.show()


def _refresh(chat: Chat | None, shown: Shown) -> None:
    if chat is not None and chat.view.channel.key == shown.channel.key:
        background_tasks.create(chat.refresh(), name="refresh")


def _title(title: str, hint: str) -> None:
    with box("div", "db-title"):
        Text(title, "h2")
        Text(hint, "p", classes="db-hint")


def _people(label: str, options: dict[str, str], chosen: str, on_change: Choose) -> None:
    ui.select(options, label=label, value=chosen, on_change=on_change).props(
        "outlined dense options-dense behavior=menu"
    ).classes("db-people")


def _example(chat: Chat, text: str, language: Language) -> None:
    async def ask() -> None:
        await chat.send(text)

    button = ui.button(text, on_click=ask, color=None).props("no-caps unelevated").classes("db-example")
    button.props["lang"] = language
