"""The story once with eyes: people at local-slack's own page, and what it shows them."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.conformance.desk import ANSWER, KNOWN, UNKNOWN
from tests.conformance.programs import CHECKOUT, Program

pytestmark = [pytest.mark.conformance, pytest.mark.browser]

SCREENSHOT = CHECKOUT / "docs/images/slack.png"


async def act_as(page: Page, name: str, channel: str) -> None:
    await page.get_by_label("Act as").select_option(label=name)
    await page.locator(".sidebar-item", has_text=channel).click()


async def say(page: Page, text: str, *, pane: str = ".main") -> None:
    box = page.locator(pane).locator("textarea")
    await box.fill(text)
    await box.press("Enter")


def posts(page: Page, words: str, *, pane: str = ".main") -> Locator:
    return page.locator(pane).locator(".msg", has_text=words)


async def test_a_question_becomes_a_ticket_and_is_answered(page: Page, fresh_slack: Program) -> None:
    """Asked in one channel, claimed and answered in another, by clicking and typing alone."""
    await page.goto(fresh_slack.url)
    await act_as(page, "Dana", "it-help")
    await say(page, KNOWN)
    await posts(page, KNOWN).locator(".thread-summary").click()
    await expect(posts(page, ANSWER, pane=".thread-pane").get_by_role("button", name="Yes, thanks")).to_be_visible()
    await say(page, UNKNOWN)
    await posts(page, UNKNOWN).locator(".thread-summary").click()
    await expect(posts(page, "IT answers by", pane=".thread-pane")).to_be_visible()

    await act_as(page, "Lee", "it-triage")
    card = posts(page, UNKNOWN)
    await card.get_by_role("button", name="Claim").click()
    await expect(card.get_by_role("button", name="Release")).to_be_visible()
    await card.locator(".thread-summary").click()
    await say(page, "A new bulb is on its way", pane=".thread-pane")
    await expect(posts(page, "Sent to Dana", pane=".thread-pane")).to_be_visible()

    await act_as(page, "Dana", "it-help")
    await posts(page, UNKNOWN).locator(".thread-summary").click()
    await expect(posts(page, "A new bulb is on its way", pane=".thread-pane")).to_be_visible()

    await act_as(page, "Lee", "it-triage")
    await posts(page, UNKNOWN).locator(".thread-summary").click()
    SCREENSHOT.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOT)
