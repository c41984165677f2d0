"""From documents to what Teams shows: well-formed, within its limits, and never user text as markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.teams.article import elements
from adapters.teams.cards import ACTIONS_LIMIT, SIZE_LIMIT, activity
from tests.fakes.teams_connector import plain_text
from triage.document import (
    Block,
    Button,
    Buttons,
    Document,
    Facts,
    Heading,
    Link,
    Markdown,
    Mention,
    Paragraph,
    Plain,
    Quote,
    Small,
    Span,
    Strong,
    When,
)

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def shown(*blocks: Block, language: str = "en") -> dict[str, Any]:
    return activity(Document(blocks=blocks, summary="in short", language=language), nonce="n1")


def card(*blocks: Block) -> dict[str, Any]:
    content: dict[str, Any] = shown(*blocks)["attachments"][0]["content"]
    return content


def line(*spans: Span) -> str:
    """What a card's TextBlock gets for a line; the footnote keeps it from being sent as text."""
    return str(card(Small(spans))["body"][0]["text"])


# --- text or card --------------------------------------------------------------------------------
def test_words_alone_are_sent_as_text() -> None:
    """Paragraphs read best as a message; escaped, they cannot be anything but words."""
    made = shown(Paragraph((Strong("Hi"), Plain(" <b>"))), Paragraph((Link("https://a.example/?x=1&y=2", "there"),)))
    expected = '<b>Hi</b> &lt;b&gt;<br><a href="https://a.example/?x=1&amp;y=2">there</a>'
    assert (made["text"], made["textFormat"], made["attachments"]) == (expected, "xml", [])


@pytest.mark.parametrize(
    "span", [When(NOON, "noon"), Mention("u1", "Kim")], ids=["an instant", "a mention"]
)  # fmt: skip
def test_what_text_cannot_hold_is_a_card(span: Span) -> None:
    """An instant in the reader's zone, and a mention by object id, exist in cards only."""
    assert card(Paragraph((span,)))["type"] == "AdaptiveCard"


def test_nothing_to_say_is_said_in_short() -> None:
    """Teams refuses an empty message, so the summary stands in."""
    assert shown(Paragraph((Plain(""),)))["text"] == "in short"


def test_a_message_has_a_line_for_notifications() -> None:
    """The summary is what a notification shows of a card."""
    assert shown(Quote("x"))["summary"] == "in short"


def test_a_card_is_in_its_documents_language() -> None:
    """So instants are written the reader's way; a card knows the language only, not the script."""
    assert shown(Quote("x"), language="zh-Hant")["attachments"][0]["content"]["lang"] == "zh"


# --- spans ---------------------------------------------------------------------------------------
def test_an_instant_is_shown_in_the_readers_zone() -> None:
    """The client fills in date and time."""
    assert line(When(NOON, "noon")) == "{{DATE(2026-11-03T12:00:00Z,SHORT)}} {{TIME(2026-11-03T12:00:00Z)}}"


def test_a_mention_is_backed_by_an_entity() -> None:
    """The text and the entity name the same person."""
    made = card(Small((Mention("aad-kim", "Kim Lee"), Plain(": yours"))))
    entity = {"type": "mention", "text": "<at>Kim Lee</at>", "mentioned": {"id": "aad-kim", "name": "Kim Lee"}}
    assert (made["body"][0]["text"], made["msteams"]["entities"]) == ("<at>Kim Lee</at>: yours", [entity])


def test_two_people_of_one_name_are_two_mentions() -> None:
    """Each entity has a text of its own, though both read alike."""
    entities = card(Small((Mention("u1", "Kim"), Mention("u2", "Kim"), Mention("u1", "Kim"))))["msteams"]["entities"]
    assert len({entity["text"] for entity in entities}) == len(entities) == 2


def test_someone_without_an_account_is_named_only() -> None:
    """There is nobody to notify."""
    made = card(Small((Mention(None, "Kim"),)))
    assert (made["body"][0]["text"], "entities" in made["msteams"]) == ("@Kim", False)


def test_user_text_mentions_nobody() -> None:
    """Typing what a mention looks like rings nobody, not even beside a real mention of them."""
    text = line(Mention("u1", "Kim"), Plain(" <at>Kim</at> <"), Plain("at>Kim</at>"))
    assert text.count("<at>Kim</at>") == 1


