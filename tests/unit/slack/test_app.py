"""Slack over HTTP: nothing is acknowledged that was not committed, and nothing strange gets in."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from adapters.slack.adapter import SlackAdapter
from tests.fakes.slack_payloads import as_form
from tests.fakes.slack_server import FakeSlack
from tests.unit.slack.conftest import Connect, Desk
from triage.errors import TooSlow, Unavailable
from triage.model import ChannelKind, Kind

BUTTONS = [
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "desk:1",
                "text": {"type": "plain_text", "text": "Claim"},
                "value": "claim 1",
            }
        ],
    }
]
CARD = {"ts": "5.000001", "channel": "C1", "blocks": BUTTONS}


@pytest.fixture
async def http(adapter: SlackAdapter) -> AsyncIterator[httpx.AsyncClient]:
    """A stranger's client, for requests that Slack would not send."""
    transport = httpx.ASGITransport(app=Starlette(routes=adapter.routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://deskbell.test") as client:
        yield client


async def test_a_post_reaches_the_desk(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """Signed, sent, taken, acknowledged."""
    ts = await slack.say("U1", "C1", "vpn is down")
    assert [(message.text, message.id) for message in desk.taken] == [("vpn is down", ts)]


async def test_message_and_app_mention_reach_the_desk_alike(
    slack: FakeSlack, desk: Desk, adapter: SlackAdapter
) -> None:
    """Both are handed over, equal to the last field, so that either may be the one that counts."""
    await slack.say("U1", "C1", "<@UBOT> vpn is down, <@U2> saw it")
    assert (len(desk.taken), len(set(map(repr, desk.taken)))) == (2, 1)


async def test_an_app_mention_in_a_group_message_is_known_as_such(
    slack: FakeSlack, desk: Desk, adapter: SlackAdapter
) -> None:
    """Slack does not say so in the event, so it is asked."""
    slack.add_channel("C5", kind="mpim", members={"U1"})
    await slack.say("U1", "C5", "<@UBOT> hello")
    assert [message.channel.kind for message in desk.taken] == [ChannelKind.GROUP] * 2


async def test_the_sender_comes_with_name_language_and_zone(
    slack: FakeSlack, desk: Desk, adapter: SlackAdapter
) -> None:
    """As Slack's profile has them."""
    await slack.say("U1", "C1", "hello")
    sender = desk.taken[0].sender
    assert (sender.name, sender.locale, sender.timezone, sender.guest) == ("Ann", "ko-KR", "Asia/Seoul", False)


async def test_guests_of_the_workspace_are_guests(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """A contractor invited to some channels is not the company."""
    slack.add_user("U3", name="Guest", is_restricted=True)
    await slack.say("U3", "C1", "hello")
    assert desk.taken[0].sender.guest


async def test_people_mentioned_are_named(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """Slack sends ids, people read names."""
    await slack.say("U1", "C1", "ask <@U2>")
    assert desk.taken[0].text == "ask @Kim"


async def test_a_profile_is_asked_for_once(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """It is remembered."""
    await slack.say("U1", "C1", "one")
    await slack.say("U1", "C1", "two")
    assert len(slack.called("users.info")) == 1


async def test_nobody_is_looked_up_for_talk(slack: FakeSlack, desk: Desk, connect: Connect) -> None:
    """It is acknowledged, and that is all."""
    _, (request, *_) = slack.posted("U1", "C1", "lunch?")
    async with connect(talk=True):
        status = (await slack.deliver(request)).status
    assert (status, desk.taken, slack.called("users.info")) == (200, [], [])


async def test_a_failed_look_up_fails_no_message(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """A message without a name is better than none."""
    slack.break_next(method="users.info")
    await slack.say("U1", "C1", "hello")
    assert [message.sender.locale for message in desk.taken] == [None]


async def test_an_edit_and_a_deletion_reach_the_desk(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """As changes of the post."""
    ts = await slack.say("U1", "C1", "hello")
    await slack.edit("C1", ts, "hello again")
    await slack.delete("C1", ts)
    assert [(message.kind, message.id) for message in desk.taken] == [
        (Kind.POST, ts),
        (Kind.EDIT, ts),
        (Kind.DELETE, ts),
    ]


async def test_a_command_is_acknowledged_with_nothing(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """The reply comes through the outbox."""
    answer = await slack.deliver(slack.command("U1", "C1", "claim 42"))
    assert (answer.status, answer.body, desk.taken[0].text) == (200, "", "claim 42")


async def test_a_press_reaches_the_desk(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """As the button's command."""
    answer = await slack.deliver(slack.press("U1", CARD, "Claim"))
    assert (answer.status, desk.taken[0].text, desk.taken[0].kind) == (200, "claim 1", Kind.BUTTON)


async def test_nothing_is_acknowledged_before_the_commit(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """While the desk works, Slack waits."""
    desk.may_commit.clear()
    _, (request, *_) = slack.posted("U1", "C1", "hello")
    delivery = asyncio.create_task(slack.deliver(request))
    await desk.begun.wait()
    before = delivery.done()
    desk.may_commit.set()
    assert (before, (await delivery).status) == (False, 200)


@pytest.mark.parametrize("trouble", [TooSlow("2 s"), Unavailable("no database"), RuntimeError("a bug")])
async def test_an_event_whose_turn_failed_is_asked_for_again(
    slack: FakeSlack, desk: Desk, adapter: SlackAdapter, trouble: Exception
) -> None:
    """503, so that Slack delivers it once more."""
    desk.troubles.append(trouble)
    _, (request, *_) = slack.posted("U1", "C1", "hello")
    statuses = [(await slack.deliver(request, retry=retry)).status for retry in (0, 1)]
    assert (statuses, len(desk.taken)) == ([503, 200], 1)


async def test_the_last_retry_is_known_as_such(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """The desk may then store the failure instead."""
    _, (request, *_) = slack.posted("U1", "C1", "hello")
    for retry in (2, 3):
        await slack.deliver(request, retry=retry)
    assert [message.last_try for message in desk.taken] == [False, True]


async def test_a_command_whose_turn_failed_is_told_so_in_the_persons_language(
    slack: FakeSlack, desk: Desk, adapter: SlackAdapter
) -> None:
    """Slack does not repeat commands, so the person must."""
    desk.troubles.append(TooSlow("2 s"))
    answer = await slack.deliver(slack.command("U1", "C1", "claim 42"))
    assert (answer.status, json.loads(answer.body)["text"], json.loads(answer.body)["response_type"]) == (
        200,
        "busy in ko-KR",
        "ephemeral",
    )


async def test_a_full_desk_asks_for_events_again_while_they_come_again(
    slack: FakeSlack, connect: Connect, desk: Desk
) -> None:
    """Before they are read; what Slack brings for the last time is let in."""
    _, (request, *_) = slack.posted("U1", "C1", "hello")
    async with connect(full=True):
        statuses = [(await slack.deliver(request, retry=retry)).status for retry in (0, 2, 3)]
    assert (statuses, len(desk.taken)) == ([503, 503, 200], 1)


async def test_a_full_desk_hears_whoever_presses_something(slack: FakeSlack, connect: Connect, desk: Desk) -> None:
    """It does not come again: its author is told by the turn whether it was taken."""
    async with connect(full=True):
        answer = await slack.deliver(slack.press("U1", CARD, "Claim"))
    assert (answer.status, len(desk.taken)) == (200, 1)


async def test_a_press_whose_turn_failed_is_told_so_privately(slack: FakeSlack, connect: Connect, desk: Desk) -> None:
    """Slack shows no answer to a press, so it is said through the response_url."""
    desk.troubles.append(TooSlow("2 s"))
    async with connect():
        answer = await slack.deliver(slack.press("U1", CARD, "Claim"))
    assert (answer.status, [post["text"] for post in slack.ephemerals]) == (200, ["busy in ko-KR"])


async def test_a_press_whose_turn_failed_and_whose_author_cannot_be_told_is_not_acknowledged(
    slack: FakeSlack, connect: Connect, desk: Desk
) -> None:
    """Slack itself shows then that the button did not work."""
    desk.troubles.append(TooSlow("2 s"))
    slack.busy_next(method="response_url")
    async with connect():
        assert (await slack.deliver(slack.press("U1", CARD, "Claim"))).status == 503


async def test_subscribed_but_unused_events_are_acknowledged(
    slack: FakeSlack, desk: Desk, adapter: SlackAdapter
) -> None:
    """Slack disables endpoints that fail too often."""
    answer = await slack.deliver(slack.event({"type": "team_join", "user": {"id": "U9"}}))
    assert (answer.status, desk.taken) == (200, [])


async def test_payloads_nobody_listens_to_are_acknowledged(slack: FakeSlack, http: httpx.AsyncClient) -> None:
    """A shortcut somebody added to the app is no error of Slack's."""
    body, content_type = as_form(
        {"payload": json.dumps({"type": "shortcut", "callback_id": "x", "user": {"id": "U1"}})}
    )
    answer = await http.post("/slack/events", content=body, headers=slack.sign(body, content_type=content_type))
    assert answer.status_code == 200


async def test_the_bots_own_messages_do_not_reach_the_desk(slack: FakeSlack, desk: Desk, adapter: SlackAdapter) -> None:
    """It would answer itself."""
    await slack.say("UBOT", "C1", "hello", bot_id="BBOT")
    assert desk.taken == []


async def test_slack_can_verify_the_address(slack: FakeSlack, http: httpx.AsyncClient) -> None:
    """The challenge is answered when the request URL is saved."""
    body = json.dumps({"type": "url_verification", "challenge": "abc"})
    answer = await http.post("/slack/events", content=body, headers=slack.sign(body))
    assert answer.json() == {"challenge": "abc"}


async def test_a_wrong_signature_is_refused(slack: FakeSlack, desk: Desk, http: httpx.AsyncClient) -> None:
    """Nothing that Slack did not sign reaches the desk."""
    _, (request, *_) = slack.posted("U1", "C1", "hello")
    headers = {**request.headers, "x-slack-signature": "v0=" + "0" * 64}
    answer = await http.post("/slack/events", content=request.body, headers=headers)
    assert (answer.status_code, desk.taken) == (401, [])


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_an_old_or_future_request_is_refused(slack: FakeSlack, http: httpx.AsyncClient, seconds: int) -> None:
    """A recorded request cannot be played again."""
    _, (request, *_) = slack.posted("U1", "C1", "hello")
    headers = slack.sign(request.body, at=time.time() + seconds)
    assert (await http.post("/slack/events", content=request.body, headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-slack-request-timestamp": "soon", "x-slack-signature": "v0=1"},
        {"x-slack-request-timestamp": "٣", "x-slack-signature": "v0=1"},
        {"x-slack-request-timestamp": str(int(time.time())), "x-slack-signature": "v0=é"},
    ],
)
async def test_unsigned_or_garbled_headers_are_refused(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """With 401, not with an error of ours."""
    encoded = {name.encode(): value.encode() for name, value in headers.items()}
    answer = await http.post("/slack/events", content=b'{"type": "event_callback"}', headers=encoded)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        b"[]",
        b"5",
        b'{"type": "event_callback", "event": 5}',
        b"\xff\xfe",
        b'{"a":' * 3_000,
        b'{"authorizations": 1}',
    ],
)
async def test_a_malformed_body_is_refused(slack: FakeSlack, http: httpx.AsyncClient, body: bytes) -> None:
    """With 4xx, signed or not: Bolt alone would fail before it verified."""
    headers = {"content-type": "application/json", "x-slack-request-timestamp": str(int(time.time()))}
    answer = await http.post("/slack/events", content=body, headers={**headers, "x-slack-signature": "v0=1"})
    assert 400 <= answer.status_code < 500


async def test_a_malformed_form_is_refused(slack: FakeSlack, http: httpx.AsyncClient) -> None:
    """Interactions come as JSON inside a form."""
    body = b"payload=%7Bnot"
    headers = slack.sign(body, content_type="application/x-www-form-urlencoded")
    answer = await http.post("/slack/events", content=body, headers=headers)
    assert answer.status_code == 400


async def test_an_enormous_body_is_refused(http: httpx.AsyncClient) -> None:
    """Before it is read to the end."""
    assert (await http.post("/slack/events", content=b"x" * 2_000_000)).status_code == 413


async def test_bolts_internal_headers_have_no_effect_from_outside(
    slack: FakeSlack, desk: Desk, http: httpx.AsyncClient
) -> None:
    """This one would skip the listener and answer 200."""
    _, (request, *_) = slack.posted("U1", "C1", "hello")
    headers = {**request.headers, "x-slack-bolt-lazy-only": "1", "x-slack-bolt-lazy-function-name": "event"}
    await http.post("/slack/events", content=request.body, headers=headers)
    assert len(desk.taken) == 1


async def test_until_slack_knows_the_bot_nothing_is_taken(slack: FakeSlack, desk: Desk, connect: Connect) -> None:
    """503: Slack keeps the event."""
    slack.refuses_tokens = True
    async with connect(ready=False) as adapter:
        _, (request, *_) = slack.posted("U1", "C1", "hello")
        answer = await slack.deliver(request)
        assert (answer.status, adapter.ready, desk.taken) == (503, False, [])


async def test_the_adapter_becomes_ready_once_the_token_is_accepted(slack: FakeSlack, connect: Connect) -> None:
    """Slack is asked again until it answers."""
    slack.refuses_tokens = True
    async with connect(ready=False) as adapter:
        await slack.next_call("auth.test")
        await slack.next_call("auth.test")
        problem = adapter.problem or ""
        slack.refuses_tokens = False
        await asyncio.wait_for(adapter.wait_ready(), 5)
        assert ("invalid_auth" in problem, adapter.problem) == (True, None)


async def test_the_bot_is_not_asked_for_while_slack_waits(slack: FakeSlack, adapter: SlackAdapter) -> None:
    """Bolt alone would call auth.test in the first turn, and lose the event when that failed."""
    slack.refuses_tokens = True
    _, (request, *_) = slack.posted("U1", "C1", "hello")
    answers = [(await slack.deliver(request)).status for _ in range(2)]
    assert (answers, len(slack.called("auth.test"))) == ([200, 200], 1)


async def test_bolt_does_not_read_the_environment(
    monkeypatch: pytest.MonkeyPatch, slack: FakeSlack, desk: Desk, connect: Connect
) -> None:
    """A client id beside a token would switch it to OAuth, and every event would be dropped."""
    names = ("CLIENT_ID", "CLIENT_SECRET", "BOT_TOKEN", "SIGNING_SECRET", "VERIFICATION_TOKEN", "APP_TOKEN")
    for name in names:
        monkeypatch.setenv(f"SLACK_{name}", "wrong")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    async with connect():
        await slack.say("U1", "C1", "hello")
    assert len(desk.taken) == 1


async def test_without_a_signing_secret_there_is_no_address(connect: Connect) -> None:
    """Nothing could be verified there."""
    async with connect(signing_secret=None) as adapter:
        assert adapter.routes == []


async def test_a_stopped_adapter_takes_nothing(slack: FakeSlack, desk: Desk, connect: Connect) -> None:
    """What arrives while the process ends is left to Slack's retry."""
    async with connect():
        _, (request, *_) = slack.posted("U1", "C1", "hello")
    assert ((await slack.deliver(request)).status, desk.taken) == (503, [])
