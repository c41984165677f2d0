"""How a message that asks several things is cut into its questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.questions import MAX_CLAUSES, clauses, questions
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
        ("VPN이 끊겨서 급해요ㅠㅠ 그리고 비밀번호를 잊었어요", ["VPN이 끊겨서 급해요ㅠㅠ", "비밀번호를 잊었어요"]),
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
        "1. vpn drops 2. badge lost",
        "Two things: 1) vpn drops 2) badge lost",
        "(1)vpn drops (2)badge lost",
        "a) vpn drops b) badge lost",
        "(a) vpn drops\n(b) badge lost",
        "一、vpn drops 二、badge lost",
        "①vpn drops ②badge lost",
    ],
)
def test_items_of_a_list_are_parts(text: str) -> None:
    """However they are marked, on one line or several; what stands before the list is none."""
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
        "it took 1.5 hours on the 2. floor (b) side",
        "line 2. is busy, and line 1) too",
        "> is the vpn down?\n> is my badge lost?\nno, the canteen is closed",
        "really? why? the vpn drops",
        "can anyone help me? my badge is lost?",
        "is my badge lost? what should I do?",
        "is my badge lost? who should I contact?",
        "出入證不見了嗎？該找誰？",
        "출입증을 잃어버린 건가요? 누구한테 말해야 하나요?",
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


@pytest.mark.parametrize(
    "text",
    [
        "the vpn drops and my badge is lost",
        "the vpn drops, and also my badge is lost",
        "the vpn drops\nmy badge is lost",
        "the vpn drops, plus my badge is lost",
        "hi! the vpn drops and my badge is lost",
    ],
)
def test_one_sentence_may_be_two_questions(text: str) -> None:
    """Whether it is, its answers tell."""
    assert clauses(text) == [["the vpn drops", "my badge is lost"]]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("비밀번호는 어떻게 바꾸고 출입증은 어디서 받나요", ["비밀번호는 어떻게 바꾸고", "출입증은 어디서 받나요"]),
        ("VPN이 끊기고, 그리고 출입증을 잃어버렸어요", ["VPN이 끊기고", "출입증을 잃어버렸어요"]),
        ("密碼怎麼重設，還有出入證不見了", ["密碼怎麼重設", "出入證不見了"]),
        ("VPN 一直斷線另外忘記密碼了", ["VPN 一直斷線", "忘記密碼了"]),
    ],
)
def test_korean_and_chinese_join_questions_with_words_of_their_own(text: str, parts: list[str]) -> None:
    """Which stand between them, or end the first."""
    assert parts in clauses(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "my badge is lost",
        "shifts and breaks",
        "쓰고 있어요",
        "還有沒有名額",
        "> one. two.\nthe vpn drops",
        "a. b. c. d.",
    ],
)
def test_what_joins_nothing_is_not_parted(text: str) -> None:
    """Lists of words, forms of a verb, quotes, and pieces without words."""
    assert clauses(text) == []


def test_a_message_of_many_sentences_is_a_story() -> None:
    """Each of its clauses would be looked up."""
    assert clauses(". ".join(f"sentence number {number}" for number in range(MAX_CLAUSES + 1))) == []


@given(st.text(st.sampled_from("ab 1.?？\n-,。그密also>"), max_size=200))
def test_parts_are_distinct_and_no_longer_than_the_message(text: str) -> None:
    """Whatever the layout."""
    parts = questions(text)
    assert len(set(parts)) == len(parts)
    assert sum(map(len, parts)) <= min(2 * len(text), 2 * MAX_TEXT)
    assert all(part.strip() for part in parts)
