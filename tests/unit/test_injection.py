"""Words that would be orders: on Slack, Teams and the web page they are shown and nothing else.

Hostile text stands in every place where people's words go (subject, names, quote, an article's title and
body, buttons), is laid out by the core, and read again the way each platform reads it.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from nicegui import ui
from nicegui.testing import User, user_simulation

from adapters.slack.blocks import to_blocks, to_text
from adapters.teams.cards import SIZE_LIMIT, activity
from adapters.web.render import Reader, draw
from adapters.web.words import Words
from tests.builders import NOW
from triage.document import Document
from triage.layout import render
from triage.model import Language, Priority, Status
from triage.outgoing import (
    Answer,
    At,
    Card,
    Choice,
    HistoryLine,
    Notice,
    Reasons,
    Say,
    Suggestions,
    TicketLine,
    TicketList,
    TicketView,
    Who,
)
from triage.phrases import say

ORDERS = (
    "<!channel>", "<!here>", "<!everyone>", "<!subteam^S123|@it>", "<@U0KIM>", "<@U0KIM|kim>", "<#C0HELP>",
    "@channel", "@here", "@everyone", "<at>Kim</at>", "<at id='29:kim'>Kim</at>", "</at>",
    "<https://evil.example|https://ok.example>", "<javascript:alert(1)|click>", "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))", "[click]( data:text/html,x)", "[a[b]c](javascript:alert(1))",
    "[a]<x>(javascript:alert(1))", "[a]<!-- -->(javascript:1)", "[a]~~(javascript:1)", "[x\n](javascript:alert(1))",
    "[x][1]\n\n[1]: javascript:alert(1)", "<javascript:alert(1)>", "![x](data:image/svg+xml,x)", "[x](vbscript:x)",
    "[x](file:///etc/passwd)", "[x](https://ok.example)", "\\[x\\](javascript:1)", "`[x](javascript:1)`",
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "<a href='javascript:alert(1)'>x</a>", "${title}",
    "${json(x)}", "{{DATE(2026-03-09T09:00:00Z,SHORT)}}", "{{TIME(2026-03-09T09:00:00Z)}}", "{{{DATE(x)}}}",
    "{number}", "{0.__class__}", "%(x)s", "<!date^1^{date}|x>", "&lt;!channel&gt;", "&#60;!channel&#62;",
    "*b* _i_ ~s~ `c`", "```\ncode", "> quoted", "- item", "# title", "| a | b |\n|---|---|\n| <!channel> | d |",
    "\u202egnp.exe", "\u2066\u2069\u202a", "\u200b\u200d\ufeff", "\x1b[2J\x07\x00", "\x85\u2028\u2029\x9b",
    "\ud800", "\U000e0041\U000e007f", "a\u0301" * 40, "\N{PILE OF POO}" * 30, "x" * 300, "\\", "'\"&<>",
)  # fmt: skip
HOSTILE = st.lists(st.sampled_from(ORDERS) | st.text(max_size=12), min_size=1, max_size=6).map("".join)
LONG = st.sampled_from(ORDERS).map(lambda order: order * (100_000 // len(order)))
SCHEMES = frozenset({"http", "https", "mailto", "slack"})
AT = At(at=NOW)


def notices(subject: str, name: str, quote: str, title: str, body: str) -> list[Notice]:
    """Everything that people's words stand in, once."""
    who = Who(person="ann", name=name)
    card = Card(
        number=7, subject=subject, text=quote, requester=who, team=name, status=Status.NEW, priority=Priority.HIGH,
        owner=who, opened=AT,
    )  # fmt: skip
    row = TicketLine(
        number=7, subject=subject, status=Status.NEW, priority=Priority.LOW, requester=name, owner=name, due=AT
    )
    history = HistoryLine(at=AT, author=name, what="entry.message", text=quote)
    values: Mapping[str, Any] = {"agent": name, "number": 7}
    choice = Choice(label="error.did_you_mean_yes", command=f"ask {quote}"[:1_500], values={"command": subject})
    return [
        Say(phrase="ticket.reply", values=values, quote=quote, choices=(choice,)),
        Say(phrase="error.taken", values={"owner": name, "number": 7}),
        Answer(article="a", title=title, body=body, team=name),
        Suggestions(articles=(("a", title), ("b", subject))),
        card,
        TicketView(card=card, history=(history,) * 20),
        TicketList(phrase="queue.title", empty="queue.empty", values={"teams": name}, rows=(row,) * 10),
        Reasons(phrase="why.ticket", values={"number": 7}, reasons=(quote, body)),
    ]


