"""Which misspelt word is read as which known one, and which words are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.repair import MAX_LETTERS, MAX_WORDS, Repair
from triage.text import jamo, normalise, syllables

KNOWN = """
the vpn keeps dropping and my password is forgotten; the printer shows an error, the receipt was uploaded,
connection settings, invoice 4711, battery, administrator, keyboard
비밀번호를 초기화하고 프린터를 연결해 주세요. 와이파이가 느려요. 회의실 예약 방법
密碼忘記了 印表機卡紙
"""


@pytest.fixture(scope="module")
def repair() -> Repair:
    return Repair(map(normalise, KNOWN.splitlines()))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("passwprd", "password"),
        ("priunter", "printer"),
        ("psasword", "password"),
        ("recieptt", "receipt"),
        ("pritner", "printer"),
        ("droping", "dropping"),
        ("dropppping", "dropping"),
        ("passsword", "password"),
        ("batery", "battery"),
        ("eror", "error"),
        ("oassword", "password"),
        ("connnectoin", "connection"),
        ("adminstrater", "administrator"),
        ("keybaord", "keyboard"),
    ],
)
def test_latin_slips_are_repaired(repair: Repair, written: str, meant: str) -> None:
    """Neighbouring keys, swapped, doubled and missing letters; two of them in a long word."""
    assert repair.repairs(f"my {written} now") == {written: meant}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("비밀번흐를", "비밀번호를"),
        ("비밀번호룰", "비밀번호를"),
        ("초기화하거", "초기화하고"),
        ("프링터를", "프린터를"),
        ("와이파이거", "와이파이가"),
    ],
)
def test_korean_slips_are_repaired_letter_by_letter(repair: Repair, written: str, meant: str) -> None:
    """One wrong jamo is one edit, though it changes a whole syllable."""
    assert repair.repairs(written) == {written: meant}


@pytest.mark.parametrize(
    "text",
    [
        "vpm",
        "tha",
        "4712",
        "invoice4711",
        "password",
        "kubernetes",
        "zzzzzzzz",
        "密馬忘計了",
        "印表幾",
        "예얃",
        "느러",
        "",
        "don't",
        "é",
    ],
)
def test_what_is_no_slip_is_left_alone(repair: Repair, text: str) -> None:
    """Short words, numbers, known and far words; Chinese, whose slips are other words."""
    assert repair.repairs(text) == {}


@pytest.mark.parametrize(
    ("known", "written"),
    [
        ("building", "bullying"),
        ("wifi", "wiki"),
        ("goods", "good"),
        ("can", "cant"),
        ("want", "wont"),
        ("five", "fire"),
    ],
)
def test_a_word_that_means_something_itself_is_no_slip(known: str, written: str) -> None:
    """Everyday words and those that help desks use, however near to a word of the articles."""
    assert Repair([known]).repairs(f"my {written} now") == {}


def test_a_word_of_three_letters_is_repaired_when_two_are_swapped() -> None:
    """Help desks speak in abbreviations."""
    assert Repair(["the vpn drops"]).repairs("my vnp") == {"vnp": "vpn"}


@pytest.mark.parametrize("written", ["인터넷을", "인터넷이", "인터넷도", "인터넷에서", "인터넷으로는", "인터넷"])
def test_a_known_korean_word_with_another_particle_is_no_slip(written: str) -> None:
    """Whichever particle the articles have it with: none is shown as repaired."""
    assert Repair(["인터넷은 느려요", "인터뷰 연습"]).repairs(written) == {}


@pytest.mark.parametrize(
    ("written", "meant"), [("인터넷를", "인터넷을"), ("인터냇을", "인터넷을"), ("휴가을", "휴가를")]
)
def test_a_slip_in_a_word_with_a_particle_is_repaired(written: str, meant: str) -> None:
    """Also where the particle does not go with the word."""
    assert Repair(["인터넷을 휴가를"]).repairs(written) == {written: meant}


def test_of_two_equally_near_words_the_more_frequent_is_meant() -> None:
    """What the articles speak of more is asked for more."""
    assert Repair(["batter", "batten", "batten"]).repairs("battex") == {"battex": "batten"}
    assert Repair(["batter", "batter", "batten"]).repairs("battex") == {"battex": "batter"}


def test_of_two_equally_near_and_frequent_words_the_first_by_name_is_meant() -> None:
    """However the articles are ordered."""
    assert Repair(["batter", "batten"]).repairs("battex") == Repair(["batten", "batter"]).repairs("battex")


def test_a_neighbouring_key_is_likelier_than_a_far_one() -> None:
    """A finger slips to the next key, whatever word is more frequent."""
    assert Repair(["badger", "badgep", "badgep"]).repairs("badget") == {"badget": "badger"}


@pytest.mark.parametrize(
    ("known", "written"),
    [
        ("비밀번호를 잊어버렸을 때 카드를 잃어버렸어요", "잊어버렸어요"),
        ("회의실을 예약했어요", "예약했어"),
        ("카드를 코드는", "카드는"),
    ],
)
def test_a_korean_word_in_another_form_is_no_slip(known: str, written: str) -> None:
    """Forgotten is not lost, and a card is not a code, though one letter tells them apart."""
    assert Repair([known]).repairs(written) == {}


def test_one_edit_is_likelier_than_two() -> None:
    """Also when the farther word is more frequent."""
    known = ["connection", *["collection"] * 9]
    assert Repair(known).repairs("conection") == {"conection": "connection"}


def test_swapped_first_letters_are_repaired() -> None:
    """The first letter narrows the search, but may itself be the slip."""
    assert Repair(["password"]).repairs("apssword") == {"apssword": "password"}


def test_each_word_is_named_once() -> None:
    """A misspelling that is repeated is one misspelling."""
    assert Repair(["password"]).repairs("passwrod passwrod") == {"passwrod": "password"}


def test_only_so_many_words_are_looked_up() -> None:
    """Of a pasted log the first unknown words are, the others stay as they are."""
    known = [f"{letter}{other}assword" for letter in "abcdefgh" for other in "ijklmnop"]
    assert len(Repair(known).repairs(" ".join(f"{word}d" for word in known))) == MAX_WORDS


def test_what_nobody_types_is_not_looked_up() -> None:
    """A token of forty letters is no slip of another."""
    word = "a" * MAX_LETTERS
    assert Repair([f"{word}a"]).repairs(f"{word}b") == {}


def test_no_vocabulary_repairs_nothing() -> None:
    """A knowledge base of Chinese articles has no word that could be meant."""
    assert Repair(["印表機卡紙"]).repairs("printer jams") == {}


@given(st.text(max_size=80))
def test_only_unknown_words_are_repaired_into_known_ones(text: str) -> None:
    """Whatever is typed."""
    repair = Repair(map(normalise, KNOWN.splitlines()))
    for written, meant in repair.repairs(normalise(text)).items():
        assert written not in repair._known
        assert meant in repair._known
        assert syllables(jamo(meant)) == meant
