"""The Web API methods of the fake Slack, over its state.

Used by `slack_server`. Each method takes the arguments as Slack parsed them and returns the answer's
fields, or raises `Refused` with Slack's error string.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack_rules import refuse_content

Args = dict[str, Any]
Answer = dict[str, Any]
Post = dict[str, Any]


class Refused(Exception):
    """Slack's answer `{"ok": false, "error": …}`."""


@dataclass(slots=True, kw_only=True)
class FakeChannel:
    """`kind` is Slack's channel_type: `channel`, `group`, `im`, `mpim`."""

    id: str
    kind: str = "channel"
    name: str = ""
    members: set[str] = field(default_factory=set)
    archived: bool = False
    posts: list[Post] = field(default_factory=list)
    """Of people and bots, replies among them, oldest first."""


@dataclass(slots=True, kw_only=True)
class State:
    """A workspace with one app in it."""

    team: str
    bot: str
    bot_id: str
    app: str
    stamp: Callable[[], str]
    """A fresh message time stamp."""
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, FakeChannel] = field(default_factory=dict)
    ephemerals: list[Post] = field(default_factory=list)

    def channel(self, id: object) -> FakeChannel:
        """Raises Refused where the bot does not see the channel."""
        found = self.channels.get(str(id))
        if found is None or (found.kind != "channel" and self.bot not in found.members):
            raise Refused("channel_not_found")
        return found

    def write(self, channel: FakeChannel, post: Post) -> Post:
        channel.posts.append(post)
        return post

    def shown(self, channel: str, thread: str | None) -> list[Post]:
        """Top-level posts, or a thread with its root."""
        posts = self.channels[channel].posts
        if thread is None:
            return [post for post in posts if post.get("thread_ts") in (None, post["ts"])]
        return [post for post in posts if thread in (post["ts"], post.get("thread_ts"))]


def auth_test(state: State, args: Args) -> Answer:
    return {
        "url": "https://acme.slack.com/",
        "team": "Acme",
        "user": "deskbell",
        "team_id": state.team,
        "user_id": state.bot,
        "bot_id": state.bot_id,
        "is_enterprise_install": False,
    }


def bots_info(state: State, args: Args) -> Answer:
    if args.get("bot") != state.bot_id:
        raise Refused("bot_not_found")
    return {"bot": {"id": state.bot_id, "app_id": state.app, "user_id": state.bot, "name": "deskbell"}}


def users_info(state: State, args: Args) -> Answer:
    user = state.users.get(str(args.get("user")))
    if user is None:
        raise Refused("user_not_found")
    shown = {key: value for key, value in user.items() if key != "locale" or args.get("include_locale")}
    return {"user": shown}


def conversations_info(state: State, args: Args) -> Answer:
    channel = state.channel(args.get("channel"))
    flags = {f"is_{kind}": channel.kind == kind for kind in ("channel", "group", "im", "mpim")}
    return {"channel": {"id": channel.id, "name": channel.name, "is_archived": channel.archived, **flags}}


def conversations_open(state: State, args: Args) -> Answer:
    users = args.get("users")
    people = users.split(",") if isinstance(users, str) else list(users or [])
    if len(people) != 1 or people[0] not in state.users:
        raise Refused("user_not_found")
    user = people[0]
    if state.users[user].get("deleted"):
        raise Refused("user_disabled")
    id = f"D{user}"
    if id not in state.channels:
        state.channels[id] = FakeChannel(id=id, kind="im", name="directmessage", members={state.bot, user})
    return {"channel": {"id": id}}


def conversations_history(state: State, args: Args) -> Answer:
    channel = _joined(state, args)
    return _page(reversed(state.shown(channel.id, None)), args)


def conversations_replies(state: State, args: Args) -> Answer:
    channel = _joined(state, args)
    thread = state.shown(channel.id, str(args.get("ts")))
    if not any(post["ts"] == args.get("ts") for post in thread):
        raise Refused("thread_not_found")
    return _page(iter(thread), args, always=str(args["ts"]))


def chat_post_message(state: State, args: Args) -> Answer:
    channel = _writable(state, args)
    _check_content(args)
    _check_thread(state, channel, args)
    post = state.write(channel, _own(state, args))
    if args.get("metadata"):
        post["metadata"] = args["metadata"]
    return {"channel": channel.id, "ts": post["ts"], "message": post}


