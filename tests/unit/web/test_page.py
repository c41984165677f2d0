"""The page as a visitor meets it, driven in-process without a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from nicegui import ui
from nicegui.testing import User, user_simulation

from adapters.web.desk import direct_channel
from adapters.web.page import add_page
from adapters.web.port import WebPort
from storage.memory import MemoryStorage
from tests.unit.web.desk import IT, LEE, START, Desk, counting, demo_desk
from triage.document import (
    Button,
    Buttons,
    Document,
    Facts,
    Heading,
    Line,
    Link,
    Markdown,
    Mention,
    Paragraph,
    Plain,
    Quote,
    Small,
    Strong,
    When,
)
from triage.errors import TooSlow
from triage.model import Kind, Thread
from triage.ports import Address

TRIAGE = Address(thread=Thread(channel=IT.channel))
DIRECT = Address(thread=Thread(channel=direct_channel("lee")))


@dataclass
class Demo:
    user: User
    desk: Desk
    port: WebPort


@pytest.fixture
async def demo(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Demo]:
    """A desk behind the page at `/`; an error that NiceGUI only logs fails the test."""
    desk, transcript = Desk(), MemoryStorage().transcript
    port = WebPort(transcript, now=lambda: START, new_id=counting("bot-"))
    async with user_simulation() as user:
        add_page(demo_desk(desk, transcript, port.changed))
        yield Demo(user, desk, port)
    assert [record.message for record in caplog.get_records("call") if record.exc_info] == []


def _says(*line: Plain | Strong | Link | When | Mention) -> Document:
    return Document(blocks=(Paragraph(line),), summary="")


async def test_a_newcomer_sees_both_sides_and_the_clock(demo: Demo) -> None:
    """And three questions to begin with."""
    await demo.user.open("/")
    for text in (
        "Someone with a question",
        "The team that helps",
        "Friday 6 March, 09:30 (London)",
        "runs 60× faster, so that deadlines pass while you watch",
        "My VPN keeps disconnecting",
    ):
        await demo.user.should_see(text)


async def test_an_example_is_asked_with_one_click(demo: Demo) -> None:
    """As the requester, in their language and the demo's zone."""
    await demo.user.open("/?me=minji")
    demo.user.find("VPN이 자꾸 끊겨요").click()
    message = await demo.desk.first()
    sender = message.sender
    assert (message.kind, message.text, message.channel) == (Kind.POST, "VPN이 자꾸 끊겨요", direct_channel("minji"))
    assert (sender.account.user, sender.locale, sender.timezone) == ("minji", "ko", "Europe/London")


async def test_what_the_bot_says_appears_without_a_reload(demo: Demo) -> None:
    """The page listens to the port."""
    await demo.user.open("/")
    await demo.port.post(TRIAGE, _says(Plain("A new ticket")), key="k1")
    await demo.user.should_see("A new ticket")


async def test_an_updated_card_changes_in_place(demo: Demo) -> None:
    """What it said before is gone."""
    await demo.user.open("/")
    ref = await demo.port.post(TRIAGE, _says(Plain("nobody yet")), key="k1")
    await demo.user.should_see("nobody yet")
    await demo.port.update(ref, _says(Plain("Lee has it")), reference=None)
    await demo.user.should_see("Lee has it")
    await demo.user.should_not_see("nobody yet")


async def test_a_button_hands_its_command_in_as_whoever_pressed_it(demo: Demo) -> None:
    """The agent on the right."""
    await demo.user.open("/")
    card = Document(blocks=(Buttons((Button("Claim", "claim 42", "primary"),)),), summary="", accent="high")
    await demo.port.post(TRIAGE, card, key="k1")
    await demo.user.should_see("Claim")
    demo.user.find("Claim").click()
    message = await demo.desk.first()
    assert (message.kind, message.text, message.sender.account) == (Kind.BUTTON, "claim 42", LEE.account)


