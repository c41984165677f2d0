"""One row without a person: whatever they are called and wrote, nothing of it is left, and nothing else is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.needles import Needles
from storage.scrubbing import ERASED, Scrubber

TOKEN = "0" * 32
LATIN, HANGUL, HAN = "abcdefghijklmnopqrstuvwxyz", "김이박최정강조윤장임", "陳林黃張李王吳劉蔡楊"
PARTICLES = ("", "가", "님이 ", "說", ".", ", ", "'s ")

words = st.text(alphabet=LATIN, min_size=3, max_size=9).map(str.title)
names = st.one_of(
    st.tuples(words, words).map(" ".join),
    st.text(alphabet=HANGUL, min_size=3, max_size=4),
    st.text(alphabet=HAN, min_size=3, max_size=4),
)
ids = st.text(alphabet="ABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=8, max_size=11).map(lambda text: f"U0{text}")
texts = st.text(alphabet=LATIN + HANGUL + HAN + " ?!\n", min_size=24, max_size=300).filter(lambda text: text.strip())


def scrubbed(name: str, id: str, text: str, row: dict[str, Any], table: str = "outbox_like") -> dict[str, Any]:
    found = Scrubber(Needles(ids={id: TOKEN}, names=(name,), texts=(text,))).row(table, row)
    assert found is not None
    return found


@given(name=names, id=ids, text=texts, end=st.sampled_from(PARTICLES), cut=st.integers(min_value=24, max_value=100))
def test_nothing_is_left_wherever_it_stands(name: str, id: str, text: str, end: str, cut: int) -> None:
    """In words, beside particles, in keys, in JSON, whole or cut short."""
    flat = " ".join(text.split())
    short = f"{flat[:cut].rstrip()}…"
    notice = {"values": {"who": {"person": id, "name": name}}, "quote": text, "rows": [short, f"#1 {flat}"]}
    row = {
        "key": f"slack:T1:{id}:1.2",
        "lane": f"person:{id}",
        "text": f"I asked {name}{end} about it",
        "question": text,
        "notice": json.dumps(notice, ensure_ascii=False),
    }
    after = scrubbed(name, id, text, row)
    left = json.dumps({**after, "notice": json.loads(after["notice"])}, ensure_ascii=False)
    assert name not in left
    assert id not in left
    assert flat not in left
    assert json.dumps(text, ensure_ascii=False)[1:-1] not in left
    assert scrubbed(name, id, text, after) == after


@given(text=texts)
def test_what_is_not_theirs_stays_byte_for_byte(text: str) -> None:
    """Also JSON keeps its form, so that nothing is written without need."""
    row = {"text": "A printer on fire", "notice": '{"a":  "b", "n": 1}', "note": None, "number": 7, "key": "slack:T1:1"}
    assert scrubbed("Dana Zqx", "U0ABCDEFGH", text, row) == row


@pytest.mark.parametrize(
    ("name", "said", "left"),
    [
        ("May", "In May we move.", "In May we move."),
        ("Dana Zqx", "Ask Dana Zqxel or Dana Zqx!", f"Ask Dana Zqxel or {ERASED}!"),
        ("김민수", "김민수님이 말했어요", f"{ERASED}님이 말했어요"),
        ("陳小明", "請問陳小明在嗎", f"請問{ERASED}在嗎"),
        ("dana@example.com", "<dana@example.com>", f"<{ERASED}>"),
    ],
)
def test_a_name_is_taken_out_of_what_others_wrote_when_it_can_be_nothing_else(name: str, said: str, left: str) -> None:
    """A short word is left alone outside of the person's own tickets."""
    assert scrubbed(name, "U0ABCDEFGH", "", {"text": said})["text"] == left


def test_a_short_name_goes_where_it_can_only_be_theirs() -> None:
    """In their own ticket, and as a value of its own; another person of that name keeps it."""
    needles = Needles(ids={"dana": TOKEN}, names=("May",), tickets={1: "t1"})
    entry = {"text": "May asked in May", "author": "lee", "kind": "note", "ticket": "t1"}
    assert Scrubber(needles).row("entry", entry) == entry | {"text": f"{ERASED} asked in {ERASED}"}


def test_an_id_that_might_be_a_word_is_replaced_in_ids_only() -> None:
    """`lee` as a key of desk.yaml, and in a sentence."""
    needles = Needles(ids={"lee": TOKEN})
    row = {
        "owner": "lee",
        "lane": "person:lee",
        "text": "on the lee side",
        "to": '{"person":"lee","command":"assign 1 lee"}',
    }
    assert Scrubber(needles).row("any", row) == {
        "owner": TOKEN,
        "lane": f"person:{TOKEN}",
        "text": "on the lee side",
        "to": f'{{"person":"{TOKEN}","command":"assign 1 {TOKEN}"}}',
    }


DESK_WORDS = ("open", "normal", "it", "kim", "slack:T1:C0HELP", "ticket.promise", "say", "status.open", "2026-03-09")


