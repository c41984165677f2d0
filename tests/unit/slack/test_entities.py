"""Slack's markup in inbound text becomes plain words."""

from __future__ import annotations

import pytest

from adapters.slack.entities import read


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("see <https://x.example/a?b=1&amp;c=2>", "see https://x.example/a?b=1&c=2"),
        ("see <https://x.example|the page>", "see the page (https://x.example)"),
        ("<http://x.example|x.example>", "x.example"),
        ("<mailto:a@x.example|a@x.example>", "a@x.example"),
        ("<tel:+441234|+441234>", "+441234"),
        ("in <#C1|vpn> and <#C2>", "in #vpn and #C2"),
        ("<!here> <!channel>", "@here @channel"),
        ("<!subteam^S1|@it-team>", "@it-team"),
        ("<!subteam^S1>", "@subteam"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
        ("<@U2|kim> and <@U3>", "@kim and @U3"),
        ("<@UBOT> hello", "hello"),
        ("<@UBOT>: hello", "hello"),
        ("<@UBOT|deskbell> hello", "hello"),
        ("hello <@UBOT> there", "hello there"),
        ("請問 <@UBOT>", "請問"),
        ("<@UBOT> <@UBOT> hello", "hello"),
        ("<@UBOT>\nfirst\nsecond", "first\nsecond"),
        ("", ""),
    ],
)
def test_entities_become_words(raw: str, text: str) -> None:
    """Each kind of entity reads as a person would say it."""
    assert read(raw, bot="UBOT", names={}).text == text


def test_people_are_listed_once_and_without_the_bot() -> None:
    """The list says who else was meant."""
    found = read("<@U2> <@UBOT> <@U3|x> <@U2>", bot="UBOT", names={})
    assert found.people == ("U2", "U3")


def test_escaped_text_is_no_mention() -> None:
    """Somebody who types the characters mentions nobody."""
    assert read("&lt;@UBOT&gt;", bot="UBOT", names={}) == read("&lt;@UBOT&gt;", bot="UX", names={})
