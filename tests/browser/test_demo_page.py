"""The demo page in a real browser: typing, focus, live tabs, small screens, and nothing from outside."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Demo, question
from tests.unit.web.desk import IT
from triage.document import Button, Buttons, Document, Heading, Markdown, Paragraph, Plain
from triage.model import Thread
from triage.ports import Address

TRIAGE = Address(thread=Thread(channel=IT.channel))

pytestmark = pytest.mark.browser


def _says(text: str) -> Document:
    return Document(blocks=(Paragraph((Plain(text),)),), summary=text)


async def test_enter_sends_and_the_focus_stays(demo: Demo) -> None:
    """One can go on typing at once."""
    page = await demo.open()
    box = question(page)
    await box.fill("My laptop is slow")
    await box.press("Enter")
    assert (await demo.desk.first()).text == "My laptop is slow"
    await expect(page.get_by_role("log").first).to_contain_text("My laptop is slow")
    await expect(box).to_be_focused()
    await expect(box).to_have_value("")


async def test_shift_and_enter_break_the_line(demo: Demo) -> None:
    """The lines are sent together."""
    page = await demo.open()
    box = question(page)
    await box.press_sequentially("first")
    await box.press("Shift+Enter")
    await box.press_sequentially("second")
    await box.press("Enter")
    assert (await demo.desk.first()).text == "first\nsecond"


async def test_the_enter_that_ends_a_composition_sends_nothing(demo: Demo) -> None:
    """Korean and Chinese words are finished with Enter."""
    page = await demo.open()
    box = question(page)
    await box.fill("안녕")
    await box.evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    await expect(box).to_have_value("안녕")
    await box.press("Enter")
    assert [message.text for message in [await demo.desk.first()]] == ["안녕"]


async def test_all_open_tabs_show_what_is_said(demo: Demo) -> None:
    """What one tab sends and what the bot says, without a reload."""
    first, second = await demo.open(), await demo.open()
    await question(first).fill("hello")
    await question(first).press("Enter")
    await demo.port.post(TRIAGE, _says("a new ticket"), key="k1")
    await expect(second.get_by_role("log").first).to_contain_text("hello")
    for page in (first, second):
        await expect(page.get_by_role("log").last).to_contain_text("a new ticket")


async def test_a_half_written_reply_survives_an_update_of_its_card(demo: Demo) -> None:
    """The card changes above it; text and focus stay."""
    page = await demo.open()
    ref = await demo.port.post(TRIAGE, _says("nobody yet"), key="k1")
    reply = page.get_by_label("Reply in this thread")
    await reply.press_sequentially("I am on")
    await demo.port.update(ref, _says("Lee has it"), reference=None)
    await expect(page.get_by_text("Lee has it")).to_be_visible()
    await expect(reply).to_have_value("I am on")
    await expect(reply).to_be_focused()


async def test_a_reply_goes_into_the_thread_of_its_card(demo: Demo) -> None:
    """The card's post is the root."""
    page = await demo.open()
    ref = await demo.port.post(TRIAGE, _says("a new ticket"), key="k1")
    reply = page.get_by_label("Reply in this thread")
    await reply.fill("on my way")
    await reply.press("Enter")
    message = await demo.desk.first()
    assert (message.text, message.thread) == ("on my way", ref.id)


async def test_buttons_work_from_the_keyboard(demo: Demo) -> None:
    """Focus and Enter are enough."""
    page = await demo.open()
    card = Document(blocks=(Buttons((Button("Claim", "claim 42", "primary"),)),), summary="card")
    await demo.port.post(TRIAGE, card, key="k1")
    await page.get_by_role("button", name="Claim").press("Enter")
    assert (await demo.desk.first()).text == "claim 42"


async def test_a_long_chat_shows_its_newest_post(demo: Demo) -> None:
    """Also the ones that come while one looks."""
    page = await demo.open()
    for number in range(30):
        await demo.port.post(TRIAGE, _says(f"ticket number {number}"), key=f"k{number}")
    await expect(page.get_by_text("ticket number 29")).to_be_in_viewport()


async def test_switching_the_language_switches_the_page_and_the_requester(demo: Demo) -> None:
    """And the address, so that a reload stays."""
    page = await demo.open()
    await page.get_by_role("button", name="한국어").click()
    await expect(page.get_by_text("문의하는 사람")).to_be_visible()
    await expect(page.get_by_role("button", name="VPN이 자꾸 끊겨요")).to_be_visible()
    await expect(page).to_have_url(re.compile("me=minji.*lang=ko"))
    assert await page.evaluate("document.documentElement.lang") == "ko"


async def test_an_articles_markup_cannot_run_or_load_anything(demo: Demo) -> None:
    """Whatever its author wrote, nothing comes from another origin and no script runs."""
    page = await demo.open()
    blocked: list[tuple[str, str | None]] = []
    loaded: list[str] = []
    page.on("requestfailed", lambda request: blocked.append((request.url, request.failure)))
    page.on("requestfinished", lambda request: loaded.append(request.url))
    body = '**kept** <img src="http://198.51.100.1/x.png" onerror="window.ran=1"><script>window.ran=1</script>'
    await demo.port.post(TRIAGE, Document(blocks=(Heading("Article"), Markdown(body)), summary="article"), key="k1")
    await expect(page.locator(".db-markdown strong")).to_have_text("kept")
    assert await page.evaluate("[window.ran, document.querySelector('.db-markdown script')]") == [None, None]
    assert blocked == [("http://198.51.100.1/x.png", "csp")]
    assert [url for url in loaded if not url.startswith((demo.url, "data:"))] == []


async def test_a_phone_shows_one_side_under_the_other(demo: Demo) -> None:
    """Nothing has to be scrolled sideways, however long a word is."""
    page = await demo.open(width=390, height=844)
    await demo.port.post(TRIAGE, _says("averylongword" * 40), key="k1")
    await expect(page.get_by_text("averylongword")).to_have_count(1)
    left = await page.get_by_role("region", name="Someone with a question").bounding_box()
    right = await page.get_by_role("region", name="The team that helps").bounding_box()
    assert left is not None
    assert right is not None
    assert left["y"] + left["height"] <= right["y"]
    assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_everything_one_can_use_has_a_name(demo: Demo) -> None:
    """For those who hear the page instead of seeing it."""
    page = await demo.open()
    await demo.port.post(TRIAGE, _says("a new ticket"), key="k1")
    await expect(page.get_by_label("Reply in this thread")).to_be_visible()
    nameless = await page.evaluate(
        """[...document.querySelectorAll("button, textarea, input, [role=tab], [role=combobox]")]
          .filter(e => !(e.ariaLabel || e.innerText || e.labels?.length || e.getAttribute("aria-labelledby")))
          .map(e => e.outerHTML)"""
    )
    assert nameless == []
