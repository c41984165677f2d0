"""The demo page, served over real HTTP behind its guard, and a real browser to visit it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from fastapi import FastAPI
from nicegui.testing.general import nicegui_reset_globals
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from adapters.web.guard import Guard
from adapters.web.page import mount
from adapters.web.port import WebPort
from adapters.web.sessions import Sessions
from storage.memory import MemoryStorage
from tests.conformance.programs import chromium
from tests.unit.web.desk import START, Desk, counting, demo_desk
from tests.unit.web.test_sessions import KEY, Hours

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@dataclass
class Demo:
    """The running page; `port` is the bot's voice, `desk` what it was told."""

    url: str
    browser: Browser
    desk: Desk
    port: WebPort
    hours: Hours
    """The clock of its sessions."""

    async def open(self, path: str = "/", *, width: int = 1400, height: int = 900) -> Page:
        context = await self.browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
        page = await context.new_page()
        await page.goto(self.url + path)
        await expect(page.get_by_role("button", name="My VPN keeps disconnecting")).to_be_visible()
        return page


@pytest.fixture
def fresh_nicegui() -> Iterator[None]:
    with nicegui_reset_globals():
        yield


@pytest.fixture
async def demo(fresh_nicegui: None) -> AsyncIterator[Demo]:
    desk, transcript, hours = Desk(), MemoryStorage().transcript, Hours()
    port = WebPort(transcript, now=lambda: START, new_id=counting("bot-"))
    app = FastAPI()
    app.add_middleware(Guard, sessions=Sessions([KEY], now=hours))
    mount(app, demo_desk(desk, transcript, port.changed))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield Demo(f"http://127.0.0.1:{listener.getsockname()[1]}", browser, desk, port, hours)
        await browser.close()
    server.should_exit = True
    await serving


def question(page: Page) -> Locator:
    """Where the requester writes."""
    return page.get_by_label("Ask Deskbell anything")
