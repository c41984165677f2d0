"""What the people of the company do: they see what the platforms show them, and write or press.

Each step of the plan is resolved against what is to be seen at that moment; where there is nothing to act
on, nothing is done.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulation.company import (
    GUESTS,
    HELP_CHANNELS,
    HOMES,
    LOBBY,
    SERVING,
    STAFF,
    TRIAGE,
    TRIAGE_CHANNELS,
    account,
    direct_chat,
    readers,
)
from tests.simulation.plan import Step
from tests.simulation.workplace import Post
from triage.document import Button
from triage.model import Channel, ChannelKind, Kind, Message, Platform, Sender

if TYPE_CHECKING:
    from tests.simulation.world import World

KNOWN = ("VPN drops", "Salary bands", "Mail on the phone", "Parental leave")
LOCALES = {"bob": "ko-KR", "eve": "zh-TW", "park": "ko-KR", "ann": "en-GB", "kim": "en-GB", "dan": "en-US"}
ORDERS = (
    "claim",
    "pending please send a picture {token}",
    "hold the vendor knows {token}",
    "resolve",
    "resolve",
    "resolve done {token}",
    "reopen",
    "priority urgent",
    "priority high",
    "priority low",
    "transfer hr",
    "transfer finance",
    "transfer it",
    "ack",
    "release",
    "assign kim",
    "assign lee",
    "escalate",
    "reply soon {token}",
    "note quiet {token}",
)
READS = ("queue", "mine", "help", "oncall", "show 1", "why 1", "show 2")


class People:
    def __init__(self, world: World) -> None:
        self._world = world
        self._written: dict[str, list[Message]] = {}
        self._count = 0

    def do(self, step: Step) -> None:
        source = random.Random(step.pick)
        getattr(self, f"_{step.what}")(step.who, source)

    # --- requesters ---
    def _ask(self, who: str, source: random.Random) -> None:
        hot = " burning" if source.random() < 0.15 else ""
        self._post(who, source.choice(self._help(who)), f"coffee grinder sparks{hot} {self._token('q')}", source)

    def _ask_known(self, who: str, source: random.Random) -> None:
        self._post(who, source.choice(self._help(who)), f"{source.choice(KNOWN)} {self._token('q')}", source)

    def _direct(self, who: str, source: random.Random) -> None:
        channel = direct_chat(who, source.choice(HOMES[who]))
        text = source.choice((*KNOWN, "the lift is stuck", "help", "human", "thanks"))
        self._post(who, channel, text if len(text.split()) == 1 else f"{text} {self._token('q')}", source)

    def _chat(self, who: str, source: random.Random) -> None:
        self._post(who, source.choice(self._help(who)), source.choice(("hello", "thanks!", "good morning")), source)

    def _talk(self, who: str, source: random.Random) -> None:
        """Among themselves, or somebody asks the bot in the middle of it."""
        if Platform.SLACK not in HOMES[who] or who in GUESTS:
            return
        if source.random() < 0.4:
            self._write(who, LOBBY, None, f"the lift is stuck {self._token('q')}", mention=True)
            return
        there = [post.id for post in self._posts(who) if post.channel == LOBBY and post.root is None]
        self._write(who, LOBBY, source.choice((None, *there[-2:])), "lunch at noon?", mention=False)

    def _thanks(self, who: str, source: random.Random) -> None:
        own, solved = self._own(who), {p.root for p in self._posts(who) if any(_rates(b) for b in p.buttons)}
        self._in_thread(who, [p for p in own if p.id in solved] or own, "thanks!", source)

    def _more(self, who: str, source: random.Random) -> None:
        self._in_thread(who, self._own(who), f"it smells now {self._token('m')}", source)

    def _mention(self, who: str, source: random.Random) -> None:
        text = source.choice((f"nobody came {self._token('m')}", "", "human"))
        self._in_thread(who, self._own(who), text, source, mention=True)

    def _bystand(self, who: str, source: random.Random) -> None:
        others = [p for p in self._posts(who) if p.author not in (None, who) and p.root is None and self._public(p)]
        self._in_thread(who, others, f"me too {self._token('b')}", source, mention=source.random() < 0.6)

    def _edit(self, who: str, source: random.Random) -> None:
        self._change(who, source, Kind.EDIT, f"better words {self._token('e')}")

    def _delete(self, who: str, source: random.Random) -> None:
        self._change(who, source, Kind.DELETE, "")

    def _mine(self, who: str, source: random.Random) -> None:
        self._command(who, source.choice(("mine", "show 1", "why this")), source)

    def _press(self, who: str, source: random.Random, *, times: int = 1) -> None:
        shown = [p for p in self._posts(who) if p.buttons]
        if not shown:
            return
        post = source.choice(shown[-12:])
        button = source.choice(post.buttons)
        for _ in range(times):
            self._pressed(who, post, button.command)

    def crowd(self, source: random.Random, count: int, *, late: bool) -> None:
        """As many posts in help channels, at once; `late`: brought through at the last try only."""
        for _ in range(count):
            who = source.choice([each for each in HOMES if each not in GUESTS and each not in SERVING])
            text = source.choice((*KNOWN, *KNOWN, "good morning", "coffee grinder sparks"))
            text = text if text == "good morning" else f"{text} {self._token('q')}"
            self._post(who, source.choice(self._help(who)), text, source, late=late)

    # --- agents ---
    def _twice(self, who: str, source: random.Random) -> None:
        self._press(who, source, times=2)

    def _claim(self, who: str, source: random.Random) -> None:
        if cards := self._cards(who):
            self._pressed(who, source.choice(cards), f"claim {self._number(source)}")

    def _race(self, who: str, source: random.Random) -> None:
        """Everyone who sees the card claims it at the same moment."""
        cards = self._cards(who)
        if not cards:
            return
        card = source.choice(cards)
        claims = [b.command for b in card.buttons if b.command.startswith("claim ")]
        for agent in sorted(readers(card.channel)) if claims else ():
            self._pressed(agent, card, claims[0])

    def _on_it(self, who: str, source: random.Random) -> None:
        """Whoever was called says so, where the call is to be seen."""
        calls = [(p, b) for p in self._posts(who) for b in p.buttons if b.command.startswith("ack ")]
        if calls:
            post, button = source.choice(calls[-3:])
            self._pressed(who, post, button.command)

    def _answer(self, who: str, source: random.Random) -> None:
        self._in_thread(who, self._cards(who), f"try this {self._token('r')}", source)

    def _answer_there(self, who: str, source: random.Random) -> None:
        asked = [p for p in self._posts(who) if p.author not in (None, *SERVING) and p.root is None and self._public(p)]
        self._in_thread(who, asked, f"I am here {self._token('r')}", source)

    def _note(self, who: str, source: random.Random) -> None:
        self._in_thread(who, self._cards(who), f"note their own fault {self._token('n')}", source)

    def _order(self, who: str, source: random.Random) -> None:
        verb, _, rest = source.choice(ORDERS).partition(" ")
        rest = rest.format(token=self._token("n" if verb in ("note", "hold") else "r"))
        if source.random() < 0.6:
            self._in_thread(who, self._cards(who), f"{verb} {rest}".strip(), source, mention=True)
        else:
            self._command(who, f"{verb} {self._number(source)} {rest}".strip(), source)

    def _command(self, who: str, text: str, source: random.Random) -> None:
        """By slash command on Slack, in the direct chat on Teams."""
        platform = source.choice(HOMES[who])
        if platform is Platform.SLACK:
            self._send(who, self._channels(who, platform)[0], text, Kind.COMMAND)
        else:
            self._write(who, direct_chat(who, platform), None, text, mention=False)

    def _swap(self, who: str, source: random.Random) -> None:
        self._command(who, source.choice(("oncall swap kim", "oncall swap lee", "oncall")), source)

    def _read(self, who: str, source: random.Random) -> None:
        self._command(who, source.choice(READS), source)

    # --- what they see ---
    def _help(self, who: str) -> list[Channel]:
        return [
            c
            for platform in HOMES[who]
            for c in (HELP_CHANNELS[platform] if who not in GUESTS else (direct_chat(who, platform),))
        ]

    def _channels(self, who: str, platform: Platform) -> list[Channel]:
        teams = [key for key, team in TRIAGE.items() if who in STAFF[team]]
        return [c for c in TRIAGE_CHANNELS if c.key in teams and c.platform is platform] or self._help(who)[:1]

    def _posts(self, who: str) -> list[Post]:
        return [
            post
            for platform in HOMES[who]
            for post in self._world.workplaces[platform].posts
            if post.only_for in (None, who) and who in readers(post.channel)
        ]

    def _own(self, who: str) -> list[Post]:
        return [p for p in self._posts(who) if p.author == who and p.root is None and self._public(p)]

    def _cards(self, who: str) -> list[Post]:
        return [p for p in self._posts(who) if p.key and p.channel.key in TRIAGE and p.root is None]

    def _public(self, post: Post) -> bool:
        return post.channel.kind is ChannelKind.CHANNEL and post.channel.key not in TRIAGE

    # --- what they do ---
    def _token(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count:03}x"

    def _number(self, source: random.Random) -> int:
        return source.randint(1, max(1, min(6, self._world.opened)))

    def _post(self, who: str, channel: Channel, text: str, source: random.Random, *, late: bool = False) -> None:
        mention = channel.platform is Platform.TEAMS or source.random() < 0.2
        self._write(who, channel, None, text, mention=mention and channel.kind is ChannelKind.CHANNEL, late=late)

    def _in_thread(
        self, who: str, under: list[Post], text: str, source: random.Random, *, mention: bool = False
    ) -> None:
        if under:
            post = source.choice(under[-4:])
            self._write(who, post.channel, post.thread, text, mention=mention)

    def _write(
        self, who: str, channel: Channel, root: str | None, text: str, *, mention: bool, late: bool = False
    ) -> None:
        post = self._world.workplaces[channel.platform].write(channel, root, who, text)
        key = f"{channel.platform}:{channel.place}:{channel.id}:{post.id}"
        message = self._message(who, channel, key, Kind.POST, text, id=post.id, thread=root, mentions_bot=mention)
        message = replace(message, after=self._after(message))
        self._written.setdefault(who, []).append(message)
        self._world.tell(f"{who} writes in {channel.id}{f' under {root}' if root else ''}: {'@bot ' * mention}{text}")
        self._world.post.bring(message, times=1 + mention, late=late)

    def _after(self, message: Message) -> str | None:
        """The post that a reply follows within a minute, as Slack's time stamps tell."""
        said = (each for theirs in self._written.values() for each in theirs)
        root = next((each for each in said if each.channel == message.channel and each.id == message.thread), None)
        if root is None or root.sent_at is None or message.sent_at is None or root.kind is not Kind.POST:
            return None
        near = message.sent_at - root.sent_at < timedelta(minutes=1)
        return root.key if near and message.channel.platform is Platform.SLACK else None

    def _change(self, who: str, source: random.Random, kind: Kind, text: str) -> None:
        written = [m for m in self._written.get(who, ()) if m.text]
        if not written:
            return
        message = source.choice(written[-4:])
        self._count += 1
        suffix = f"edit:{self._count}" if kind is Kind.EDIT else "delete"
        self._world.tell(f"{who} {kind}s {message.key}: {text}")
        changed = replace(message, key=f"{message.key}:{suffix}", kind=kind, text=text, sent_at=self._world.now())
        self._world.post.bring(changed)

    def _pressed(self, who: str, post: Post, command: str) -> None:
        self._count += 1
        key = f"{post.channel.platform}:{post.channel.place}:trigger:{self._count}"
        self._world.tell(f"{who} presses '{command}' on {post.channel.id} {post.id}")
        id = f"ephemeral:{post.id}" if post.only_for else post.id
        said = self._message(who, post.channel, key, Kind.BUTTON, command, id=id, thread=post.root)
        self._world.post.bring(said)

    def _send(self, who: str, channel: Channel, text: str, kind: Kind) -> None:
        self._count += 1
        key = f"{channel.platform}:{channel.place}:trigger:{self._count}"
        self._world.tell(f"{who} commands in {channel.id}: {text}")
        self._world.post.bring(self._message(who, channel, key, kind, text, id=f"trigger-{self._count}", thread=None))

    def _message(
        self,
        who: str,
        channel: Channel,
        key: str,
        kind: Kind,
        text: str,
        *,
        id: str,
        thread: str | None,
        mentions_bot: bool = False,
    ) -> Message:
        sender = Sender(
            account=account(who, channel.platform),
            name=who.title(),
            locale=LOCALES.get(who),
            timezone="Europe/London",
            guest=who in GUESTS,
        )
        return Message(
            key=key,
            kind=kind,
            sender=sender,
            channel=channel,
            id=id,
            text=text,
            thread=thread,
            mentions_bot=mentions_bot,
            sent_at=self._world.now() if kind is Kind.POST else None,
        )


def _rates(button: Button) -> bool:
    """It stands below word that a ticket is resolved."""
    return button.command.startswith("rate ")
