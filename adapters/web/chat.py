"""One channel as one person sees it: its posts, their threads, and where to write.

Kept live by redrawing only what changed, so focus, drafts and the place one has scrolled to stay.
Made by `adapters.web.page`, one for the left side and one for the right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from nicegui import ui

from adapters.web.composer import composer
from adapters.web.desk import BOT, DemoDesk, DemoPerson
from adapters.web.elements import Text, avatar, box
from adapters.web.posting import Posting
from adapters.web.render import Reader, draw
from adapters.web.words import Words
from triage.errors import TurnError
from triage.model import Channel, ChannelKind, Language
from triage.transcripts import WebPost

NEWEST = 150
"""Posts of a channel that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Who looks at which channel, and the language their posts are sent with."""

    desk: DemoDesk
    posting: Posting
    words: Words
    person: DemoPerson
    locale: Language
    channel: Channel
    label: str
    """What stands in the empty text box."""
    empty: tuple[str, str]
    """Title and hint while nothing has been said."""


class _Shown:
    """A post on the page, and what it looked like when it was drawn."""

    def __init__(self, body: ui.element) -> None:
        self.body = body
        self.looks: tuple[WebPost, bool] | None = None


@dataclass(frozen=True, slots=True)
class _Group:
    """A post with the replies under it."""

    whole: ui.element
    replies: ui.element


class Chat:
    """Built into the current slot. `refresh` draws what is new or changed."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._shown: dict[str, _Shown] = {}
        self._groups: dict[str, _Group] = {}
        self._answerable: set[str] = set()
        self._day: date | None = None
        self._stale = False
        self._busy = False
        self._sending = asyncio.Lock()
        words = view.words
        with box("div", "db-log", tabindex="0"):
            self._posts = box("div", "db-posts", role="log", aria_live="polite", aria_label=words("page.messages"))
            with self._posts, box("div", "db-empty") as self._empty:
                Text(view.empty[0], "p", classes="db-empty-title")
                Text(view.empty[1], "p", classes="db-empty-hint")

    def composer(self) -> None:
        composer(self.view.label, self.view.words("page.send"), self.send)

    async def refresh(self) -> None:
        """Draw the transcript's present state; calls that come meanwhile are folded into one more pass."""
        self._stale = True
        if self._busy:
            return
        self._busy = True
        try:
            while self._stale and not self._posts.is_deleted:
                self._stale = False
                self._draw(await asyncio.to_thread(self._read))
        finally:
            self._busy = False

    async def send(self, text: str, thread: str | None = None) -> None:
        view = self.view
        sender = view.desk.sender(view.person, view.locale)
        async with self._sending:
            await self._or_say_so(view.posting.post(sender, view.channel, text, thread=thread))

    async def _press(self, post: WebPost, command: str) -> None:
        sender = self.view.desk.sender(self.view.person, self.view.locale)
        await self._or_say_so(self.view.posting.press(sender, post, command))

    async def _or_say_so(self, turn: Awaitable[None]) -> None:
        try:
            await turn
        except TurnError:
            if not self._posts.is_deleted:
                with self._posts:
                    ui.notify(self.view.words("page.trouble"), type="warning", position="top", timeout=6000)

    # --- drawing ---
    def _read(self) -> tuple[WebPost, ...]:
        return tuple(self.view.desk.transcript.read([self.view.channel.key], self.view.person.user, NEWEST))

    def _draw(self, written: tuple[WebPost, ...]) -> None:
        if self._posts.is_deleted:
            return
        unsent = self.view.posting.unsent(self.view.channel, self.view.person.user)
        known = {post.id for post in written}
        posts = (*written, *(post for id, post in unsent.items() if id not in known))
        self._empty.set_visibility(not posts)
        for post in posts:
            if post.id not in self._shown:
                self._place(post)
            looks = (post, post.id in unsent)
            shown = self._shown[post.id]
            if shown.looks != looks:
                shown.looks = looks
                self._fill(shown.body, *looks)

    def _place(self, post: WebPost) -> None:
        root = post.thread.root
        if root is None:
            self._separate(post)
            with self._posts, box("div", "db-group") as whole:
                self._article(post)
                self._groups[post.id] = _Group(whole, box("div", "db-thread"))
            if post.author is None and post.only_for is None:
                self._allow_replies(post.id)
            return
        with self._group(root).replies:
            self._article(post)
        if post.only_for is None:
            self._allow_replies(root)

    def _article(self, post: WebPost) -> None:
        who = post.author or BOT
        with box("article", "db-post", aria_label=f"{who}, {self.view.words.time(post.at)}"):
            avatar(post.author)
            self._shown[post.id] = _Shown(box("div", "db-body"))

    def _separate(self, post: WebPost) -> None:
        day = self.view.words.date(post.at)
        if day != self._day:
            self._day = day
            with self._posts, box("div", "db-day", role="separator"):
                Text(self.view.words.day(post.at))

    def _group(self, root: str) -> _Group:
        """Where replies to this post stand; under a line that says so when it is too old to be shown."""
        if root not in self._groups:
            with self._posts, box("div", "db-group") as whole:
                Text(self.view.words("page.earlier"), "p", classes="db-small db-earlier")
                self._groups[root] = _Group(whole, box("div", "db-thread"))
        return self._groups[root]

    def _allow_replies(self, root: str) -> None:
        if self.view.channel.kind is not ChannelKind.CHANNEL or root in self._answerable:
            return
        self._answerable.add(root)

        async def reply(text: str) -> None:
            await self.send(text, root)

        with self._group(root).whole:
            composer(self.view.words("page.reply"), self.view.words("page.send"), reply, classes="db-reply")

    def _fill(self, body: ui.element, post: WebPost, unsent: bool) -> None:
        words = self.view.words
        body.clear()
        with body:
            with box("div", "db-byline"):
                Text(post.author or BOT, "strong", classes="db-author")
                if post.author is None:
                    Text(words("page.app"), classes="db-badge")
                time = Text(words.time(post.at), "time", classes="db-time")
                time.props["datetime"] = post.at.isoformat()
                time.props["title"] = words.moment(post.at)
            if post.only_for and self.view.channel.kind is ChannelKind.CHANNEL:
                with box("p", "db-small db-private"):
                    ui.icon("visibility_off").props["aria-hidden"] = "true"
                    Text(words("page.only_you"))
            draw(post.document, Reader(words, self.view.person.user, _pressing(self._press, post)))
            if unsent:
                self._unsent(post)

    def _unsent(self, post: WebPost) -> None:
        words = self.view.words

        async def retry() -> None:
            await self._or_say_so(self.view.posting.retry(post.id))

        with box("p", "db-unsent", role="status"):
            ui.icon("error_outline").props["aria-hidden"] = "true"
            Text(words("page.not_sent"))
            ui.button(words("page.retry"), on_click=retry, color=None).props("no-caps unelevated").classes("db-button")


def _pressing(press: Callable[[WebPost, str], Awaitable[None]], post: WebPost) -> Callable[[str], Awaitable[None]]:
    async def on_press(command: str) -> None:
        await press(post, command)

    return on_press
