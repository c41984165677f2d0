"""What is left of a message once everything that carries no question is gone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.model import Language
from triage.text import (
    MAX_TEXT,
    is_english,
    is_small_talk,
    is_thanks,
    jamo,
    language_of,
    normalise,
    replace_words,
    sentences,
    words,
)


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("ＶＰＮ Drops", "vpn drops"),
        ("v\u200bp\u200bn \u202edrops\u202c", "vpn drops"),
        ("see https://example.com/a?b=c and help", "see and help"),
        ("@lee my badge :sob: is lost 😱", "my badge is lost"),
        ("안돼요ㅠㅠ", "안돼요"),
        ("> did it work?\nno, it still fails", "no, it still fails"),
        ("printer jams\nBest regards,\nLee\nHead of Sales", "printer jams"),
        ("printer jams\n-- \nLee", "printer jams"),
        ("at 10:30 the   wifi\n\n\ndrops", "at 10:30 the wifi\ndrops"),
    ],
)
def test_only_the_own_words_are_left(written: str, left: str) -> None:
    """Markup, links, mentions, emoji, quotes and signatures go; words and lines stay."""
    assert normalise(written) == left


def test_a_message_of_quotes_only_keeps_its_words() -> None:
    """Someone who forwards a question as a quote still asks it."""
    assert normalise("> my badge is lost") == "my badge is lost"


def test_decomposed_korean_equals_composed_korean() -> None:
    """Text pasted from a Mac file name arrives decomposed."""
    assert normalise(jamo("비밀번호")) == "비밀번호"


def test_a_very_long_message_is_cut() -> None:
    """Work is bounded whatever is pasted."""
    assert len(normalise("vpn 연결 " * 8_000)) <= MAX_TEXT


@given(st.text(max_size=400))
def test_normalising_never_fails(text: str) -> None:
    """Whatever is typed, the result has no blank edges and is within its limit."""
    left = normalise(text)
    assert left == left.strip()
    assert len(left) <= MAX_TEXT


def test_words_are_runs_of_one_script() -> None:
    """A Korean particle glued to a product name does not hide the name."""
    assert words("vpn이 안돼요, don't 重設密碼") == ["vpn", "이", "안돼요", "don't", "重設密碼"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("it broke. why?\nhelp", ["it broke.", "why?", "help"]),
        ("접속이 안 됩니다.도와주세요", ["접속이 안 됩니다.", "도와주세요"]),
        ("壞了。怎麼辦", ["壞了", "怎麼辦"]),
        ("version 2.5 of app.exe", ["version 2.5 of app.exe"]),
    ],
)
def test_sentences_are_split_in_every_script(text: str, parts: list[str]) -> None:
    """Full stops of all three scripts, and line ends, close a sentence; a dot inside a name does not."""
    assert sentences(text) == parts


def test_words_are_replaced_whole() -> None:
    """A repair of one word leaves words alone that merely contain it."""
    assert replace_words("vpm vpmx", {"vpm": "vpn"}) == "vpn vpmx"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("VPN이 안돼요", Language.KO),
        ("Outlook Calendar sync 안돼요", Language.KO),
        ("VPN 一直斷線", Language.ZH_HANT),
        ("安裝 Microsoft Visual Studio Code", Language.ZH_HANT),
        ("please add 김민수 to the shared mailbox", Language.EN),
        ("who is 王小明?", Language.EN),
        ("reset password", Language.EN),
        ("ㅠㅠ", Language.KO),
        ("vpn ㅠㅠ", Language.KO),
        ("my vpn is not working ㅠㅠ", Language.EN),
        ("", Language.EN),
    ],
)
def test_the_language_is_that_of_the_sentence_not_of_its_names(text: str, language: Language) -> None:
    """Product and person names of another script do not decide."""
    assert language_of(text) is language


@pytest.mark.parametrize(
    "text",
    [
        "thanks!",
        "ty",
        "Thank you so much",
        "ok great",
        "감사합니다",
        "네 감사합니다!",
        "謝謝",
        "謝謝你的幫忙",
        "👍",
        ":+1:",
        "ㄳ",
        "ㅇㅋ",
        "已經好了，謝謝",
    ],
)
def test_thanks_are_recognised(text: str) -> None:
    """A mere thanks or confirmation, in any of the three languages."""
    assert is_thanks(text)
    assert is_small_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "hi",
        "Hello there",
        "hello?",
        "good morning team",
        "Good morning everyone, hope you're all well",
        "How are you doing today?",
        "have a nice weekend!",
        "what can you do?",
        "haha, nice",
        "LOL",
        "test 1 2 3",
        "안녕하세요",
        "안녕하세요! 좋은 아침입니다",
        "주말 잘 보내세요~",
        "잘 지내시죠?",
        "ㅋㅋㅋ",
        "테스트",
        "你好",
        "你好嗎？",
        "大家早安",
        "祝你有美好的一天",
        "哈哈",
    ],
)
def test_greetings_are_small_talk_but_no_thanks(text: str) -> None:
    """A greeting asks nothing, and confirms nothing."""
    assert is_small_talk(text)
    assert not is_thanks(text)


@pytest.mark.parametrize(
    "text",
    [
        "thanks but it still fails",
        "hello, vpn is down",
        "IT",
        "",
        "???",
        "감사합니다 그런데 아직 안 됩니다",
        "謝謝，可是還是不行",
        "good monitor",
        "is it fixed?",
        "해결됐습니까?",
        "好了嗎？",
        "haha my vpn is down",
        "test the printer",
        "please help",
        "테스트 계정 만들어 주세요",
        "how are you going to fix my vpn",
        "ㅠㅠ",
        "~",
    ],
)
def test_a_question_is_no_small_talk(text: str) -> None:
    """Politeness around a problem does not hide the problem."""
    assert not is_small_talk(text)


@pytest.mark.parametrize(
    "text",
    ["the vpn is down", "outlook sync error", "vpn", "per diem rates", "that’s incorrect", "where is José's badge"],
)
def test_english_is_told(text: str) -> None:
    """Also a telegram, a typographic apostrophe and a name with an accent."""
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "Mein Laptop ist kaputt",
        "L'imprimante est bloquée",
        "La impresora no imprime",
        "onde está o meu recibo",
        "dove parcheggio la macchina",
        "mijn laptop is kapot",
        "где мой пропуск",
        "비밀번호",
        "忘記密碼",
    ],
)
def test_other_languages_are_not_english(text: str) -> None:
    """Though `language_of` answers most of them in English, for want of a better one."""
    assert not is_english(text)