def test_user_text_is_no_instant() -> None:
    """Typing what an instant looks like shows just that, also across two spans."""
    assert "{{" not in line(Plain("{{DATE(2026-11-03T12:00:00Z)}} {"), Plain("{TIME(2026-11-03T12:00:00Z)}}"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*a* _b_ [c](d)", r"\*a\* \_b\_ \[c\](d)"),
        ("- a", r"\- a"),
        ("1. a", r"1\. a"),
        ("# a", r"\# a"),
        ("> a", r"\> a"),
        ("a\nb", "a\n\nb"),
        ("    a", "\u00a0\u00a0\u00a0\u00a0a"),
        ("&lt; & a", r"\&lt; & a"),
        ("<b>a</b>", r"\<b>a\</b>"),
        ("a\\b", r"a\\b"),
    ],
)
def test_user_text_is_shown_as_it_is(text: str, expected: str) -> None:
    """What Markdown would take for markup is escaped."""
    assert line(Plain(text)) == expected


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ((Strong("42"), Plain("번 티켓")), "**42**번 티켓"),
        ((Strong("#42"), Plain("번")), "**#42**번"),
        ((Plain("티켓"), Strong("#42")), "티켓#42"),
        ((Strong(" a "), Plain("b")), " **a** b"),
        ((Strong(""), Plain("b")), "b"),
    ],
)
def test_bold_only_where_it_can_be_shown(spans: tuple[Span, ...], expected: str) -> None:
    """In Korean and Chinese a sign next to a letter would leave the asterisks visible."""
    assert line(*spans).replace("\u00a0", " ") == expected


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "http://[", "https://" + "a" * 3000])
def test_only_web_links_can_be_followed(url: str) -> None:
    """Anything else is its label."""
    assert line(Link(url, "here")) == "here"


def test_a_link_cannot_end_early() -> None:
    """Brackets in address and label stay inside."""
    assert line(Link("https://a.example/(x)", "a]b")) == r"[a\]b](https://a.example/%28x%29)"


# --- blocks --------------------------------------------------------------------------------------
def test_facts_stand_side_by_side() -> None:
    """Labels and values become a FactSet."""
    element = card(Facts((("Status", (Plain("open"),)), ("Owner", (Mention(None, "Kim"),)))))["body"][0]
    assert element == {
        "type": "FactSet",
        "facts": [{"title": "Status", "value": "open"}, {"title": "Owner", "value": "@Kim"}],
    }


def test_a_button_is_executed_or_else_submitted() -> None:
    """Both actions carry command and nonce; styles have Teams' names."""
    action = card(Buttons((Button("Claim", "claim 42", "primary"),)))["body"][0]["actions"][0]
    shared = {"title": "Claim", "data": {"command": "claim 42", "nonce": "n1"}, "style": "positive"}
    fallback = {"type": "Action.Submit", **shared}
    assert action == {"type": "Action.Execute", "verb": "deskbell", **shared, "fallback": fallback}


def test_many_buttons_are_several_sets() -> None:
    """Teams shows six in a set."""
    sets = card(Buttons(tuple(Button(f"B{n}", f"show {n}") for n in range(8))))["body"]
    assert [len(element["actions"]) for element in sets] == [6, 2]


ARTICLE = """# VPN drops

Reconnect **first**, then
see [the guide](https://kb.example/vpn).

1. Open `Settings_*`
2. Press *Reset*

> Careful

| Office | Server |
|--------|:------:|
| Seoul  | `kr_1` |

```sh
sudo rm -rf *
```
![map](https://kb.example/map.png) <at>Kim</at> {{DATE(2026-11-03T12:00:00Z)}}
"""


def test_an_article_keeps_what_teams_can_show() -> None:
    """Bold, links and lists stay; headings, code, tables, quotes and images are reduced to words."""
    texts = [element["text"] for element in elements(ARTICLE)]
    assert texts == [
        "VPN drops",
        "Reconnect **first**, then see [the guide](https://kb.example/vpn).",
        "1. Open Settings\\_\\*\n2. Press *Reset*",
        "Careful",
        "Office · Server",
        "Seoul · kr\\_1",
        "sudo rm -rf \\*",
        "[map](https://kb.example/map.png) Kim {\u200b{DATE(2026-11-03T12:00:00Z)}}",
    ]


def test_code_is_monospace() -> None:
    """A block of code keeps its lines and looks like code."""
    (code,) = elements("~~~\na\n  b\n~~~")
    assert (code["text"], code["fontType"]) == ("a\n\n\u00a0\u00a0b", "Monospace")