@pytest.mark.parametrize("word", DESK_WORDS)
def test_a_name_that_is_a_word_of_the_desk_changes_no_word_of_it(word: str) -> None:
    """Everybody calls themselves what they like: `open` as a name takes no status out of the database."""
    term = {"term": "status.open"}
    choice = {"label": "ticket.promise", "command": "claim 1", "values": {}}
    notice = {"kind": "say", "phrase": "ticket.promise", "values": {"status": term}, "choices": [choice]}
    row = {
        "id": "t7",
        "team": "it",
        "status": "open",
        "priority": "normal",
        "owner": "kim",
        "lane": "slack:T1:C0HELP:1.2",
        "to": '{"kind":"in_thread","channel":"slack:T1:C0HELP"}',
        "home": '{"place":"T1","at":"2026-03-09T09:00:00Z"}',
        "notice": json.dumps(notice, separators=(",", ":")),
        "text": '["ticket.promise",{"status":{"term":"status.open"}}]',
    }
    assert scrubbed(word, "U0ABCDEFGH", word, row) == row


def test_a_name_goes_where_names_stand_whatever_word_it_is() -> None:
    """Among the values of a phrase, in a list of tickets, beside the person; another person's is the same word."""
    line = {"requester": "open", "owner": None, "status": "open"}
    notice = {"phrase": "queue.title", "values": {"actor": "open", "team": "IT"}, "rows": [line]}
    row = {"notice": json.dumps(notice, separators=(",", ":")), "text": '["event.claimed",{"actor":"open"}]'}
    after = scrubbed("open", "U0ABCDEFGH", "", row)
    line["requester"] = notice["values"]["actor"] = ERASED  # type: ignore[index]
    assert json.loads(after["notice"]) == notice
    assert json.loads(after["text"]) == ["event.claimed", {"actor": ERASED}]


@pytest.mark.parametrize("said", ["ask dana zqx again", "ask DANA ZQX again"])
def test_a_name_is_found_however_it_is_written(said: str) -> None:
    """People write names in small letters."""
    assert scrubbed("Dana Zqx", "U0ABCDEFGH", "", {"text": said})["text"] == f"ask {ERASED} again"


def test_an_id_of_slack_is_found_in_what_others_wrote() -> None:
    """It is no word, also without a digit."""
    assert scrubbed("Dana Zqx", "UDANAZ", "", {"text": "tell UDANAZ"})["text"] == f"tell {TOKEN}"


@pytest.mark.parametrize("said", ["[" * 50_000, "[" * 600 + "]" * 600, '{"a":' * 50_000, "[" + "9" * 5_000 + "]"])
def test_words_that_look_like_endless_json_are_words(said: str) -> None:
    """Whoever writes them keeps nobody from being erased."""
    row = {"text": said, "question": said, "author": "bob", "kind": "event", "ticket": "t2"}
    assert scrubbed("Dana Zqx", "U0ABCDEFGH", "", row, "entry") == row


THANKS = "It works again, thanks"


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("entry", {"text": THANKS, "author": "bob", "kind": "message", "ticket": "t2"}),
        ("ticket", {"id": "t2", "subject": THANKS, "requester": "bob", "called": None}),
        ("conversation", {"question": THANKS, "requester": "bob", "ticket": "t2", "key": "k", "reasons": "[]"}),
    ],
)
def test_the_same_words_of_somebody_else_stay(table: str, row: dict[str, Any]) -> None:
    """People say the same things."""
    assert scrubbed("Dana Zqx", "U0ABCDEFGH", THANKS, row, table) == row


def test_an_article_of_the_folder_stays_though_somebody_asked_with_its_title() -> None:
    """It is the company's, not theirs; one that was learned from them goes."""
    title = "How do I book a day off in the leave system?"
    row: dict[str, Any] = {
        "id": "leave",
        "title": title,
        "body": "So.",
        "phrasings": json.dumps([title]),
        "against": "[]",
        "tags": "[]",
    }
    row |= {"retired_at": None, "changed_at": "now", "source": "folder"}
    assert scrubbed("Dana Zqx", "U0ABCDEFGH", title, row, "article") == row
    learned = scrubbed("Dana Zqx", "U0ABCDEFGH", title, row | {"source": "learned"}, "article")
    assert (learned["title"], learned["phrasings"], learned["retired_at"]) == (ERASED, "[]", "now")


def test_a_quote_in_their_own_ticket_goes_and_the_answer_stays() -> None:
    """The agent's words are the agent's."""
    needles = Needles(ids={"dana": TOKEN}, texts=(THANKS,), tickets={1: "t1"})
    row = {"text": f"You wrote: {THANKS}. Fine!", "author": "lee", "kind": "reply", "ticket": "t1"}
    assert Scrubber(needles).row("entry", row) == row | {"text": f"You wrote: {ERASED}. Fine!"}
