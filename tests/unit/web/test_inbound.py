"""What a visitor types or presses becomes the same `Message` that Slack and Teams would make."""

from __future__ import annotations

import pytest

from adapters.web.desk import direct_channel, triage_channel
from adapters.web.inbound import pressed, typed
from tests.unit.web.desk import DANA, KIM, LEE, MINJI
from triage.model import Kind, Message, Sender, Thread

DM = direct_channel("dana")
TRIAGE = triage_channel("it")


def _sender() -> Sender:
    return Sender(account=DANA.account, name="Dana", locale="en", timezone="Europe/London")


def _typed(text: str, *, thread: str | None = None, channel: object = None) -> Message:
    return typed(
        id="p1",
        sender=_sender(),
        channel=TRIAGE if channel is None else DM,
        text=text,
        thread=thread,
        people=(LEE, KIM, MINJI),
    )


def test_a_post_keeps_its_own_words_and_line_breaks() -> None:
    """Only the outer space goes."""
    assert _typed("  My VPN drops\n\nsince Monday ").text == "My VPN drops\n\nsince Monday"


def test_a_direct_chat_is_one_conversation() -> None:
    """A post there belongs to the chat, not to a thread of its own."""
    assert _typed("hello", channel=DM).here == Thread(channel=DM)


def test_a_post_in_a_channel_starts_a_thread() -> None:
    """The thread hangs on the post's id."""
    assert _typed("hello").here == Thread(channel=TRIAGE, root="p1")


def test_a_reply_belongs_to_its_thread() -> None:
    """Replies name the root they hang on."""
    assert _typed("hello", thread="root").here == Thread(channel=TRIAGE, root="root")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/desk claim 42", "claim 42"),
        ("  /desk   queue it ", "queue it"),
        ("/Desk help", "help"),
        ("/desk", ""),
        ("/desk note 42 first\nsecond", "note 42 first\nsecond"),
    ],
)
def test_desk_in_front_makes_a_command(text: str, command: str) -> None:
    """What follows `/desk` is command text."""
    message = _typed(text)
    assert (message.kind, message.text) == (Kind.COMMAND, command)


@pytest.mark.parametrize("text", ["/desktop is slow", "what does /desk claim do?", "desk claim 42"])
def test_desk_elsewhere_makes_no_command(text: str) -> None:
    """A word that only begins alike, or a command that is spoken about, stays a post."""
    assert (_typed(text).kind, _typed(text).text) == (Kind.POST, text)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("@Deskbell claim 42", "claim 42"),
        ("@deskbell, claim 42", "claim 42"),
        ("please @Deskbell help", "please help"),
        ("help @Deskbell", "help"),
        ("@Deskbell아 도와줘", "아 도와줘"),
        ("@Deskbell 幫我", "幫我"),
    ],
)
def test_naming_the_bot_is_a_mention_and_leaves_the_rest(text: str, rest: str) -> None:
    """In any case, anywhere, and with a particle attached."""
    message = _typed(text)
    assert (message.mentions_bot, message.text) == (True, rest)


@pytest.mark.parametrize("text", ["write to it@deskbell.example", "@Deskbells", "Deskbell is nice"])
def test_what_only_looks_like_the_bots_name_is_no_mention(text: str) -> None:
    """An address, another name, or the name without the sign."""
    assert (_typed(text).mentions_bot, _typed(text).text) == (False, text)


def test_people_named_with_a_sign_are_listed_and_stay_in_the_text() -> None:
    """So `assign 42 @Kim` finds Kim's account."""
    message = _typed("/desk assign 42 @Kim")
    assert (message.text, message.mentions) == ("assign 42 @Kim", (KIM.account,))


def test_nobody_is_mentioned_by_a_longer_name() -> None:
    """`@Kimberly` is not Kim."""
    assert _typed("ask @Kimberly").mentions == ()


def test_a_press_carries_the_command_and_the_post_it_was_on() -> None:
    """The desk finds the ticket by the post, and the repeat by the press."""
    message = pressed(id="press-7", sender=_sender(), channel=TRIAGE, command="claim 42", post="card-1")
    assert (message.kind, message.text, message.id, message.key) == (
        Kind.BUTTON,
        "claim 42",
        "card-1",
        "web:triage-it:press-7",
    )


def test_a_press_on_a_card_answers_in_the_cards_thread() -> None:
    """The card is the root of its own thread."""
    message = pressed(id="press-7", sender=_sender(), channel=TRIAGE, command="claim 42", post="card-1")
    assert message.here == Thread(channel=TRIAGE, root="card-1")


def test_every_post_has_a_key_of_its_own() -> None:
    """Keys name the channel and the post."""
    assert _typed("hello").key == "web:triage-it:p1"