def chat_update(state: State, args: Args) -> Answer:
    channel = state.channel(args.get("channel"))
    post = next((post for post in channel.posts if post["ts"] == args.get("ts")), None)
    if post is None:
        raise Refused("message_not_found")
    if post.get("user") != state.bot:
        raise Refused("cant_update_message")
    _check_content(args)
    post.update({key: args[key] for key in ("text", "blocks", "metadata") if args.get(key) is not None})
    return {"channel": channel.id, "ts": post["ts"], "text": post["text"], "message": post}


def chat_post_ephemeral(state: State, args: Args) -> Answer:
    channel, user = _writable(state, args), args.get("user")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    _check_content(args)
    _check_thread(state, channel, args)
    return {"message_ts": whisper(state, channel.id, str(user), args)["ts"]}


def chat_delete(state: State, args: Args) -> Answer:
    channel = state.channel(args.get("channel"))
    kept = [post for post in channel.posts if post["ts"] != args.get("ts")]
    if len(kept) == len(channel.posts):
        raise Refused("message_not_found")
    channel.posts[:] = kept
    return {"channel": channel.id, "ts": args["ts"]}


def chat_get_permalink(state: State, args: Args) -> Answer:
    channel, ts = state.channel(args.get("channel")), str(args.get("message_ts"))
    if not any(post["ts"] == ts for post in channel.posts):
        raise Refused("message_not_found")
    return {"channel": channel.id, "permalink": f"https://acme.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"}


METHODS: dict[str, Callable[[State, Args], Answer]] = {
    "auth.test": auth_test,
    "bots.info": bots_info,
    "users.info": users_info,
    "conversations.info": conversations_info,
    "conversations.open": conversations_open,
    "conversations.history": conversations_history,
    "conversations.replies": conversations_replies,
    "chat.postMessage": chat_post_message,
    "chat.postEphemeral": chat_post_ephemeral,
    "chat.update": chat_update,
    "chat.delete": chat_delete,
    "chat.getPermalink": chat_get_permalink,
}


def whisper(state: State, channel: str, user: str, content: Args) -> Post:
    """What only `user` sees in `channel`."""
    post = {**_own(state, content), "channel": channel, "to": user, "is_ephemeral": True}
    state.ephemerals.append(post)
    return post


def _own(state: State, args: Args) -> Post:
    post: Post = {
        "type": "message",
        "user": state.bot,
        "bot_id": state.bot_id,
        "app_id": state.app,
        "team": state.team,
        "ts": state.stamp(),
        "text": args.get("text") or "",
        "blocks": args.get("blocks") or [],
    }
    return post | ({"thread_ts": args["thread_ts"]} if args.get("thread_ts") else {})


def _joined(state: State, args: Args) -> FakeChannel:
    channel = state.channel(args.get("channel"))
    if state.bot not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _writable(state: State, args: Args) -> FakeChannel:
    channel = _joined(state, args)
    if channel.archived:
        raise Refused("is_archived")
    return channel


def _check_content(args: Args) -> None:
    if error := refuse_content(args.get("text"), args.get("blocks")):
        raise Refused(error)


def _check_thread(state: State, channel: FakeChannel, args: Args) -> None:
    thread = args.get("thread_ts")
    if thread and not any(post["ts"] == thread for post in channel.posts):
        raise Refused("thread_not_found")


def _page(posts: Iterator[Post], args: Args, *, always: str | None = None) -> Answer:
    oldest, limit = float(args.get("oldest") or 0), int(args.get("limit") or 100)
    if not 1 <= limit <= 999:
        raise Refused("invalid_limit")
    begin = int(args.get("cursor") or 0)
    found = [post for post in posts if float(post["ts"]) > oldest or post["ts"] == always]
    shown = [copy.deepcopy(post) for post in found[begin : begin + limit]]
    if not args.get("include_all_metadata"):
        for post in shown:
            post.pop("metadata", None)
    more = len(found) > begin + limit
    next_page = {"response_metadata": {"next_cursor": str(begin + limit)}} if more else {}
    return {"messages": shown, "has_more": more, **next_page}
