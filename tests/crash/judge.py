"""The laws: what Slack was acknowledged for came out, once, and the tables say the same.

Read after the desk was stopped, by `tests.crash.story`: the posts that the fake Slack shows, and the
desk's own database.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, func, select

from storage.rows import entries, inbox, outbox, tickets
from tests.crash.author import card_key, key_of
from tests.crash.letters import Act, Letter
from tests.crash.stage import HELP, RANDOM, TRIAGE
from tests.fakes.slack_methods import Post
from tests.fakes.slack_server import FakeSlack
from triage.model import Language
from triage.outgoing import InThread, Privately, UnderSlot
from triage.phrases import say

BUSY = say("error.busy", Language.EN)
MARKED_AGAIN = say("page.again", Language.EN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What the desk remembers; outbox rows as (key, state, reason, target)."""

    inbox: frozenset[str]
    outbox: Sequence[Any]
    entries: Sequence[str]
    tickets: Sequence[Any]

    @staticmethod
    def read(engine: Engine) -> Tables:
        with engine.connect() as db:
            return Tables(
                inbox=frozenset(db.scalars(select(inbox.c.key))),
                outbox=db.execute(select(outbox.c.key, outbox.c.state, outbox.c.reason, outbox.c.to)).all(),
                entries=db.scalars(select(entries.c.text)).all(),
                tickets=db.execute(select(tickets).order_by(tickets.c.number)).all(),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the workspace shows: the bot's posts with their channel, and how often each outbox key was posted."""

    posts: Sequence[tuple[str, Post]]
    keys: Mapping[str, int]
    whispers: Sequence[Post]
    updates: Sequence[str]

    @staticmethod
    def by(slack: FakeSlack) -> Shown:
        posts = [
            (id, post) for id, channel in slack.state.channels.items() for post in channel.posts if "blocks" in post
        ]
        return Shown(
            posts=posts,
            keys=Counter(key for _, post in posts if (key := key_of(post))),
            whispers=slack.ephemerals,
            updates=[json.dumps(args, sort_keys=True) for args in slack.called("chat.update")],
        )


@dataclass(slots=True, kw_only=True)
class Verdict:
    """`lost`, `doubled`, `broken` hold a sentence for each violation; the rest are figures.

    `again` is what DESIGN.md lets be repeated on doubt: messages for one person, updates of a card.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    again: Counter[str] = field(default_factory=Counter)
    outbox: Counter[str] = field(default_factory=Counter)
    refused: int = 0

    @property
    def violations(self) -> Sequence[str]:
        named = {"lost": self.lost, "doubled": self.doubled, "broken": self.broken}
        return [f"{law}: {what}" for law, found in named.items() for what in found]


def judge(letters: Sequence[Letter], shown: Shown, tables: Tables) -> Verdict:
    verdict = Verdict(outbox=Counter(row.state for row in tables.outbox))
    verdict.again["messages for one person"] = len(_answered(shown)) - len(_private(tables))
    verdict.again["of them say so"] = sum(MARKED_AGAIN in str(each["blocks"]) for each in shown.whispers)
    verdict.again["updates of a card"] = sum(times - 1 for times in Counter(shown.updates).values())
    for letter in letters:
        _judge(letter, letters, shown, tables, verdict)
    verdict.doubled += _doubled(shown)
    verdict.lost += _unshown(shown, tables)
    verdict.broken += [*_unfinished(tables), *_conversations(tables), *_cards(shown, tables), *_loud(shown)]
    return verdict


def _judge(letter: Letter, letters: Sequence[Letter], shown: Shown, tables: Tables, verdict: Verdict) -> None:
    if letter.key not in tables.inbox:
        if letter.act is Act.CHATTER:
            return  # none of the desk's business: nothing of it is kept, and `_loud` sees that nothing is said
        if _told_busy(letter, shown):
            verdict.refused += 1
        elif letter.acknowledged:
            verdict.lost.append(f"{letter.act} {letter.marker}: acknowledged, and not in the inbox")
        return
    for what, times in _outcomes(letter, shown, tables):
        if times == 0:
            verdict.lost.append(f"{letter.act} {letter.marker}: no {what}")
        elif times > 1 and what != "private reply":
            verdict.doubled.append(f"{letter.act} {letter.marker}: {what} {times} times")


def _told_busy(letter: Letter, shown: Shown) -> bool:
    """Whether its author was told at once, or by the button's response_url, that nothing was saved."""
    mine = (each for each in shown.whispers if each.get("response_url") == letter.response_url)
    return letter.refused or (letter.response_url is not None and any(BUSY in str(each["text"]) for each in mine))


def _outcomes(letter: Letter, shown: Shown, tables: Tables) -> Iterator[tuple[str, int]]:
    """What must have come of a stored letter, and how often each did."""
    posted, key = shown.keys, letter.key
    kept = sum(letter.marker in text for text in tables.entries)
    whispered = sum(each["to"] == letter.user for each in shown.whispers)
    match letter.act:
        case Act.KNOWN | Act.DIRECT:
            yield "reply", posted.get(f"{key}/reply", 0) + posted.get(f"{key}/requester:promise", 0)
        case Act.UNKNOWN:
            yield "promise", posted.get(f"{key}/requester:promise", 0)
            yield "card", posted.get(card_key(letter), 0)
            yield "ticket", sum(letter.marker in ticket.subject for ticket in tables.tickets)
        case Act.WORDS:
            yield "post under the card", posted.get(f"{key}/team:mirror", 0)
            yield "entry", kept
        case Act.REPLY:
            yield "post for the requester", posted.get(f"{key}/requester:reply", 0)
            yield "entry", kept
            yield "private reply", whispered
        case Act.NOTE:
            yield "entry", kept
            yield "private reply", whispered
        case Act.COMMAND:
            yield "post under the card", posted.get(f"{key}/team:mirror", 0)
            yield "entry", kept
            yield "private reply", whispered
        case Act.SEARCH:
            yield "private reply", whispered
        case Act.CLAIM:
            yield "post for the requester", posted.get(f"{key}/requester:claimed", 0)
            yield "post under the card", posted.get(f"{key}/team:event", 0)
            yield "owner", sum(_is_about(ticket, letter) and ticket.owner is not None for ticket in tables.tickets)
        case Act.EDIT:
            yield "post under the card", posted.get(f"{key}/team:edited", 0)
            yield "entry", kept


def _is_about(ticket: Any, letter: Letter) -> bool:
    return letter.about is not None and letter.about.marker in ticket.subject


# --- the workspace as a whole ------------------------------------------------------------------
def _doubled(shown: Shown) -> Iterator[str]:
    """The same row twice, or the same words twice in one thread."""
    yield from (f"{key} was posted {times} times" for key, times in shown.keys.items() if times > 1)
    said = Counter((channel, post.get("thread_ts"), post["text"]) for channel, post in shown.posts)
    yield from (
        f"{text!r} stands {n} times in {channel} {thread}" for (channel, thread, text), n in said.items() if n > 1
    )


def _unshown(shown: Shown, tables: Tables) -> Iterable[str]:
    """Sent means shown: what the outbox calls sent stands where everybody can see it."""
    public = (row for row in tables.outbox if row.state == "sent" and isinstance(row.to, InThread | UnderSlot))
    return [f"{row.key} is marked sent, and nobody sees it" for row in public if row.key not in shown.keys]


def _unfinished(tables: Tables) -> Iterable[str]:
    """Nothing waits, nothing was given up, and what was dropped has a reason."""
    for row in tables.outbox:
        if row.state in ("pending", "failed") or (row.state == "dropped" and not row.reason):
            yield f"{row.key} is {row.state}: {row.reason}"


def _conversations(tables: Tables) -> Iterable[str]:
    """A conversation has one open ticket."""
    open = Counter(each.conversation for each in tables.tickets if each.conversation and not each.resolved_at)
    return [f"{conversation} has {times} open tickets" for conversation, times in open.items() if times > 1]


def _cards(shown: Shown, tables: Tables) -> Iterator[str]:
    """The last word of a card: who owns the ticket can no longer be asked to claim it."""
    texts = {str(post["text"]).partition(" ")[0]: post for channel, post in shown.posts if _is_card(channel, post)}
    for ticket in tables.tickets:
        card = texts.get(f"#{ticket.number}")
        if ticket.owner and card is not None and '"Claim"' in json.dumps(card["blocks"]):
            yield f"the card of #{ticket.number} still offers to claim it"


def _is_card(channel: str, post: Post) -> bool:
    return channel == TRIAGE and "thread_ts" not in post


def _loud(shown: Shown) -> Iterator[str]:
    """Nobody asked anything in the random channel; notes stay among agents."""
    yield from (f"said in {RANDOM}: {post['text']}" for channel, post in shown.posts if channel == RANDOM)
    yield from (f"a note in {HELP}" for channel, post in shown.posts if channel == HELP and "supplier" in post["text"])


def _private(tables: Tables) -> Sequence[Any]:
    return [row for row in tables.outbox if row.state == "sent" and isinstance(row.to, Privately)]


def _answered(shown: Shown) -> Sequence[Post]:
    """Messages for one person that came out of the outbox."""
    return [each for each in shown.whispers if BUSY not in str(each["text"])]


def still_waiting(engine: Engine) -> int:
    """Rows of the outbox that wait to be sent."""
    with engine.connect() as db:
        return int(db.scalar(select(func.count()).where(outbox.c.state == "pending")) or 0)
