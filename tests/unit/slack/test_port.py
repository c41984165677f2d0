"""What the Slack port does beyond the contract that all ports share."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.slack.identity import Bot
from adapters.slack.port import SlackPort, is_slacks, respond, web_client
from tests.fakes.slack_server import FakeSlack
from triage.document import Document, Paragraph, Plain
from triage.errors import CannotWhisper, GiveUp, TryLater
from triage.model import Account, Channel, ChannelKind, Platform, Thread
from triage.ports import Address

BOT = Bot(team="T1", user="UBOT", id="BBOT", app="A1")
ANN = Account(platform=Platform.SLACK, place="T1", user="U1")


def port_of(slack: FakeSlack, bot: Bot | None = BOT, now: datetime | None = None) -> SlackPort:
    client = web_client(slack.token, base_url=slack.url)
    return SlackPort(client, bot=lambda: bot, now=lambda: now or datetime.now(UTC))


@pytest.fixture
def port(slack: FakeSlack) -> SlackPort:
    return port_of(slack)


def to(channel: str = "C1", root: str | None = None, kind: ChannelKind = ChannelKind.CHANNEL) -> Address:
    place = Channel(platform=Platform.SLACK, place="T1", id=channel, kind=kind)
    return Address(thread=Thread(channel=place, root=root))


def says(text: str) -> Document:
    return Document(blocks=(Paragraph((Plain(text),)),), summary=text)


def response_url(slack: FakeSlack, channel: str = "C1") -> str:
    return str(slack.command("U1", channel, "help").payload["response_url"])


def texts(posts: list[dict[str, Any]]) -> list[str]:
    return [post["text"] for post in posts]


async def test_a_post_carries_its_key(slack: FakeSlack, port: SlackPort) -> None:
    """As metadata that people do not see."""
    await port.post(to(), says("hello"), key="k1")
    assert slack.messages("C1")[0]["metadata"] == {"event_type": "deskbell", "event_payload": {"key": "k1"}}


async def test_links_are_not_unfolded(slack: FakeSlack, port: SlackPort) -> None:
    """Previews of the company's pages say more than was meant."""
    await port.post(to(), says("hello"), key="k1")
    call = slack.called("chat.postMessage")[0]
    assert (call["unfurl_links"], call["unfurl_media"], call["mrkdwn"]) == (False, False, False)


async def test_a_dropped_connection_posts_once(slack: FakeSlack, port: SlackPort) -> None:
    """The SDK would repeat the call, though Slack has posted."""
    slack.drop_next()
    with pytest.raises(TryLater):
        await port.post(to(), says("hello"), key="k1")
    assert texts(slack.messages("C1")) == ["hello"]


async def test_a_post_before_a_dropped_connection_is_found(slack: FakeSlack, port: SlackPort) -> None:
    """So that it is not sent twice."""
    slack.drop_next()
    with pytest.raises(TryLater):
        await port.post(to(), says("hello"), key="k1")
    assert await port.find(to(), key="k1") is not None


@pytest.mark.parametrize("threaded", [True, False], ids=["thread", "channel"])
async def test_a_post_is_found_among_hundreds(slack: FakeSlack, port: SlackPort, threaded: bool) -> None:
    """Slack shows them a page at a time: a long thread from its beginning, a busy channel from its end."""
    root, _ = slack.posted("U1", "C1", "the question")
    where = to(root=str(root["ts"])) if threaded else to()
    before, after = (250, 0) if threaded else (0, 250)
    for _ in range(before):
        slack.posted("U1", "C1", "chatter", thread=where.thread.root)
    posted = await port.post(where, says("hello"), key="k1")
    for _ in range(after):
        slack.posted("U1", "C1", "chatter", thread=where.thread.root)
    assert await port.find(where, key="k1") == posted


async def test_a_failing_slack_is_tried_later(slack: FakeSlack, port: SlackPort) -> None:
    """An HTML page with status 500 is no answer."""
    slack.break_next()
    with pytest.raises(TryLater):
        await port.post(to(), says("hello"), key="k1")


async def test_a_thread_on_something_that_is_no_post_is_the_channel(slack: FakeSlack, port: SlackPort) -> None:
    """A command has no post to hang replies on."""
    await port.post(to(root="1.2.trigger"), says("hello"), key="k1")
    assert texts(slack.messages("C1")) == ["hello"]


async def test_old_posts_are_not_looked_through(slack: FakeSlack, port: SlackPort) -> None:
    """A look-up concerns the last week."""
    await port.post(to(), says("hello"), key="k1")
    later = port_of(slack, now=datetime.now(UTC) + timedelta(days=8))
    assert await later.find(to(), key="k1") is None


async def test_a_post_is_found_after_a_long_downtime(slack: FakeSlack, port: SlackPort) -> None:
    """Switched off for a weekend in the middle of a post, the desk does not say it again."""
    await port.post(to(), says("hello"), key="k1")
    later = port_of(slack, now=datetime.now(UTC) + timedelta(days=3))
    assert await later.find(to(), key="k1") is not None


async def test_a_whisper_uses_the_response_url_first(slack: FakeSlack, port: SlackPort) -> None:
    """It works where the bot is not even a member."""
    slack.add_channel("C9", members={"U1"}, joined=False)
    await port.whisper(to("C9"), ANN, says("psst"), reply_url=response_url(slack, "C9"))
    assert [(post["to"], post["channel"]) for post in slack.ephemerals] == [("U1", "C9")]


