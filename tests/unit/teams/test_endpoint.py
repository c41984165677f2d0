"""`POST /api/messages`: who is let in, and what Teams is told about what became of it."""

from __future__ import annotations

import time
from typing import Any

import httpx
import jwt
import pytest

from tests.fakes.teams_connector import APP_ID, CHANNEL, KEY_ID, FakeTeams, Post
from tests.unit.teams.conftest import RETRY, Desk
from triage.document import Button, Buttons, Document, Paragraph, Plain
from triage.errors import TooSlow
from triage.model import Kind
from triage.ports import Address, Receipt


async def with_buttons(desk: Desk) -> Post:
    """A post of the bot in Kim's chat that carries one button."""
    await desk.receive(desk.teams.activity("hello"))
    said = desk.messages.pop()
    document = Document(blocks=(Buttons((Button("Claim", "claim 42"),)),), summary="A ticket")
    await desk.adapter.port.post(Address(thread=said.here, reference=said.reference), document, key="k")
    return desk.teams.posts[-1]


async def test_a_genuine_message_is_taken(desk: Desk) -> None:
    """A signed message reaches the intake and is answered 200."""
    answer = await desk.receive(desk.teams.activity("my laptop is broken"))
    assert (answer.status_code, [m.text for m in desk.messages]) == (200, ["my laptop is broken"])


FORGERIES: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "33333333-3333-4333-8333-333333333333"},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://sts.windows.net/other/"},
    "no issuer": {"iss": None},
    "another service URL": {"serviceurl": "https://evil.example/"},
    "no service URL": {"serviceurl": None},
    "expired": {"exp": int(time.time()) - 3600},
    "no expiry": {"exp": None},
    "not yet valid": {"nbf": int(time.time()) + 3600},
    "an unknown key": {"key": "unknown-key"},
    "a symmetric signature": {"algorithm": "HS256"},
    "another algorithm": {"algorithm": "RS512"},
}


@pytest.mark.parametrize("claims", FORGERIES.values(), ids=FORGERIES.keys())
async def test_a_forged_token_is_refused(desk: Desk, claims: dict[str, Any]) -> None:
    """Every forgery known to pass or to crash botbuilder is answered 401 and never taken."""
    answer = await desk.receive(desk.teams.activity("hi"), desk.teams.headers(**claims))
    assert (answer.status_code, desk.messages) == (401, [])


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer abc", "Basic x", "Bearer a.b.c", "Bearer \xff"])
async def test_garbage_instead_of_a_token_is_refused(desk: Desk, header: str) -> None:
    """What is no token at all is answered 401, not 500."""
    answer = await desk.receive(desk.teams.activity("hi"), {"Authorization": header})
    assert answer.status_code == 401


async def test_a_token_signed_with_another_key_of_the_same_name_is_refused(desk: Desk) -> None:
    """The signature is checked, not only the name of the key."""
    header, payload, _ = desk.teams.token().split(".")
    stolen = desk.teams.token(key="mallory").split(".")[2]
    answer = await desk.receive(desk.teams.activity("hi"), {"Authorization": f"Bearer {header}.{payload}.{stolen}"})
    assert answer.status_code == 401


async def test_a_token_unsigned_is_refused(desk: Desk) -> None:
    """`alg: none` is not an algorithm here."""
    token = jwt.encode({"aud": APP_ID}, None, algorithm="none", headers={"kid": KEY_ID})  # type: ignore[arg-type]
    assert (await desk.receive(desk.teams.activity("hi"), {"Authorization": f"Bearer {token}"})).status_code == 401


async def test_clocks_may_differ_by_minutes(desk: Desk) -> None:
    """A token that expired four minutes ago is still taken."""
    expired = int(time.time()) - 240
    assert (await desk.receive(desk.teams.activity("hi"), desk.teams.headers(exp=expired))).status_code == 200


async def test_a_key_that_does_not_endorse_teams_is_refused(desk: Desk) -> None:
    """A key for another channel's requests does not speak for Teams."""
    desk.teams.endorsements = ("webchat",)
    assert (await desk.receive(desk.teams.activity("hi"))).status_code == 401


async def test_another_channel_of_the_same_bot_is_refused(desk: Desk) -> None:
    """Web Chat lets anyone call himself anything, so it is not served."""
    assert (await desk.receive(desk.teams.activity("hi", channelId="webchat"))).status_code == 401


async def test_a_rotated_key_is_fetched_at_once(desk: Desk) -> None:
    """The first request signed with a new key is taken as soon as a minute has passed."""
    await desk.receive(desk.teams.activity("before"))
    desk.teams.published = ["second-key"]
    desk.now += 61
    answer = await desk.receive(desk.teams.activity("after"), desk.teams.headers(key="second-key"))
    assert answer.status_code == 200


