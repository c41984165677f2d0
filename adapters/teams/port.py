"""Writing to Teams, without being asked: `ChatPort` over the connector. Called by `bot.delivery`.

Teams has threads in channels only, and a thread is a conversation whose id ends in `;messageid=`.
Nothing here can look a post up again, and nothing is shown to one person in the middle of others.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from adapters.teams.cards import activity
from adapters.teams.connector import Connector, Gone
from adapters.teams.inbound import THREAD_MARK
from adapters.teams.reference import Reference
from triage.document import Document
from triage.errors import CannotWhisper, GiveUp
from triage.model import Account, Channel, ChannelKind, MessageRef, Platform, Thread
from triage.ports import Address

SECOND_LOOK = timedelta(seconds=1)
"""How long after a message was not found it is looked for again."""


def _fresh() -> str:
    return uuid4().hex


class TeamsPort:
    """`app_id` makes the link to the bot; `new_nonce` marks a card's buttons anew at each update."""

    platform = Platform.TEAMS
    finds = False

    def __init__(
        self,
        connector: Connector,
        *,
        app_id: str,
        new_nonce: Callable[[], str] = _fresh,
        second_look: timedelta = SECOND_LOOK,
    ) -> None:
        self._connector = connector
        self._app_id = app_id
        self._new_nonce = new_nonce
        self._second_look = second_look

    async def post(self, to: Address, document: Document, *, key: str) -> MessageRef:
        """A post at the top of a channel begins a thread, whose root the returned id is."""
        reference = _reference(to.reference, to.thread.channel)
        message = _message(reference, document, hashlib.sha256(key.encode()).hexdigest()[:32])
        if to.thread.channel.kind is ChannelKind.CHANNEL and to.thread.root is None:
            created = await self._create(reference, _new_thread(to.thread.channel, message))
            return MessageRef(thread=to.thread, id=_id(created, "activityId") or _root(_id(created, "id")))
        answer = await self._send("POST", reference, to.thread, message)
        return MessageRef(thread=to.thread, id=_id(answer, "id"))

    async def update(self, ref: MessageRef, document: Document, *, reference: str | None) -> None:
        """A message that Teams does not find is looked for twice: about once in a thousand it is wrong."""
        known = _reference(reference, ref.thread.channel)
        message = {**_message(known, document, self._new_nonce()), "id": ref.id}
        thread = ref.thread if ref.thread.root or not _has_threads(ref.thread) else replace(ref.thread, root=ref.id)
        try:
            await self._send("PUT", known, thread, message, ref.id)
        except Gone:
            await asyncio.sleep(self._second_look.total_seconds())
            await self._send("PUT", known, thread, message, ref.id)

    async def whisper(self, to: Address, account: Account, document: Document, *, reply_url: str | None) -> None:
        if to.thread.channel.kind is not ChannelKind.DM:
            raise CannotWhisper("Teams shows a post to everyone in the conversation")
        await self.post(to, document, key=self._new_nonce())

    async def direct(self, account: Account, *, reference: str | None) -> Address:
        """Creating a chat that exists returns it; the person needs the app installed."""
        known = _reference(reference, None)
        if account.place != known.place:
            raise GiveUp(f"the tenant {account.place} is not the one the bot was written to from")
        person = known.user if account.user in (known.user, known.user_object) and known.user else account.user
        wanted = {"isGroup": False, "members": [{"id": person}]}
        chat = _id(await self._create(known, wanted), "id")
        user_object = "" if account.user.startswith("29:") else account.user
        return Address(
            thread=Thread(
                channel=Channel(platform=Platform.TEAMS, place=account.place, id=chat, kind=ChannelKind.DM),
            ),
            reference=replace(known, conversation=chat, user=person, user_object=user_object).dumps(),
        )

    async def find(self, to: Address, *, key: str) -> MessageRef | None:
        return None

    def invitation(self, place: str) -> str | None:
        return f"https://teams.microsoft.com/l/chat/0/0?users=28:{self._app_id}" if self._app_id else None

    # --- calls -----------------------------------------------------------------------------------
    async def _send(self, method: str, known: Reference, thread: Thread, message: dict[str, Any], *id: str) -> Any:
        conversation = _conversation(thread)
        body = {
            **message,
            "channelId": "msteams",
            "channelData": {"tenant": {"id": known.place}},
            "conversation": {"id": conversation, "tenantId": known.place},
        }
        return await self._connector.call(
            method, known.service_url, "conversations", conversation, "activities", *id, body=body
        )

    async def _create(self, reference: Reference, wanted: dict[str, Any]) -> Any:
        tenant = {"tenant": {"id": reference.place}}
        body = {
            **wanted,
            "bot": _bot(reference),
            "tenantId": reference.place,
            "channelData": {**tenant, **wanted.get("channelData", {})},
        }
        return await self._connector.call("POST", reference.service_url, "conversations", body=body)


def _reference(text: str | None, channel: Channel | None) -> Reference:
    if text is None:
        raise GiveUp("nobody of this tenant has written to the bot yet, so Teams' address is not known")
    try:
        reference = Reference.loads(text)
    except ValueError as error:
        raise GiveUp(str(error)) from error
    if channel is not None and channel.place != reference.place:
        raise GiveUp("the reference is of another tenant")
    return reference


def _message(reference: Reference, document: Document, nonce: str) -> dict[str, Any]:
    return {**activity(document, nonce=nonce), "from": _bot(reference)}


def _new_thread(channel: Channel, message: dict[str, Any]) -> dict[str, Any]:
    return {"isGroup": True, "channelData": {"channel": {"id": channel.id}}, "activity": message}


def _conversation(thread: Thread) -> str:
    if thread.root is None or not _has_threads(thread):
        return thread.channel.id
    return f"{thread.channel.id}{THREAD_MARK}{thread.root}"


def _has_threads(thread: Thread) -> bool:
    return thread.channel.kind is ChannelKind.CHANNEL


def _bot(reference: Reference) -> dict[str, str]:
    return {"id": reference.bot, "name": reference.bot_name}


def _root(conversation: str) -> str:
    return conversation.partition(THREAD_MARK)[2]


def _id(answer: Any, name: str) -> str:
    """An id from Teams' answer; the Playground and some clouds leave out all but one."""
    found = answer.get(name) if isinstance(answer, dict) else None
    return found if isinstance(found, str) else ""
