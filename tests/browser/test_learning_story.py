"""How the desk learns, in `deskbell demo` as it is shipped, in a real browser.

Nothing is faked: the real command with its own database, matcher and page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.conformance.programs import PICTURES, chromium, free_port, running

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUESTION = "vpn connection cuts out every few minutes"
TITLE = "VPN keeps dropping"
TRIES = 60
"""Questions, two seconds apart at most, until an added phrasing is in force: building a matcher shares this machine."""

pytestmark = pytest.mark.browser


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    command: list[str | Path] = [Path(sys.executable).with_name("deskbell"), "demo", "--port", str(port)]
    with running(command, url=f"http://127.0.0.1:{port}", ready="/readyz", folder=tmp_path) as program:
        yield program.url


@pytest.fixture
def page(demo: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_context(viewport={"width": 1400, "height": 900}, locale="en-GB").new_page()
        page.set_default_timeout(15_000)
        page.goto(demo)
        yield page
        browser.close()


def _log(page: Page, side: int) -> Locator:
    return page.get_by_role("log").nth(side)


def _ask(page: Page, text: str) -> None:
    answered = _log(page, 0).get_by_role("button", name="Why this?").count()
    box = page.get_by_label("Ask Deskbell anything")
    box.fill(text)
    box.press("Enter")
    expect(_log(page, 0).get_by_role("button", name="Why this?")).to_have_count(answered + 1)


def _why(page: Page) -> str:
    """The reasons for the last answer, as the asker reads them."""
    chat = _log(page, 0)
    told = chat.get_by_text("Why I said that")
    before = told.count()
    chat.get_by_role("button", name="Why this?").last.click()
    expect(told).to_have_count(before + 1)
    return chat.inner_text().rpartition("Why I said that")[2]


def test_a_confirmed_question_becomes_a_phrasing_of_its_article(page: Page) -> None:
    """Asked, answered, confirmed; the owner is asked, presses Add once, and the words are known from then on."""
    _ask(page, QUESTION)
    expect(_log(page, 0)).to_contain_text(f"From the knowledge base: {TITLE}")
    _log(page, 0).get_by_role("button", name="Yes, thanks").click()
    expect(_log(page, 0)).to_contain_text("Glad that helped!")

    page.get_by_role("tab", name="Direct messages").click()
    owner = _log(page, 1)
    expect(owner).to_contain_text(f"Add this phrasing to {TITLE}?")
    expect(owner).to_contain_text(QUESTION)
    page.screenshot(path=PICTURES / "proposal.png")

    owner.get_by_role("button", name="Add", exact=True).click()
    expect(owner).to_contain_text(f"Lee added this to {TITLE}.")
    expect(owner.get_by_role("button", name="Add", exact=True)).to_have_count(0)
    assert owner.inner_text().count("added this") == 1

    nearest = f"nearest to the message is “{QUESTION}”"
    for _ in range(TRIES):
        _ask(page, QUESTION)
        if nearest in _why(page):
            return
    pytest.fail("the added phrasing never came into force")


def test_two_questions_in_one_message_are_answered_one_by_one(page: Page) -> None:
    """Each below its own words, with one row of buttons for the whole, and told apart in the reasons."""
    _ask(page, "How do I book a desk? What is the guest wifi password?")
    chat = _log(page, 0)
    expect(chat).to_contain_text("You asked 2 things.")
    expect(chat).to_contain_text("From the knowledge base: Book a desk in the office")
    expect(chat).to_contain_text("From the knowledge base: Wifi for visitors")
    expect(chat.get_by_role("button", name="Yes, thanks")).to_have_count(1)
    page.screenshot(path=PICTURES / "several.png")

    reasons = _why(page)
    assert "About “How do I book a desk?”:" in reasons
    assert "About “What is the guest wifi password?”:" in reasons