async def test_invented_keys_do_not_make_the_desk_fetch(desk: Desk) -> None:
    """However many unknown keys are named, keys are fetched once a minute at most."""
    await desk.receive(desk.teams.activity("hi"))
    for number in range(5):
        await desk.receive(desk.teams.activity("hi"), desk.teams.headers(key=f"invented-{number % 2}"))
    assert desk.teams.keys_fetched == 1


async def test_old_keys_are_fetched_anew(desk: Desk) -> None:
    """After a day the keys are fetched again, so that a withdrawn one stops working."""
    await desk.receive(desk.teams.activity("hi"))
    desk.teams.published = ["second-key"]
    desk.now += 25 * 3600
    assert (await desk.receive(desk.teams.activity("hi"))).status_code == 401


async def test_without_keys_teams_is_asked_to_come_again(teams: FakeTeams) -> None:
    """While no key can be fetched nothing is acknowledged and nothing is called forged."""
    activity, headers = teams.activity("hi"), teams.headers()
    desk = Desk(teams)
    app = desk.app
    await teams.stop()
    assert (await teams.deliver(app, activity, headers=headers)).status_code == 503
    await desk.adapter.stop()


async def test_ready_once_the_keys_are_there(desk: Desk) -> None:
    """Starting fetches the keys; before that the adapter says that it is not ready."""
    before = desk.adapter.ready
    await desk.adapter.start()
    await desk.receive(desk.teams.activity("hi"))
    assert (before, desk.adapter.ready) == (False, True)


@pytest.mark.parametrize("body", ["", "{", "[]", '"text"', "null", "{}", '{"type": 7}', "[" * 100_000])
async def test_a_body_that_is_no_activity_is_a_bad_request(desk: Desk, body: str) -> None:
    """Malformed JSON, and JSON that is no activity, is answered 400."""
    assert (await desk.receive(body)).status_code == 400


async def test_a_huge_body_is_a_bad_request(desk: Desk) -> None:
    """Far more than Teams ever sends is not read to its end."""
    assert (await desk.receive(desk.teams.activity("x" * 1_100_000))).status_code == 400


async def test_a_tenant_that_is_not_served_is_refused(desk: Desk) -> None:
    """A genuine message of a tenant that is not allowed goes no further."""
    desk.tenants = {"another-tenant"}
    answer = await desk.receive(desk.teams.activity("hi"))
    assert (answer.status_code, desk.messages) == (403, [])


async def test_a_message_that_was_not_stored_is_not_acknowledged(desk: Desk) -> None:
    """A failed turn is a 503, so that Teams delivers the message again."""
    desk.error = TooSlow("2 s")
    assert (await desk.receive(desk.teams.activity("hi"))).status_code == 503


async def test_other_activities_are_acknowledged_and_dropped(desk: Desk) -> None:
    """An installation is answered 200 although nobody takes it."""
    answer = await desk.receive(desk.teams.activity(kind="installationUpdate", action="add"))
    assert (answer.status_code, desk.messages) == (200, [])


async def test_a_guest_is_recognised_by_the_roster(desk: Desk) -> None:
    """Teams' activities do not say who is a guest; the roster does."""
    desk.teams.guests.add("mallory")
    await desk.receive(desk.teams.activity("hi", user="mallory", conversation=CHANNEL))
    await desk.receive(desk.teams.activity("hi", user="kim", conversation=CHANNEL))
    assert [m.sender.guest for m in desk.messages] == [True, False]


async def test_the_roster_is_asked_once_a_day(desk: Desk) -> None:
    """A person is remembered, and asked about again the next day."""
    for pause in (0, 60, 25 * 3600):
        desk.now += pause
        await desk.receive(desk.teams.activity("hi"))
    assert len([call for call in desk.teams.calls if "/members/" in call.path]) == 2


async def test_a_message_waits_for_the_roster(desk: Desk) -> None:
    """While the roster cannot be read, nobody's rights are guessed: Teams is asked to come again."""
    desk.teams.refuse_next(502)
    assert (await desk.receive(desk.teams.activity("hi"))).status_code == 503


async def test_someone_the_roster_does_not_know_is_a_guest(desk: Desk) -> None:
    """Whoever is not in the conversation's roster gets a stranger's rights."""
    desk.teams.refuse_next(404, "MemberNotFoundInConversation")
    await desk.receive(desk.teams.activity("hi"))
    assert desk.messages[0].sender.guest


