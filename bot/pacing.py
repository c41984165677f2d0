"""A person is slowed down, never the desk: too many posts of one person in a minute are not read.

Asked by `bot.turns` before a turn begins. Counted are only posts that want something of the desk (that
address it, or stand in a help channel) by people who do not work here: agents with a queue to get
through press buttons, give commands and write in threads as fast as they like. An edit or a deletion
always counts for what it is: whoever takes back a password must not wait. What is known is this
process's alone and forgotten with it; a person on N replicas gets up to N times as much.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from triage.model import Kind, Message
from triage.policy import Policy

WINDOW = 60.0
"""Seconds that are looked back upon."""
MAX_PEOPLE = 10_000
"""Remembered at most; whoever wrote last stays."""
MAX_POSTS = 10
"""Times the limit: so many posts of one person are remembered."""


class Pace(Enum):
    """Read it; do not, and say so; do not."""

    READ = auto()
    TELL = auto()
    SKIP = auto()


@dataclass(slots=True)
class _Recent:
    posts: OrderedDict[str, tuple[float, Pace]] = field(default_factory=OrderedDict)
    """By inbox key, so that one post delivered twice counts once and fares alike."""
    told: bool = False


class Pacing:
    """`clock` gives seconds of a monotonic clock. For use on the event loop."""

    def __init__(self, policy: Callable[[], Policy], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._clock = clock
        self._people: OrderedDict[str, _Recent] = OrderedDict()

    def __call__(self, message: Message) -> Pace:
        policy = self._policy()
        if not _counts(message, policy):
            return Pace.READ
        recent = self._recent(message.sender.account.key)
        if message.key in recent.posts:
            return recent.posts[message.key][1]
        if len(recent.posts) < policy.messages_a_minute:
            recent.told, pace = False, Pace.READ
        else:
            recent.told, pace = True, Pace.SKIP if recent.told else Pace.TELL
        recent.posts[message.key] = (self._clock(), pace)
        if len(recent.posts) > MAX_POSTS * policy.messages_a_minute:
            recent.posts.popitem(last=False)
        return pace

    def _recent(self, account: str) -> _Recent:
        recent = self._people.setdefault(account, _Recent())
        self._people.move_to_end(account)
        if len(self._people) > MAX_PEOPLE:
            self._people.popitem(last=False)
        since = self._clock() - WINDOW
        while recent.posts and next(iter(recent.posts.values()))[0] <= since:
            recent.posts.popitem(last=False)
        return recent


def _counts(message: Message, policy: Policy) -> bool:
    if message.kind is not Kind.POST or not (message.addressed or policy.team_helping_in(message.channel)):
        return False
    member, guest = policy.member(message.sender.account), message.sender.guest
    return guest or member is None or not policy.teams_of(member.id)
