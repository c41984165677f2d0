"""The demo page: a requester's chat on the left, their team's side on the right, time running fast.

`bot.web` mounts it for `deskbell demo`. It switches identities freely, so it must only ever be
served on loopback. Each open tab has its own `DemoPage`.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from nicegui import events, ui

from adapters.web.desk import DemoDesk
from adapters.web.elements import Text, box
from adapters.web.news import Shown
from adapters.web.posting import Posting
from adapters.web.sessions import Session, session_of
from adapters.web.sides import AgentSide, RequesterSide
from adapters.web.visit import Visit
from adapters.web.words import Words
from triage.model import Language

STYLES = Path(__file__).with_name("page.css")
MOST = 1_000
"""Sessions whose choice is remembered."""


def mount(app: FastAPI, desk: DemoDesk, *, path: str = "/") -> None:
    """Serve the page at `path` of this app. Call it last: the page answers every path not taken before."""
    add_page(desk, path=path)
    ui.run_with(
        app, title="Deskbell", favicon="🔔", dark=None, tailwind=False, gzip_middleware_factory=None, language=None
    )


def add_page(desk: DemoDesk, *, path: str = "/") -> None:
    """Register the page alone, for an app that runs NiceGUI for other pages too."""
    posting = Posting(
        intake=desk.intake,
        transcript=desk.transcript,
        news=desk.news,
        now=desk.now,
        new_id=desk.new_id,
        people=(*desk.agents, *desk.requesters),
    )

    choices = Choices()

    @ui.page(path, title="Deskbell", dark=None)
    async def page(request: Request) -> None:
        session = session_of(request.scope)
        wanted = {**choices.of(session), **_own_address(request)}
        visit = Visit.of(desk, wanted, request.headers.get("accept-language", ""))
        try:
            await DemoPage(desk, posting, visit, partial(choices.keep, session)).build()
        except Exception as error:
            raise PageError from error


class Choices:
    """Who the visitor of each session chose to be, for as long as this process runs."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, dict[str, str]] = OrderedDict()

    def of(self, session: Session | None) -> dict[str, str]:
        """As `Visit.query` has it."""
        return self._of.get(session.id, {}) if session else {}

    def keep(self, session: Session | None, visit: Visit) -> None:
        if session:
            self._of[session.id] = visit.query()
            self._of.move_to_end(session.id)
        if len(self._of) > MOST:
            self._of.popitem(last=False)


def _own_address(request: Request) -> Mapping[str, str]:
    """What the address asks for, unless a link on another site chose it."""
    return request.query_params if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin") else {}


class PageError(Exception):
    """A page could not be built. NiceGUI shows the visitor what an exception says, so this says nothing."""


class DemoPage:
    """One open tab: who the visitor is on either side, and the language they read."""

    def __init__(self, desk: DemoDesk, posting: Posting, visit: Visit, keep: Callable[[Visit], None]) -> None:
        self.desk = desk
        self.posting = posting
        self.visit = visit
        self._keep = keep
        self.unread: Counter[str] = Counter()
        self._sides: tuple[RequesterSide | AgentSide, ...] = ()

    @property
    def words(self) -> Words:
        return Words(self.desk.say, self.visit.language, self.desk.timezone)

    async def build(self) -> None:
        ui.add_css(STYLES)
        ui.colors(primary="#4b47c4")
        with box("header", "db-top"):
            self._banner = box("div", "db-banner")
            labels = {language: self.words(f"page.language.{language}") for language in Language}
            self._languages = ui.toggle(labels, value=self.visit.language, on_change=self._read_in)
            self._languages.props("no-caps unelevated dense").classes("db-languages")
        self._main = box("main", "db-main")
        ui.context.client.on_delete(self.desk.news.subscribe(self._on_shown))
        await self._fill()
        ui.timer(1.0, self._tick, immediate=False)

    async def _fill(self) -> None:
        """Everything that is written in the visitor's language."""
        words = self.words
        ui.page_title(words("page.title"))
        ui.run_javascript(f'document.documentElement.lang = "{self.visit.language}"')
        self._languages.props["aria-label"] = words("page.language")
        self._banner.clear()
        with self._banner:
            self._brand(words)
        self._main.clear()
        with self._main:
            self._sides = (RequesterSide(self), AgentSide(self))
        for side in self._sides:
            await side.show()

    def _brand(self, words: Words) -> None:
        with box("div", "db-brand"):
            ui.icon("notifications").props["aria-hidden"] = "true"
            Text("Deskbell", "h1")
            Text(words("page.demo"), classes="db-badge")
        with box("div", "db-clock"):
            ui.icon("schedule").props["aria-hidden"] = "true"
            Text(words("page.clock"), classes="db-clock-label")
            self._clock = Text(words.moment(self.desk.now()), "time", classes="db-clock-time")
            Text(words("page.speed", speed=f"{self.desk.speed:g}"), classes="db-clock-speed")

    def _tick(self) -> None:
        self._clock.text = self.words.moment(self.desk.now())

    async def _read_in(self, event: events.ValueChangeEventArguments[str]) -> None:
        """Change the language; the requester follows, so that questions and answers are in it too."""
        language = Language(event.value)
        own = next((person for person in self.desk.requesters if person.language is language), self.visit.requester)
        self.become(self.visit.but(language=language, requester=own))
        await self._fill()

    def become(self, visit: Visit) -> None:
        """Be somebody else from now on; session and address follow, so a reload or a second tab starts the same."""
        self.visit = visit
        self._keep(visit)
        ui.navigate.history.replace(f"?{urlencode(visit.query())}")

    def _on_shown(self, shown: Shown) -> None:
        for side in self._sides:
            side.on_shown(shown)
