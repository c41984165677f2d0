"""The story once with eyes: people at local-slack's own page, and what it shows them."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, ViewportSize, expect

from tests.conformance.desk import ANSWER, KNOWN, UNKNOWN
from tests.conformance.programs import PICTURES, Program

pytestmark = [pytest.mark.conformance, pytest.mark.browser]

SCREENSHOT = PICTURES / "slack.png"
AS_SLACK_SHOWS_IT = r"""() => {
  const time = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit"});
  const day = new Intl.DateTimeFormat("en-GB", {day: "numeric", month: "short", year: "numeric"});
  const pretty = (seconds) => {
    const at = new Date(1000 * seconds), days = Math.round((at.setHours(12) - new Date().setHours(12)) / 86400000);
    const then = new Date(1000 * seconds);
    return `${["Today", "Tomorrow"][days] ?? day.format(then)} ${time.format(then)}`;
  };
  for (const text of document.querySelectorAll(".mrkdwn")) {
    const walk = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const quote = /^(&gt;|>) /.test(node.data);
      if (quote) text.style.cssText = "display: block; border-left: 4px solid #ddd; padding-left: 12px; margin: 4px 0";
      node.data = node.data.replace(/^(&gt;|>) /, "").replace(/<!date\^(\d+)\^[^>]*>/g, (_, at) => pretty(at))
        .replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
    }
  }
}"""


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
    await say(page, "Thanks! It is the one in room 4.07", pane=".thread-pane")

    await act_as(page, "Lee", "it-triage")
    await posts(page, UNKNOWN).locator(".thread-summary").click()
    await expect(posts(page, "It is the one in room 4.07", pane=".thread-pane")).to_be_visible()
    await picture(page)


async def picture(page: Page) -> None:
    """What Slack would show: local-slack knows neither quotes nor dates nor escaped signs."""
    await page.evaluate(AS_SLACK_SHOWS_IT)
    await page.set_viewport_size(ViewportSize(width=1280, height=780))
    await posts(page, "room 4.07", pane=".thread-pane").scroll_into_view_if_needed()
    SCREENSHOT.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOT)
