"""The story once with eyes: Dana at the Playground's own page, and what it shows her."""

from __future__ import annotations

import aiohttp
import pytest
from playwright.async_api import Locator, Page, ViewportSize, expect

from tests.conformance.desk import ANSWER, KNOWN
from tests.conformance.playground import LEE, Teams, entered
from tests.conformance.programs import PICTURES, Program

pytestmark = [pytest.mark.conformance, pytest.mark.browser]

SCREENSHOT = PICTURES / "teams.png"
WITHOUT_ADVICE = """() => {
  const advice = (node) => node.textContent.startsWith("Full width control");
  for (let node of [...document.querySelectorAll("span, p, div")].filter((node) => !node.childElementCount)) {
    if (!advice(node)) continue;
    while (advice(node.parentElement)) node = node.parentElement;
    node.style.display = "none";
  }
}"""


async def say(page: Page, text: str) -> None:
    await page.locator("[data-lexical-editor=true]").first.click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


def button(page: Page, label: str) -> Locator:
    return page.get_by_role("button", name=label).last


async def test_an_answer_that_does_not_help_becomes_a_ticket(
    page: Page, session: aiohttp.ClientSession, fresh_teams: Program
) -> None:
    """Dana presses a button below the answer, Lee claims the card, and Dana reads his reply."""
    async with entered(session, fresh_teams.url, {}) as teams:
        await page.goto(fresh_teams.url)
        await say(page, KNOWN)
        await expect(page.get_by_text(ANSWER, exact=True)).to_be_visible()
        await button(page, "No, get me a person").click()
        await expect(page.get_by_text("I have opened ticket")).to_be_visible()
        await help_comes(page, teams)
    await page.get_by_role("treeitem", name="Personal Chat").click()
    await expect(page.get_by_role("paragraph").filter(has_text="Try the Seoul gateway")).to_be_visible()
    await picture(page)


async def help_comes(page: Page, teams: Teams) -> None:
    """The card stands in the triage channel, and changes there before everybody's eyes."""
    await page.get_by_role("treeitem", name="IT triage").click()
    await expect(button(page, "Claim")).to_be_visible()
    card = await teams.card(KNOWN)
    await teams.press(LEE, card, "Claim")
    await expect(button(page, "Release")).to_be_visible()
    await teams.says(LEE, "Try the Seoul gateway, London is slow today", to=card.conversation)


async def picture(page: Page) -> None:
    """The chat without the Playground's log and its advice on what it cannot do itself."""
    await page.get_by_title("Toggle Log Panel").click()
    await page.set_viewport_size(ViewportSize(width=1280, height=1180))
    await page.evaluate(WITHOUT_ADVICE)
    SCREENSHOT.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOT)
