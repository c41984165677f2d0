"""How a message that asks several things is cut into its questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.questions import questions
from triage.text import MAX_TEXT


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("The vpn drops? My badge is lost?", ["The vpn drops?", "My badge is lost?"]),
        ("I moved desks. Where is B12? The vpn drops. Why?", ["I moved desks. Where is B12?", "The vpn drops. Why?"]),
        ("The vpn drops. Also, I lost my badge", ["The vpn drops.", "I lost my badge"]),
        ("The vpn drops. Also, I lost my badge. It was red.", ["The vpn drops.", "I lost my badge. It was red."]),
        (
            "Is the vpn down? I am in Seoul. Btw, my badge is lost",
            ["Is the vpn down? I am in Seoul.", "my badge is lost"],
        ),
        ("Secondly, the badge. The vpn drops?", ["the badge. The vpn drops?"]),
        ("VPN이 끊겨요? 비밀번호를 잊었는데요?", ["VPN이 끊겨요?", "비밀번호를 잊었는데요?"]),
        ("VPN이 끊겨요.그리고 비밀번호를 잊었어요", ["VPN이 끊겨요.", "비밀번호를 잊었어요"]),
        ("VPN 一直斷線？忘記密碼怎麼辦？", ["VPN 一直斷線?", "忘記密碼怎麼辦?"]),
        ("VPN 一直斷線?忘記密碼怎麼辦?", ["VPN 一直斷線?", "忘記密碼怎麼辦?"]),
        ("VPN 一直斷線。還有，忘記密碼了。", ["VPN 一直斷線", "忘記密碼了"]),
    ],
)
def test_every_question_is_a_part(text: str, parts: list[str]) -> None:
    """It ends with a question mark, or begins like a further one; the sentences before lead up to it."""
    assert questions(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "1. vpn drops\n2. badge lost",
        "1) vpn drops\n2) badge lost",
        "(1) vpn drops\n(2) badge lost",
        "1、vpn drops\n2、badge lost",
        "（1）vpn drops\n（2）badge lost",
        "① vpn drops\n② badge lost",
        "- vpn drops\n- badge lost",
        "• vpn drops\n• badge lost",
        "Two things:\n* vpn drops\n* badge lost",
        "1. vpn drops\n\n2. badge lost\n",
    ],
)
def test_items_of_a_list_are_parts(text: str) -> None:
    """However they are marked; what stands before the list is none."""
    assert questions(text) == ["vpn drops", "badge lost"]


@pytest.mark.parametrize(
    "text",
    [
        "my badge is lost",
        "my badge is lost. it was red.",
        "Is my badge lost? Is my badge lost?",
        "hi! is my badge lost? thanks!",
        "is my badge lost? It is urgent. I have a meeting.",
        "Second floor is dark. The lamp is out.",
        "又斷線了。還有沒有人也這樣？",
        "VPN이 안돼요. 또 끊겼어요",
        "10.5 inches wide\n2.4 meters high",
        "10.0.0.1 is down\n10.0.0.2 is down",
        "> is the vpn down?\n> is my badge lost?\nno, the canteen is closed",
        "really? why? the vpn drops",
        "can anyone help me? my badge is lost?",
        "is my badge lost? what should I do?",
        "VPN이 왜 끊기나요? 어떻게 하나요?",
        "VPN 一直斷線嗎？怎麼辦？",
        "https://example.com/?a=b?c=d vpn",
    ],
)
def test_one_question_is_not_cut(text: str) -> None:
    """Context, greetings, repetitions, numbers, pleas for help and quoted questions make no second one."""
    assert len(questions(text)) <= 1


@pytest.mark.parametrize("text", ["", " ", "?", "??? ???", "1.\n2.\n3.", "- \n- ", "also,", "🔥? 🔥?", "？？？", "> "])
def test_nothing_asked_has_no_parts(text: str) -> None:
    """Marks without words are not cut into pieces."""
    assert len(questions(text)) <= 1


def test_a_forwarded_message_is_cut_too() -> None:
    """When nothing but quotes is there, they are the message."""
    assert len(questions("> Is the vpn down?\n> Is my badge lost?")) == 2


@given(st.text(st.sampled_from("ab 1.?？\n-,。그密also>"), max_size=200))
def test_parts_are_distinct_and_no_longer_than_the_message(text: str) -> None:
    """Whatever the layout."""
    parts = questions(text)
    assert len(set(parts)) == len(parts)
    assert sum(map(len, parts)) <= min(2 * len(text), 2 * MAX_TEXT)
    assert all(part.strip() for part in parts)
