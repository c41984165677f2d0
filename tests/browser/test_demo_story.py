"""The two-minute story of a newcomer, in `deskbell demo` as it is shipped, in a real browser.

Nothing is faked: the real command with its own database, matcher, clock and page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conformance.programs import PICTURES, chromium, free_port, running

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
LONG = 150_000
"""Milliseconds: a ping comes when the demo's clock reaches it, two working hours a minute."""

pytestmark = pytest.mark.browser


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    command: list[str | Path] = [Path(sys.executable).with_name("deskbell"), "demo", "--port", str(port)]
    with running(command, url=f"http://127.0.0.1:{port}", ready="/readyz", folder=tmp_path) as program:
        yield program.url


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


def _page(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en-GB").new_page()
    page.set_default_timeout(15_000)
    page.goto(url)
    return page


def _ask(page: Page, text: str) -> None:
    box = page.get_by_label("Ask Deskbell anything")
    box.fill(text)
    box.press("Enter")


def test_a_newcomers_two_minutes(demo: str, browser: Browser) -> None:
    """Answered, promised, claimed, replied, escalated, pinged, resolved, rated: all by what the page offers."""
    page = _page(browser, demo)
    chat, team = page.get_by_role("log").nth(0), page.get_by_role("log").nth(1)

    page.get_by_role("button", name="My VPN keeps disconnecting").click()
    expect(chat).to_contain_text("From the knowledge base")
    expect(chat).to_contain_text("Did this solve it?")

    page.get_by_role("button", name="The projector shows a green stripe").click()
    expect(chat).to_contain_text("I have opened ticket #1. IT answers by")
    expect(team).to_contain_text("The projector shows a green stripe")
    expect(team).to_contain_text("nobody yet")

    command = page.get_by_label("Message #IT", exact=False)
    command.fill("/desk claim 1")
    command.press("Enter")
    expect(chat).to_contain_text("Lee is on it now")
    expect(team.get_by_role("button", name="Release")).to_be_visible()

    team.get_by_label("Reply", exact=False).first.fill("I am on my way with a new cable.")
    team.get_by_label("Reply", exact=False).first.press("Enter")
    expect(chat).to_contain_text("I am on my way with a new cable.")
    page.screenshot(path=PICTURES / "demo.png")

    _ask(page, "@Deskbell the meeting begins in ten minutes")
    expect(chat).to_contain_text("I have called Lee")

    page.get_by_role("tab", name="Direct messages").click()
    expect(page.get_by_role("log").nth(1)).to_contain_text("Dana asks for you")

    page.get_by_role("tab", name="IT", exact=True).click()
    page.get_by_role("log").nth(1).get_by_role("button", name="Resolve").first.click()
    expect(chat).to_contain_text("as solved. How was the help?")
    chat.get_by_role("button", name="👍 Good").last.click()
    expect(page.get_by_role("log").nth(1)).to_contain_text("rated the help: good")


def test_a_ping_arrives_before_the_promise_is_broken(demo: str, browser: Browser) -> None:
    """Nobody claims it: while the demo's clock runs, the reminder appears under the card."""
    page = _page(browser, demo)
    expect(page.get_by_text("120")).to_be_visible()
    page.get_by_role("button", name="The projector shows a green stripe").click()
    expect(page.get_by_role("log").nth(1)).to_contain_text("nobody yet")
    expect(page.get_by_role("log").nth(1)).to_contain_text("the first answer is due", timeout=LONG)
    page.screenshot(path=PICTURES / "ping.png")
