"""Slack's markup in inbound text, put into plain words. Pure; called by `adapters.slack.inbound`.

Slack sends mentions, channels, links and dates as `<...>` entities and escapes `&`, `<` and `>`;
everything else in the text is what the person typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

ENTITY = re.compile(r"<([^<>]+)>")
USER = re.compile(r"[UW][A-Z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """`text` without the bot's mention; `people` are the user ids of the others, each once, in order."""

    text: str
    people: tuple[str, ...] = ()
    mentions_bot: bool = False


def read(raw: str, *, bot: str, names: Mapping[str, str]) -> Read:
    """`names` maps user ids to display names; who is missing there is shown by id."""
    if "<" not in raw:
        return Read(text=_unescape(raw).strip())
    people = [user for user in (_user(entity) for entity in ENTITY.findall(raw)) if user]
    words = ENTITY.sub(lambda match: _words(match.group(1), names), _without(raw, bot))
    return Read(
        text=_unescape(words).strip(),
        people=tuple(dict.fromkeys(user for user in people if user != bot)),
        mentions_bot=bot in people,
    )


def _user(entity: str) -> str | None:
    if not entity.startswith("@"):
        return None
    user = entity[1:].partition("|")[0]
    return user if USER.fullmatch(user) else None


def _without(raw: str, bot: str) -> str:
    mention = rf"<@{re.escape(bot)}(?:\|[^<>]*)?>"
    opening = re.sub(rf"^\s*(?:{mention}[ \t]*)+[,:，：]?[ \t]*", "", raw)
    return re.sub(rf"[ \t]*{mention}[ \t]*", " ", opening)


def _words(entity: str, names: Mapping[str, str]) -> str:
    target, _, label = entity.partition("|")
    match target[0]:
        case "@":
            return f"@{names.get(target[1:]) or label or target[1:]}"
        case "#":
            return f"#{label or target[1:]}"
        case "!":
            return _special(target[1:], label)
        case _:
            return _link(target, label)


def _special(target: str, label: str) -> str:
    if target.startswith("date^"):
        return label
    return label if label.startswith("@") else f"@{label or target.partition('^')[0]}"


def _link(url: str, label: str) -> str:
    address = re.sub(r"^(mailto|tel):", "", url)
    if not label or label in address:
        return label or address
    return f"{label} ({address})"


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
