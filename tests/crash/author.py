"""Everybody in the company: asks, adds words, answers, notes, claims, edits, gives commands and chats.

Every text has a word of its own. Called by `tests.crash.story`, which says how long.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from itertools import count
from random import Random

from tests.crash.letters import Act, Letter
from tests.crash.postman import Postman
from tests.crash.stage import AGENTS, HELP, RANDOM, TRIAGE
from tests.fakes.slack_methods import Post
from tests.fakes.slack_payloads import Signed
from tests.fakes.slack_server import FakeSlack

KNOWN, UNKNOWN = "My VPN keeps disconnecting", "The projector bulb exploded"
A_SECOND = 6.0
"""Letters, on average."""
WEIGHTS = {
    Act.KNOWN: 2, Act.UNKNOWN: 4, Act.DIRECT: 1, Act.WORDS: 4, Act.REPLY: 3, Act.NOTE: 1,
    Act.SEARCH: 2, Act.COMMAND: 1, Act.CLAIM: 2, Act.EDIT: 1, Act.CHATTER: 1,
}  # fmt: skip


class Author:
    def __init__(self, slack: FakeSlack, random: Random) -> None:
        self.letters: list[Letter] = []
        self.postman = Postman(slack)
        self._slack = slack
        self._random = random
        self._numbers = count(1)
        self._claimed: set[Letter] = set()
        self._edited: set[Letter] = set()
        self._write: dict[Act, Callable[[Act, str], Letter | None]] = {
            Act.KNOWN: self._asks, Act.UNKNOWN: self._asks, Act.DIRECT: self._asks_directly, Act.WORDS: self._adds,
            Act.REPLY: self._under_card, Act.NOTE: self._under_card, Act.SEARCH: self._searches,
            Act.COMMAND: self._notes, Act.CLAIM: self._claims, Act.EDIT: self._edits, Act.CHATTER: self._chats,
        }  # fmt: skip

    async def write(self) -> None:
        """Until cancelled."""
        while True:
            self.write_one()
            await asyncio.sleep(self._random.expovariate(A_SECOND))

    def write_one(self) -> None:
        """One letter, on its way; of an act that nothing is there for yet, an unknown question."""
        act = self._random.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))[0]
        marker = f"mk{next(self._numbers):05d}q"
        letter = self._write[act](act, marker) or self._asks(Act.UNKNOWN, marker)
        self.letters.append(letter)
        self.postman.bring(letter)

    # --- requesters ---
    def _asks(self, act: Act, marker: str) -> Letter:
        mention = f"<@{self._slack.bot}> " if self._random.random() < 0.3 else ""
        words = KNOWN if act is Act.KNOWN else UNKNOWN
        return self._posts(act, marker, self._newcomer(marker), HELP, f"{mention}{words} {marker}")

    def _asks_directly(self, act: Act, marker: str) -> Letter:
        user = self._newcomer(marker)
        self._slack.add_channel(f"D{user}", kind="im", members={user})
        return self._posts(act, marker, user, f"D{user}", f"{KNOWN} {marker}")

    def _adds(self, act: Act, marker: str) -> Letter | None:
        question = self._some_ticket()
        if question is None:
            return None
        text = f"{marker} it is still broken"
        return self._posts(act, marker, question.user, HELP, text, thread=question.ts, about=question)

    def _edits(self, act: Act, marker: str) -> Letter | None:
        stored = [each for each in self.letters if each.act is Act.WORDS and each.acknowledged]
        open = [each for each in stored if each not in self._edited]
        if not open:
            return None
        before = self._random.choice(open)
        self._edited.add(before)
        request = self._slack.edited(before.channel, before.ts, f"{before.marker} {marker} still broken, I meant")
        key = f"slack:{self._slack.team}:{before.channel}:{before.ts}:edit:{request.payload['event']['ts']}"
        return Letter(
            act=act, marker=marker, key=key, user=before.user, channel=HELP, about=before.about, requests=(request,)
        )

    def _searches(self, act: Act, marker: str) -> Letter:
        user = self._newcomer(marker)
        return self._triggers(act, marker, user, HELP, self._slack.command(user, HELP, f"kb {marker}"))

    def _chats(self, act: Act, marker: str) -> Letter:
        return self._posts(act, marker, self._newcomer(marker), RANDOM, f"anyone for lunch? {marker}")

    # --- agents ---
    def _under_card(self, act: Act, marker: str) -> Letter | None:
        question = self._some_ticket()
        if question is None:
            return None
        text = f"note {marker} the supplier is slow" if act is Act.NOTE else f"{marker} please try it now"
        card = str(self._card(question)["ts"])
        return self._posts(act, marker, self._agent(), TRIAGE, text, thread=card, about=question)

    def _notes(self, act: Act, marker: str) -> Letter | None:
        question = self._some_ticket()
        number = re.search(r"#(\d+)", str(self._card(question)["text"])) if question else None
        if question is None or number is None:
            return None
        agent = self._agent()
        request = self._slack.command(agent, TRIAGE, f"note {number[1]} {marker}")
        return self._triggers(act, marker, agent, TRIAGE, request, about=question)

    def _claims(self, act: Act, marker: str) -> Letter | None:
        question = self._some_ticket()
        if question is None or question in self._claimed:
            return None
        self._claimed.add(question)
        agent = self._agent()
        request = self._slack.press(agent, self._card(question), "Claim", channel=TRIAGE)
        return self._triggers(act, marker, agent, TRIAGE, request, about=question)

    # --- common ---
    def _posts(
        self,
        act: Act,
        marker: str,
        user: str,
        channel: str,
        text: str,
        *,
        thread: str | None = None,
        about: Letter | None = None,
    ) -> Letter:
        post, requests = self._slack.posted(user, channel, text, thread=thread)
        ts = str(post["ts"])
        key = f"slack:{self._slack.team}:{channel}:{ts}"
        return Letter(
            act=act, marker=marker, key=key, user=user, channel=channel, ts=ts, thread=thread, about=about,
            requests=tuple(requests),
        )  # fmt: skip

    def _triggers(
        self, act: Act, marker: str, user: str, channel: str, request: Signed, *, about: Letter | None = None
    ) -> Letter:
        payload = request.payload
        key = f"slack:{self._slack.team}:trigger:{payload['trigger_id']}"
        return Letter(
            act=act, marker=marker, key=key, user=user, channel=channel, about=about, requests=(request,),
            response_url=payload["response_url"],
        )  # fmt: skip

    def _newcomer(self, marker: str) -> str:
        user = f"U{marker.upper()}"
        self._slack.add_user(user, name=f"Person {marker}")
        for channel in (HELP, RANDOM):
            self._slack.state.channels[channel].members.add(user)
        return user

    def _agent(self) -> str:
        return self._random.choice(AGENTS)

    def _some_ticket(self) -> Letter | None:
        """One of the last questions whose card can be seen."""
        cards = {key_of(post) for post in self._slack.state.channels[TRIAGE].posts}
        asked = [each for each in self.letters if each.act is Act.UNKNOWN and card_key(each) in cards]
        return self._random.choice(asked[-20:]) if asked else None

    def _card(self, question: Letter) -> Post:
        return next(post for post in self._slack.state.channels[TRIAGE].posts if key_of(post) == card_key(question))


def key_of(post: Post) -> str | None:
    """The outbox key in a post's metadata."""
    key = ((post.get("metadata") or {}).get("event_payload") or {}).get("key")
    return str(key) if key else None


def card_key(question: Letter) -> str:
    return f"{question.key}/card:it"
