"""Documents become Block Kit that Slack accepts, in which user text is only text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.blocks import to_blocks, to_text
from tests.fakes.slack_rules import refuse_blocks
from triage.document import (
    Block,
    Button,
    Buttons,
    Document,
    Facts,
    Heading,
    Line,
    Link,
    Markdown,
    Mention,
    Paragraph,
    Plain,
    Quote,
    Small,
    Strong,
    When,
)

ZERO_WIDTH = "\u200b"


def document(*blocks: Block, summary: str = "summary") -> Document:
    return Document(blocks=blocks, summary=summary)


def shown(*blocks: Block) -> str:
    """The mrkdwn of all sections, in order."""
    return "\n".join(block["text"]["text"] for block in to_blocks(document(*blocks)) if "text" in block)


def paragraph(*spans: Any) -> str:
    return shown(Paragraph(spans))


def article(text: str) -> str:
    return shown(Markdown(text))


def test_markup_characters_of_user_text_are_escaped() -> None:
    """No mention, channel ping or link can be written into a ticket."""
    assert paragraph(Plain("<!channel> <@U1> & <https://x|y>")) == (
        "&lt;!channel&gt; &lt;@U1&gt; &amp; &lt;https://x|y&gt;"
    )


@pytest.mark.parametrize("text", ["*bold*", "_italic_", "~gone~", "`code`", "```code```", "(*x*)", "중요*함*"])
def test_no_marker_of_user_text_touches_a_word(text: str) -> None:
    """Slack sees a marker only next to a word; a zero-width space parts them."""
    rendered = paragraph(Plain(text))
    bare = [index for index, char in enumerate(rendered) if char in "*_~`"]
    assert all(ZERO_WIDTH in (rendered[i - 1 : i], rendered[i + 1 : i + 2]) for i in bare)


def test_names_with_underscores_are_left_alone() -> None:
    """File and variable names can be copied as they are."""
    assert paragraph(Plain("see my_file_name.txt")) == "see my_file_name.txt"


@pytest.mark.parametrize("text", ["> quoted", "hello\n> quoted", "hello\n  > quoted"])
def test_user_text_cannot_open_a_quote(text: str) -> None:
    """Only Deskbell says who is quoted."""
    assert all(not line.strip(" ").startswith("&gt;") for line in paragraph(Plain(text)).splitlines())


def test_slack_is_not_to_parse_text_on_its_own() -> None:
    """`verbatim` keeps `@here` and `#general` in user text from becoming links."""
    assert to_blocks(document(Paragraph((Plain("@here"),))))[0]["text"]["verbatim"] is True


def test_a_mention_is_a_real_one() -> None:
    """The person is notified."""
    assert paragraph(Mention("U123", "Kim")) == "<@U123>"


@pytest.mark.parametrize("user", [None, "not an id", "U1> <!channel"])
def test_a_mention_without_an_account_is_a_name(user: str | None) -> None:
    """Somebody without Slack is still named."""
    assert paragraph(Mention(user, "Kim")) == "@Kim"


def test_an_instant_is_shown_in_the_readers_zone() -> None:
    """Slack computes it; the words are for clients that cannot."""
    at = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
    assert paragraph(When(at, "16:30 GMT")) == f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|16:30 GMT>"


def test_bold_inside_a_word_is_set_apart() -> None:
    """Korean particles follow without a space, and Slack would show the asterisks."""
    assert paragraph(Strong("비밀번호"), Plain("를")) == f"*비밀번호*{ZERO_WIDTH}를"


def test_bold_between_spaces_needs_nothing() -> None:
    """No invisible characters where they are not needed."""
    assert paragraph(Plain("ticket "), Strong("42"), Plain(" is open")) == "ticket *42* is open"


def test_a_link_has_its_label() -> None:
    """Address and label are kept apart whatever is in them."""
    assert paragraph(Link("https://x.example/?a=1&b=|>", "a|b <c>")) == (
        "<https://x.example/?a=1&amp;b=%7C%3E|a/b &lt;c&gt;>"
    )


@pytest.mark.parametrize("url", ["javascript:alert(1)", "relative.md", "file:///etc/passwd"])
def test_only_addresses_for_people_become_links(url: str) -> None:
    """Anything else is its label."""
    assert paragraph(Link(url, "label")) == "label"


@pytest.mark.parametrize(
    ("markdown", "mrkdwn"),
    [
        ("# Title\n\ntext", "*Title*\n\ntext"),
        ("**bold** and *it* and ~~gone~~", "*bold* and _it_ and ~gone~"),
        ("**both *at* once**", "*both _at_ once*"),
        ("- one\n- two\n  - three", "• one\n• two\n    • three"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("[a page](https://x.example)", "<https://x.example|a page>"),
        ("![a picture](https://x.example/p.png)", "<https://x.example/p.png|a picture>"),
        ("> said\n>\n> more", "> said\n> more"),
        ("run `a < b`", "run `a &lt; b`"),
        ("```sh\na && b\n```", "```\na &amp;&amp; b\n```"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "*a* | *b*\n1 | 2"),
        ("one\ntwo", "one two"),
        ("one  \ntwo", "one\ntwo"),
        ("<b>html</b> & more", "&lt;b&gt;html&lt;/b&gt; &amp; more"),
    ],
)
def test_articles_keep_their_structure(markdown: str, mrkdwn: str) -> None:
    """What Slack has no markup for becomes the nearest thing it has."""
    assert article(markdown) == mrkdwn


def test_a_quote_is_marked_on_every_line() -> None:
    """Several lines stay one quote."""
    assert shown(Quote("one\ntwo")) == "> one\n> two"


def test_a_long_quote_stays_a_quote_in_the_next_section() -> None:
    """Torn text keeps its mark."""
    sections = [block["text"]["text"] for block in to_blocks(document(Quote("word " * 900)))]
    assert [text.startswith("> ") for text in sections] == [True] * len(sections)
    assert len(sections) > 1


def test_long_text_is_continued_in_further_sections() -> None:
    """Nothing is lost while there is room."""
    text = "".join(block["text"]["text"] for block in to_blocks(document(Paragraph((Plain("word " * 2000),)))))
    assert text.count("word") == 2000


def test_text_is_torn_at_the_end_of_a_line() -> None:
    """A section ends with a whole line where there is one."""
    lines = "\n".join(f"line {number} of a long list" for number in range(200))
    first = to_blocks(document(Paragraph((Plain(lines),))))[0]["text"]["text"]
    assert first.endswith("of a long list")


def test_what_does_not_fit_is_cut_visibly() -> None:
    """The reader sees that something is missing."""
    assert to_blocks(document(Quote("word " * 10_000)))[-1]["text"]["text"].endswith("…")


def test_buttons_are_kept_when_text_is_cut() -> None:
    """However long the ticket, it can be claimed."""
    blocks = to_blocks(document(Quote("word " * 10_000), Buttons((Button("Claim", "claim 1"),))))
    assert blocks[-1]["type"] == "actions"


def test_a_button_carries_its_command() -> None:
    """What is pressed is what could be typed."""
    element = to_blocks(document(Buttons((Button("Claim", "claim 1", "primary"),))))[0]["elements"][0]
    assert (element["text"]["text"], element["value"], element["style"]) == ("Claim", "claim 1", "primary")


def test_a_default_button_has_no_style() -> None:
    """Slack refuses the word `default`."""
    assert "style" not in to_blocks(document(Buttons((Button("Claim", "claim 1"),))))[0]["elements"][0]


def test_action_ids_are_unique_in_a_message() -> None:
    """Slack refuses two alike."""
    rows = Buttons((Button("A", "a"), Button("B", "b")))
    blocks = to_blocks(document(rows, rows))
    ids = [element["action_id"] for block in blocks for element in block["elements"]]
    assert len(ids) == len(set(ids)) == 4


def test_facts_stand_side_by_side() -> None:
    """Label over value, ten to a section."""
    blocks = to_blocks(document(Facts(tuple((f"L{n}", (Plain("v"),)) for n in range(12)))))
    assert [len(block["fields"]) for block in blocks] == [10, 2]


def test_the_fallback_is_escaped_too() -> None:
    """Notifications parse mentions as well."""
    assert to_text(document(summary="<!channel> hi")) == "&lt;!channel&gt; hi"


def test_an_empty_document_still_says_something() -> None:
    """Slack refuses a message without text."""
    assert to_text(document(summary="")) == "…"


words = (
    st.text(max_size=400) | st.text(alphabet="*_~`<>&|\n #:@!한글漢字 ab", max_size=4_000) | st.just("word " * 1_500)
)
users = st.none() | st.from_regex(r"U[A-Z0-9]{2,9}", fullmatch=True) | st.text(max_size=5)
instants = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))
spans = st.one_of(
    words.map(Plain),
    words.map(Strong),
    st.builds(Link, st.just("https://x.example/") | words, words),
    st.builds(When, instants, words),
    st.builds(Mention, users, words),
)
lines: st.SearchStrategy[Line] = st.lists(spans, max_size=4).map(tuple)
buttons = st.builds(Button, words, words, st.sampled_from(["default", "primary", "danger"]))
document_blocks = st.one_of(
    words.map(Heading),
    lines.map(Paragraph),
    words.map(Markdown),
    words.map(Quote),
    st.lists(st.tuples(words, lines), max_size=13).map(lambda pairs: Facts(tuple(pairs))),
    lines.map(Small),
    st.lists(buttons, max_size=30).map(lambda found: Buttons(tuple(found))),
)
documents = st.builds(
    Document,
    blocks=st.lists(document_blocks, max_size=60).map(tuple),
    summary=words,
)


@settings(max_examples=150, deadline=None)
@given(documents)
def test_whatever_the_document_slack_accepts_it(document: Document) -> None:
    """Counts, lengths, the sum of all, the SDK's models: nothing is ever refused."""
    blocks = to_blocks(document)
    assert not blocks or refuse_blocks(blocks) is None
    assert len(json.dumps(blocks, ensure_ascii=False)) <= 13_000
    assert 0 < len(to_text(document)) <= 3_000


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="<>!@#|*_ \nchanelU1", max_size=200))
def test_user_text_never_holds_an_entity(text: str) -> None:
    """Whatever is typed, no `<` reaches Slack unescaped."""
    assert "<" not in shown(Paragraph((Plain(text),)), Quote(text))