# --- any document --------------------------------------------------------------------------------
TRICKY = ["{{DATE(x)}}", "<at>Kim</at>", "{", "<", "**", "# x", "[a](b)", "1.", "한글", "\n"]
TEXT = st.text(max_size=40) | st.sampled_from(TRICKY)
SPANS = st.one_of(
    st.builds(Plain, TEXT),
    st.builds(Strong, TEXT),
    st.builds(Link, st.just("https://a.example/") | TEXT, TEXT),
    st.builds(When, st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)), TEXT),
    st.builds(Mention, st.none() | st.sampled_from(["u1", "u2"]), TEXT),
)
LINES = st.lists(SPANS, max_size=5).map(tuple)
BUTTON = st.builds(Button, TEXT, TEXT, st.sampled_from(["default", "primary", "danger"]))
BLOCKS = st.one_of(
    st.builds(Heading, TEXT),
    st.builds(Paragraph, LINES),
    st.builds(Markdown, TEXT | st.text(max_size=400)),
    st.builds(Quote, TEXT),
    st.builds(Facts, st.lists(st.tuples(TEXT, LINES), max_size=4).map(tuple)),
    st.builds(Small, LINES),
    st.builds(Buttons, st.lists(BUTTON, max_size=14).map(tuple)),
)
DOCUMENTS = st.builds(Document, blocks=st.lists(BLOCKS, max_size=8).map(tuple), summary=TEXT)
HUGE = Document(blocks=(Quote("字" * 100_000), Markdown("word " * 20_000)), summary="x" * 5_000)
MANY = Document(blocks=tuple(Paragraph((When(NOON, "noon"),)) for _ in range(2_000)), summary="many")
PRESSES = Document(blocks=(Buttons(tuple(Button("b", "x" * 1_900) for _ in range(100))),), summary="presses")


@given(document=DOCUMENTS)
@example(document=HUGE)
@example(document=MANY)
@example(document=PRESSES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_document_can_be_shown(document: Document) -> None:
    """Whatever a document holds: a well-formed activity, under the limit, acting only where we meant it."""
    made = activity(document, nonce="n")
    problems = list(_problems(made))
    assert (problems, _size(made) <= SIZE_LIMIT) == ([], True)


def test_what_is_cut_is_the_longest_text() -> None:
    """The short things stay whole, the buttons too."""
    document = Document(
        blocks=(Heading("Ticket 42"), Quote("word " * 20_000), Buttons((Button("Claim", "claim 42"),))),
        summary="Ticket 42",
    )
    made = activity(document, nonce="n")
    body = made["attachments"][0]["content"]["body"]
    assert (body[0]["text"], body[1]["items"][0]["text"][-1], len(body[2]["actions"])) == ("Ticket 42", "…", 1)


@given(text=st.text(max_size=200))
@settings(deadline=None)
def test_any_user_text_can_be_read_back(text: str) -> None:
    """Escaping loses nothing a person would see but the number of line breaks and blanks."""
    made = shown(Small((Plain(text),)))
    assert plain_text(made).split() == text.replace("\u200b", "").split()


def _problems(made: dict[str, Any]) -> Iterator[str]:
    if not made["attachments"]:
        yield from () if isinstance(made["text"], str) else ("no text",)
        return
    content = made["attachments"][0]["content"]
    known = {entity["text"] for entity in content["msteams"].get("entities", [])}
    for element in _walk(content["body"]):
        yield from _element_problems(element)
        text = f"{element.get('text', '')}{element.get('title', '')}{element.get('value', '')}"
        if set(re.findall("<at>.*?</at>", text)) - known:
            yield f"a mention of nobody: {text!r}"
        if set(re.findall(r"\{\{\w*", text)) - {"{{DATE", "{{TIME"}:
            yield f"a command: {text!r}"


REQUIRED = {
    "TextBlock": {"text"},
    "Container": {"items"},
    "FactSet": {"facts"},
    "ActionSet": {"actions"},
    "Action.Execute": {"title", "verb", "data", "fallback"},
    "Action.Submit": {"title", "data"},
}
ALLOWED = {
    "TextBlock": {"type", "text", "wrap", "weight", "size", "style", "isSubtle", "fontType"},
    "Container": {"type", "style", "items"},
    "FactSet": {"type", "facts"},
    "ActionSet": {"type", "actions"},
    "Action.Execute": {"type", "title", "verb", "data", "fallback", "style"},
    "Action.Submit": {"type", "title", "data", "style"},
}


def _element_problems(element: dict[str, Any]) -> Iterator[str]:
    kind = element.get("type")
    if kind is None:
        yield from () if set(element) == {"title", "value"} else (f"no fact: {element}",)
    elif kind not in REQUIRED or not REQUIRED[kind] <= set(element) <= ALLOWED[kind]:
        yield f"no such element: {element}"
    elif kind == "ActionSet" and not 1 <= len(element["actions"]) <= ACTIONS_LIMIT:
        yield f"{len(element['actions'])} actions"


def _walk(elements: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for element in elements:
        yield element
        inner = element.get("items", []) + element.get("facts", []) + element.get("actions", [])
        yield from _walk(inner + ([element["fallback"]] if "fallback" in element else []))


def _size(made: dict[str, Any]) -> int:
    text = json.dumps(made, ensure_ascii=False)
    return max(len(text.encode()), len(text.encode("utf-16-le")))