async def test_a_mentioned_colleague_is_known_by_the_id_that_desk_yaml_has(desk: Desk) -> None:
    """A mention names a `29:` id; the account is the Entra object id."""
    lee = {"type": "mention", "text": "<at>Lee</at>", "mentioned": {"id": "29:lee", "name": "Lee"}}
    await desk.receive(desk.teams.activity("transfer to <at>Lee</at>", entities=[lee]))
    message = desk.messages[0]
    assert (message.text, [m.user for m in message.mentions]) == ("transfer to @Lee", ["object-lee"])


# --- buttons -------------------------------------------------------------------------------------
@pytest.mark.parametrize("submit", [False, True])
async def test_a_press_is_a_command(desk: Desk, submit: bool) -> None:
    """Action.Execute and its fallback Action.Submit both bring the button's command."""
    post = await with_buttons(desk)
    await desk.receive(desk.teams.press("claim 42", on=post, submit=submit))
    message = desk.messages[0]
    assert (message.kind, message.text, message.id) == (Kind.BUTTON, "claim 42", post.id)


async def test_a_press_shows_its_acknowledgement(desk: Desk) -> None:
    """The receipt's document is the text of the invoke response."""
    post = await with_buttons(desk)
    desk.receipt = Receipt(ack=Document(blocks=(Paragraph((Plain("Yours."),)),), summary="Ticket 42 is yours."))
    answer = await desk.receive(desk.teams.press("claim 42", on=post))
    expected = {
        "statusCode": 200,
        "type": "application/vnd.microsoft.activity.message",
        "value": "Ticket 42 is yours.",
    }
    assert (answer.status_code, answer.json()) == (200, expected)


async def test_a_press_without_words_is_still_answered(desk: Desk) -> None:
    """Without an acknowledgement of its own a press gets the short sentence for what was done."""
    answer = await desk.receive(desk.teams.press("claim 42", on=await with_buttons(desk)))
    assert (answer.status_code, answer.json()["value"]) == (200, "done")


async def test_a_press_that_was_not_stored_says_so(desk: Desk) -> None:
    """Nobody delivers a press again, so the person is told, in the language of their client."""
    post = await with_buttons(desk)
    desk.error = TooSlow("2 s")
    answer = await desk.receive(desk.teams.press("claim 42", on=post))
    assert (answer.status_code, answer.json()["value"]) == (200, f"en-GB: {RETRY}")


@pytest.mark.parametrize(
    "value",
    [None, "claim", {}, {"action": None}, {"action": {"type": "Action.Submit", "data": {"command": "x"}}},
     {"action": {"type": "Action.Execute", "data": {"command": 7}}}, {"action": {"type": "Action.Execute"}}],
)  # fmt: skip
async def test_a_malformed_press_is_a_bad_request(desk: Desk, value: Any) -> None:
    """A card action without a command is answered 400, where botbuilder answers 500."""
    invoke = desk.teams.activity(kind="invoke", name="adaptiveCard/action", value=value)
    assert (await desk.receive(invoke)).status_code == 400


async def test_an_invoke_of_another_kind_is_not_implemented(desk: Desk) -> None:
    """Dialogs and the like are not offered, and the answer says so."""
    assert (await desk.receive(desk.teams.activity(kind="invoke", name="task/fetch"))).status_code == 501


# --- without authentication ----------------------------------------------------------------------
async def local(desk: Desk, **headers: str) -> httpx.Response:
    desk.unauthenticated = True
    return await desk.receive(desk.teams.activity("hi"), headers)


async def test_a_local_client_needs_no_token(desk: Desk) -> None:
    """With authentication off, a client on this machine is served without a token or a roster."""
    assert ((await local(desk)).status_code, len(desk.messages), desk.teams.calls) == (200, 1, [])


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Origin"])
async def test_behind_a_proxy_nothing_is_served_without_authentication(desk: Desk, header: str) -> None:
    """A request that came through something else, or from a web page, is refused."""
    answer = await local(desk, **{header: "https://example.com"})
    assert (answer.status_code, desk.messages) == (403, [])


@pytest.mark.parametrize("url", ["https://smba.example/", "http://127.0.0.1@evil.example/", "http://[", "", None])
async def test_without_authentication_only_loopback_is_answered_to(desk: Desk, url: str | None) -> None:
    """A service URL elsewhere is refused: the desk's replies would go there."""
    desk.unauthenticated = True
    assert (await desk.receive(desk.teams.activity("hi", serviceUrl=url), {})).status_code == 403


async def test_without_authentication_only_this_machine_is_served(desk: Desk) -> None:
    """A peer that is not loopback is refused."""
    desk.unauthenticated = True
    transport = httpx.ASGITransport(app=desk.app, client=("192.0.2.7", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.example") as client:
        answer = await client.post("/api/messages", json=desk.teams.activity("hi"))
    assert answer.status_code == 403