async def test_a_direct_message_is_announced_and_waits_in_its_tab(demo: Demo) -> None:
    """A ping is seen wherever the agent is looking."""
    await demo.user.open("/")
    await demo.port.post(DIRECT, _says(Plain("Ticket #42 is due in ten minutes")), key="k1")
    await demo.user.should_see("New direct message from Deskbell")
    await demo.user.should_not_see("Ticket #42 is due in ten minutes")
    demo.user.find(kind=ui.tab, content="Direct messages").click()
    await demo.user.should_see("Ticket #42 is due in ten minutes")


async def test_a_whisper_to_somebody_else_is_not_shown(demo: Demo) -> None:
    """Only its reader's page has it."""
    await demo.user.open("/?agent=kim")
    await demo.port.whisper(TRIAGE, LEE.account, _says(Plain("for Lee alone")), reply_url=None)
    await demo.port.post(TRIAGE, _says(Plain("for everyone")), key="k1")
    await demo.user.should_see("for everyone")
    await demo.user.should_not_see("for Lee alone")


async def test_a_private_channel_is_closed_to_other_teams(demo: Demo) -> None:
    """It says so instead of showing an empty channel."""
    await demo.user.open("/?agent=lee&tab=hr")
    await demo.user.should_see("A private channel")


async def test_the_page_speaks_the_language_one_reads(demo: Demo) -> None:
    """Its labels, its clock, and the examples."""
    await demo.user.open("/?lang=zh-Hant")
    for text in ("提問的人", "3月6日 週五 09:30（London）", "VPN 一直斷線"):
        await demo.user.should_see(text)


async def test_trouble_is_told_and_can_be_tried_again(demo: Demo) -> None:
    """The words stay on the page, marked as not sent."""
    demo.desk.trouble = TooSlow("busy")
    await demo.user.open("/")
    demo.user.find("My VPN keeps disconnecting").click()
    await demo.user.should_see("Nothing was saved; please try again.")
    await demo.user.should_see("Not sent")
    demo.desk.trouble = None
    demo.user.find("Try again").click()
    await demo.user.should_not_see("Not sent")
    assert [message.text for message in demo.desk.taken] == ["My VPN keeps disconnecting"]


async def test_every_part_of_a_document_is_shown(demo: Demo) -> None:
    """Instants in the reader's words and the demo's zone, mentions with their sign."""
    await demo.user.open("/")
    due = datetime(2026, 7, 1, 8, 5, tzinfo=UTC)
    line: Line = (Plain("plain "), Strong("strong"), Link("https://wiki.example/", "wiki"), Mention("lee", "Lee"))
    document = Document(
        blocks=(
            Heading("#42 Coffee machine"),
            Paragraph(line),
            Markdown("Turn it **off**."),
            Quote("it leaks"),
            Facts((("Due", (When(due, "later"),)),)),
            Small((Plain("a footnote"),)),
            Buttons((Button("Claim", "claim 42"),)),
        ),
        summary="",
    )
    await demo.port.post(TRIAGE, document, key="k1")
    for text in (
        "#42 Coffee machine",
        "plain ",
        "strong",
        "wiki",
        "@Lee",
        "Turn it **off**.",
        "it leaks",
        "Due",
        "Wednesday 1 July, 09:05 (London)",
        "a footnote",
        "Claim",
    ):
        await demo.user.should_see(text)


async def test_what_people_write_is_never_markup(demo: Demo) -> None:
    """It reaches the browser as the text of an element."""
    await demo.user.open("/")
    await demo.port.post(TRIAGE, _says(Plain("<b>bold</b> **stars**")), key="k1")
    await demo.user.should_see("<b>bold</b> **stars**")
    shown = demo.user.find("<b>bold</b> **stars**").elements
    assert [type(element).__name__ for element in shown] == ["Text"]


async def test_a_link_that_would_run_a_script_is_only_text(demo: Demo) -> None:
    """Nothing but web and mail addresses can be clicked."""
    await demo.user.open("/")
    await demo.port.post(TRIAGE, _says(Link("javascript:alert(1)", "click me")), key="k1")
    await demo.user.should_see("click me")
    await demo.user.should_not_see(kind=ui.link)


async def test_a_closed_page_stops_listening(demo: Demo) -> None:
    """Nothing is drawn for nobody."""
    client = await demo.user.open("/")
    client.delete()
    await demo.port.post(TRIAGE, _says(Plain("A new ticket")), key="k1")