@st.composite
def documents(draw: st.DrawFn, words: st.SearchStrategy[str] = HOSTILE) -> list[Document]:
    said = notices(*(draw(words) for _ in range(5)))
    return [render(notice, language) for notice in said for language in (Language.EN, Language.KO)]


def strings(value: object) -> Iterator[str]:
    """Every text in what is sent and shown; not the keys, and not what a button hands back."""
    match value:
        case str():
            yield value
        case dict():
            for name, each in value.items():
                yield from strings(each) if name != "data" else ()
        case list() | tuple():
            for each in value:
                yield from strings(each)


UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


# --- Slack ---------------------------------------------------------------------------------------
def live_on_slack(mrkdwn: str) -> list[str]:
    """What Slack would act upon: every `<…>` but a date and a link with an allowed scheme."""
    entities = re.findall(r"<([^<>]*)>", mrkdwn)
    return [each for each in entities if not each.startswith("!date^") and urlsplit(each).scheme not in SCHEMES]


def check_slack(document: Document) -> None:
    blocks, text = to_blocks(document), to_text(document)
    for block in blocks:
        shown = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
        for part in (each for each in shown if each and each["type"] == "mrkdwn"):
            assert part["verbatim"] is True
            assert live_on_slack(part["text"]) == []
            assert len(part["text"]) <= 3_000
        if block["type"] == "header":
            assert (block["text"]["type"], 0 < len(block["text"]["text"]) <= 150) == ("plain_text", True)
        for element in block.get("elements", ()) if block["type"] == "actions" else ():
            assert (len(element["text"]["text"]) <= 75, len(element["value"]) <= 2_000) == (True, True)
    assert live_on_slack(text) == []
    assert len(blocks) <= 50
    assert len(json.dumps(blocks, ensure_ascii=False)) <= 13_200
    assert not UNSEEN.search("".join(strings([blocks, text])))


@settings(max_examples=25, deadline=None)
@given(shown=documents())
def test_on_slack_words_are_only_words(shown: list[Document]) -> None:
    """Nobody is called, nothing is linked that is no address, and every limit holds."""
    for document in shown:
        check_slack(document)


# --- Teams ---------------------------------------------------------------------------------------
_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_MARKDOWN.validateLink = lambda url: True  # type: ignore[method-assign]  # a client that links whatever it is given


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def links_in_markdown(text: str) -> list[str]:
    tokens = [child for token in _MARKDOWN.parse(text) for child in token.children or ()]
    return [str(token.attrs.get("href") or token.attrs.get("src")) for token in tokens if token.attrs]


def check_card(card: Mapping[str, Any]) -> None:
    known = {entity["text"] for entity in card["msteams"].get("entities", ())}
    dates = re.compile(r"\{\{(?:DATE|TIME)\(2026-03-09T09:00:00Z(?:,SHORT)?\)\}\}")
    for text in strings(card["body"]):
        assert set(re.findall(r"<at>.*?</at>", text, re.IGNORECASE | re.DOTALL)) <= known
        assert not re.search(r"<at\b", text.replace("<at>", "") if known else text, re.IGNORECASE)
    for element in walk(card["body"]):
        shown = element.get("text") if element.get("type") == "TextBlock" else element.get("value")
        if isinstance(shown, str):
            assert {urlsplit(url).scheme for url in links_in_markdown(shown)} <= SCHEMES
            assert "{{" not in dates.sub("", shown)
        assert "{{" not in str(element.get("title", ""))


