"""What the web chat's log promises, on every storage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.contract.storages import AT, Bench, minutes
from triage.document import (
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
    Strong,
    When,
)
from triage.model import Channel, Platform, Thread
from triage.transcripts import WebPost

LOBBY = Channel(platform=Platform.WEB, place="demo", id="help")
DESK = Channel(platform=Platform.WEB, place="demo", id="triage")
LINE = (Plain("a"), Strong("b"), Link("https://x", "x"), When(AT, "noon"), Mention(None, "Ann"), Mention("u1", "Lee"))
WHOLE = Document(
    blocks=(
        Heading("Ticket 1"),
        Paragraph(LINE),
        Markdown("*body*"),
        Quote("안녕\n你好"),
        Facts((("Owner", (Plain("Lee"),)), ("Due", (When(AT, "noon"),)))),
        Small((Plain("why"),)),
        Buttons((Button("Claim", "claim 1", "primary"),)),
    ),
    summary="Ticket 1",
    language="ko",
)


def page(text: str) -> Document:
    return Document(blocks=(Paragraph((Plain(text),)),), summary=text)


def post(id: str, channel: Channel = LOBBY, **changes: Any) -> WebPost:
    plain = WebPost(id=id, thread=Thread(channel=channel), at=AT, author="ann", document=page(id))
    return replace(plain, **changes)


def test_a_post_comes_back_as_it_was(bench: Bench) -> None:
    """Every part of a document survives as what it is, also those that look alike."""
    written = post("p1", thread=Thread(channel=LOBBY, root="p0"), at=minutes(5), document=WHOLE, author=None, key="o1")
    assert bench.storage.transcript.write(written) == written
    assert bench.storage.transcript.find("o1") == written


def test_writing_one_key_twice_writes_it_once(bench: Bench) -> None:
    """The second write answers with the first post."""
    transcript = bench.storage.transcript
    first = transcript.write(post("p1", key="o1"))
    assert transcript.write(post("p2", key="o1")) == first
    assert transcript.find("o2") is None
    assert list(transcript.read([LOBBY.key], "ann", 9)) == [first]


def test_posts_without_a_key_are_all_written(bench: Bench) -> None:
    """People may say the same thing twice."""
    for id in ("p1", "p2"):
        bench.storage.transcript.write(post(id))
    assert [each.id for each in bench.storage.transcript.read([LOBBY.key], "ann", 9)] == ["p1", "p2"]


def test_reading_gives_the_newest_posts_oldest_first(bench: Bench) -> None:
    """Of the channels asked for, and no others."""
    for id, channel in (("p1", LOBBY), ("p2", DESK), ("p3", LOBBY), ("p4", LOBBY)):
        bench.storage.transcript.write(post(id, channel))
    read = bench.storage.transcript.read
    assert [each.id for each in read([LOBBY.key], "ann", 2)] == ["p3", "p4"]
    assert [each.id for each in read([LOBBY.key, DESK.key], "ann", 9)] == ["p1", "p2", "p3", "p4"]


def test_a_private_post_is_seen_by_one_person(bench: Bench) -> None:
    """Nobody else gets it, and it does not count against their limit."""
    bench.storage.transcript.write(post("p1"))
    bench.storage.transcript.write(post("p2", only_for="lee"))
    read = bench.storage.transcript.read
    assert [each.id for each in read([LOBBY.key], "ann", 1)] == ["p1"]
    assert [each.id for each in read([LOBBY.key], "lee", 1)] == ["p2"]


def test_replacing_shows_something_else_in_place(bench: Bench) -> None:
    """The post keeps its place and says that it was edited."""
    transcript = bench.storage.transcript
    for id in ("p1", "p2"):
        transcript.write(post(id))
    assert transcript.replace("p1", WHOLE)
    expected = [post("p1", document=WHOLE, edited=True), post("p2")]
    assert list(transcript.read([LOBBY.key], "ann", 9)) == expected


def test_what_is_not_there_cannot_be_replaced(bench: Bench) -> None:
    """The caller learns that there is no such post."""
    assert not bench.storage.transcript.replace("p9", WHOLE)
