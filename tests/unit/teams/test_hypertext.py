"""Rich content as words: what a reader sees, and no more time than its length is worth."""

from __future__ import annotations

import time

import pytest

from adapters.teams.hypertext import characters, words

HOSTILE = [
    "<",
    "<a ",
    "<a b=",
    "<a b='",
    '<a b="',
    "<http://",
    "<!--",
    "<![CDATA[",
    "</",
    "</a ",
    "<?",
    "&#",
    "&",
    "<p>",
    '"<',
]
SIZE = 100_000
SECONDS = 2.0
"""The standard library's parser takes minutes for some of them, this one milliseconds."""


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("<p>The roof &lt;leaks&gt;</p><p>since <b>Monday</b></p>", "The roof <leaks>\nsince Monday"),
        ("a<br/>b<BR>c", "a\nb\nc"),
        ("<div><div>one</div></div><ul><li>two</li></ul>", "one\ntwo"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("<a title=\"x > y\" href='z'>link</a>", "link"),
        ("a<!-- not <b> seen -->b<!-- nor this", "ab"),
        ("<!DOCTYPE html><?xml x?>text", "text"),
        ("<o:p></o:p><at>Kim</at>", "Kim"),
        ("<b", "<b"),
        ("", ""),
    ],
)
def test_a_reader_sees_words(source: str, seen: str) -> None:
    """Blocks begin lines, references are read, what is no tag stays."""
    assert words(source).strip() == seen


@pytest.mark.parametrize("piece", HOSTILE)
def test_nothing_takes_long(piece: str) -> None:
    """The event loop waits for it."""
    began = time.perf_counter()
    words(piece * (SIZE // len(piece)))
    assert time.perf_counter() - began < SECONDS


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("&#65;&#0000000065;&amp;&#x41;", "AA&A"),
        (f"&#{'9' * 5_000};", "\N{REPLACEMENT CHARACTER}"),
        (f"&#{'0' * 5_000};", "\N{REPLACEMENT CHARACTER}"),
        (f"&#x{'f' * 5_000};", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_number_of_thousands_of_digits_is_no_character(text: str, read: str) -> None:
    """And no error, though Python refuses to read it."""
    assert characters(text) == read