def walk(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from walk(each)
    if isinstance(value, list):
        for each in value:
            yield from walk(each)


def check_teams(document: Document) -> None:
    sent = activity(document, nonce="n")
    size = max(len(json.dumps(sent, ensure_ascii=False).encode(form)) for form in ("utf-8", "utf-16-le"))
    assert size <= SIZE_LIMIT
    assert not UNSEEN.search("".join(strings(sent)))
    if sent["attachments"]:
        return check_card(sent["attachments"][0]["content"])
    read = _Html()
    read.feed(sent["text"])
    assert {tag for tag, _ in read.tags} <= {"b", "a", "br"}
    assert {urlsplit(attrs.get("href") or "").scheme for tag, attrs in read.tags if tag == "a"} <= SCHEMES
    return None


@settings(max_examples=25, deadline=None)
@given(shown=documents())
def test_on_teams_words_are_only_words(shown: list[Document]) -> None:
    """No mention without its entity, no instant that is none, no link but to an address, within the size."""
    for document in shown:
        check_teams(document)


@settings(max_examples=50, deadline=None)
@given(body=st.lists(st.sampled_from([*ORDERS, *"[]()<>!\\`~*_|\n #:", "javascript:", "x"]), max_size=14).map("".join))
def test_no_article_makes_a_link_on_teams_that_runs(body: str) -> None:
    """However its brackets are put together."""
    check_teams(render(Answer(article="a", title="t", body=body, team="IT"), Language.EN))


# --- both, and far too much --------------------------------------------------------------------------
@settings(max_examples=1, deadline=None)
@given(shown=documents(LONG))
def test_100_000_characters_fit(shown: list[Document]) -> None:
    """In every place at once."""
    for document in shown:
        check_slack(document)
        check_teams(document)


@pytest.mark.parametrize("template", ["${title}", "${$root.secret}", "${json(payload)}"])
def test_no_template_is_expanded(template: str) -> None:
    """A card is sent without data to bind, so `${…}` stays what somebody wrote."""
    sent = activity(render(Say(phrase="error.taken", values={"owner": template, "number": 7}), Language.EN), nonce="n")
    assert template.replace("$", "") in sent["text"].replace("$", "")
    assert "$data" not in json.dumps(sent)


@pytest.mark.parametrize("name", ["{number}", "{0}", "{owner.person}", "{", "}}", "%s"])
def test_a_name_is_no_placeholder(name: str) -> None:
    """The catalogue fills in what it was given and does not look again."""
    assert name in render(Say(phrase="error.taken", values={"owner": name, "number": 7}), Language.EN).summary


# --- the web page -----------------------------------------------------------------------------------
@pytest.fixture
async def user() -> AsyncIterator[User]:
    async with user_simulation() as user:
        yield user


async def _pressed(command: str) -> None:
    """Nobody presses anything here."""


def check_page(drawn: ui.element) -> None:
    """Text only ever in text elements; the one that takes Markdown is sanitised in the browser."""
    for element in drawn.descendants():
        if isinstance(element, ui.markdown):
            assert element.props["sanitize"] is True
        else:
            assert not {"innerHTML", "v-html"} & set(element.props)
        if isinstance(element, ui.link):
            assert urlsplit(str(element.props["href"])).scheme in SCHEMES
        assert not [name for name in element.props if name.lower().startswith("on")]
        assert element.tag.lower() not in ("script", "iframe", "object", "embed")


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shown=documents())
async def test_on_the_page_words_are_only_words(user: User, shown: list[Document]) -> None:
    """No markup, no handler, no link with another scheme."""

    @ui.page("/hostile")
    def page() -> None:
        for document in shown:
            with ui.element() as drawn:
                draw(document, Reader(Words(say, Language.EN, "UTC"), "ann", _pressed))
            check_page(drawn)

    await user.open("/hostile")