async def test_a_whisper_falls_back_when_the_response_url_is_too_old(slack: FakeSlack, port: SlackPort) -> None:
    """To an ephemeral message."""
    url = response_url(slack)
    slack.expire_response_urls()
    await port.whisper(to(), ANN, says("psst"), reply_url=url)
    assert (texts(slack.ephemerals), len(slack.called("chat.postEphemeral"))) == (["psst"], 1)


ELSEWHERE = [
    "http://hooks.slack.com/actions/1",
    "https://hooks.slack.com.evil.example/1",
    "https://hooks.slack.com:8443/1",
]
ELSEWHERE += ["https://hooks.slack.com@evil.example/1", "https://x@hooks.slack.com/1", "http://169.254.169.254/latest"]
ELSEWHERE += [
    "http://[",
    "ftp://hooks.slack.com/1",
    "//hooks.slack.com/1",
    "",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_response_url_elsewhere_is_not_slacks(url: str) -> None:
    """Not by http, under another port or with a name before it."""
    assert not is_slacks(url, "https://slack.com/api/")


@pytest.mark.parametrize("url", ["https://hooks.slack.com/actions/T1/2/3", "https://hooks.slack-gov.com/commands/1"])
def test_slacks_own_response_urls_are_used(url: str) -> None:
    """Also those of GovSlack, and those of the server that SLACK_API_URL names."""
    assert is_slacks(url, "https://slack.com/api/")
    assert is_slacks("http://127.0.0.1:4000/actions/1", "http://127.0.0.1:4000/api/")


async def test_nothing_is_sent_to_a_response_url_elsewhere(slack: FakeSlack, port: SlackPort) -> None:
    """The whisper goes where Slack's own method takes it; another server on this machine hears nothing."""
    asked: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1))
        writer.close()

    bait = await asyncio.start_server(listen, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{bait.sockets[0].getsockname()[1]}/actions/1"
    await port.whisper(to(), ANN, says("psst"), reply_url=url)
    with pytest.raises(GiveUp):
        await respond(web_client("xoxb-1", base_url=slack.url), url, {})
    bait.close()
    assert (texts(slack.ephemerals), asked) == (["psst"], [])


async def test_a_response_url_that_asks_to_wait_is_waited_for(slack: FakeSlack, port: SlackPort) -> None:
    """It is limited like everything else."""
    slack.busy_next(3, method="response_url")
    with pytest.raises(TryLater) as caught:
        await port.whisper(to(), ANN, says("psst"), reply_url=response_url(slack))
    assert caught.value.delay == timedelta(seconds=3)


async def test_a_whisper_in_a_thread_stays_in_it(slack: FakeSlack, port: SlackPort) -> None:
    """Where the person asked."""
    root = await slack_post(slack)
    await port.whisper(to(root=root), ANN, says("psst"), reply_url=None)
    assert slack.ephemerals[0]["thread_ts"] == root


async def test_a_whisper_in_a_direct_chat_is_a_post(slack: FakeSlack, port: SlackPort) -> None:
    """It is private there anyway, and stays."""
    address = await port.direct(ANN, reference=None)
    await port.whisper(address, ANN, says("psst"), reply_url=None)
    assert (texts(slack.messages(address.thread.channel.id)), slack.ephemerals) == (["psst"], [])


@pytest.mark.parametrize("channel", ["C9", "CNONE", "C8"])
async def test_a_whisper_that_cannot_be_shown_here_is_refused_as_such(
    slack: FakeSlack, port: SlackPort, channel: str
) -> None:
    """So that it is sent directly instead."""
    slack.add_channel("C9", members={"U1"}, joined=False)
    slack.add_channel("C8", members={"U2"})
    with pytest.raises(CannotWhisper):
        await port.whisper(to(channel), ANN, says("psst"), reply_url=None)


async def test_a_whisper_into_somebody_elses_direct_chat_is_refused_as_such(slack: FakeSlack, port: SlackPort) -> None:
    """Commands work there, the bot does not."""
    with pytest.raises(CannotWhisper):
        await port.whisper(to("DOTHER", kind=ChannelKind.DM), ANN, says("psst"), reply_url=None)


async def test_a_direct_chat_belongs_to_the_bots_workspace(slack: FakeSlack, port: SlackPort) -> None:
    """Also with somebody of another one."""
    account = Account(platform=Platform.SLACK, place="T2", user="U1")
    channel = (await port.direct(account, reference=None)).thread.channel
    assert (channel.place, channel.kind) == ("T1", ChannelKind.DM)


async def test_nobody_is_written_to_who_is_not_there(slack: FakeSlack, port: SlackPort) -> None:
    """There is no chat to open."""
    with pytest.raises(GiveUp):
        await port.direct(Account(platform=Platform.SLACK, place="T1", user="UNOBODY"), reference=None)


@pytest.mark.parametrize(
    ("bot", "link"),
    [
        (BOT, "https://slack.com/app_redirect?app=A1&tab=messages&team=T1"),
        (Bot(team="T1", user="UBOT"), "https://slack.com/app_redirect?channel=UBOT&team=T1"),
        (None, None),
    ],
)
async def test_the_invitation_opens_the_direct_chat(slack: FakeSlack, bot: Bot | None, link: str | None) -> None:
    """By the app's id where it is known, else by the bot's user."""
    assert port_of(slack, bot).invitation("T1") == link


async def slack_post(slack: FakeSlack) -> str:
    post, _ = slack.posted("U1", "C1", "a question")
    return str(post["ts"])
