"""What delivery needs beside the row itself: the message meant, the account, the references, the mentions.

One rule over a few look-ups, shared by both outboxes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Protocol

from triage.model import Account, Channel, MessageRef, Platform, Thread
from triage.outgoing import Direct, InThread, OnSlot, Outgoing, Privately, UnderSlot, Who
from triage.ports import Parcel

Accounts = Mapping[str, Sequence[Account]]
"""By person; of several accounts the one last seen comes last."""

LEASE_SECONDS = 60
SUPERSEDED = "a newer update of the same message took its place"


class Directory(Protocol):
    """The look-ups; each is one indexed read."""

    def slot(self, slot: str) -> MessageRef | None: ...

    def accounts_of(self, people: Collection[str]) -> Accounts: ...

    def direct(self, account: Account) -> Channel | None: ...

    def reference(self, key: str, place: str) -> str | None:
        """The reference kept under `key`, else under `place`."""
        ...


def addressed(parcel: Parcel, directory: Directory) -> Parcel:
    """The parcel with everything its port needs."""
    people = _people(parcel.outgoing)
    accounts = directory.accounts_of(people) if people else {}
    found = _to(parcel, directory, accounts)
    channel = _channel(found)
    mentions = {person: _users(accounts.get(person, ()), channel) for person in people}
    return replace(found, mentions=mentions, reference=_reference(found, channel, directory))


def places_of(parcel: Parcel) -> tuple[str, ...]:
    """Keys under which the reference for a parcel is kept, where that is known from the start."""
    match parcel.outgoing.to:
        case InThread(thread=thread) | Privately(near=Thread() as thread):
            return thread.channel.key, place_key(thread.channel)
        case UnderSlot(channel=channel):
            return channel.key, place_key(channel)
        case _:
            return ()


def place_key(at: Channel | Account) -> str:
    return f"{at.platform}:{at.place}"


def _to(parcel: Parcel, directory: Directory, accounts: Accounts) -> Parcel:
    match parcel.outgoing.to:
        case InThread():
            return parcel
        case OnSlot(slot=slot) | UnderSlot(slot=slot):
            return replace(parcel, ref=directory.slot(slot))
        case Privately(person=person, near=near):
            account = _nearest(accounts.get(person, ()), near)
            return replace(parcel, account=account, direct=directory.direct(account) if account else None)
        case Direct(person=person, otherwise=otherwise):
            account = _nearest(accounts.get(person, ()), None)
            direct = directory.direct(account) if account else None
            return replace(
                parcel, account=account, direct=direct, ref=directory.slot(otherwise.slot) if otherwise else None
            )


def _channel(parcel: Parcel) -> Channel | None:
    """Where the parcel goes first."""
    match parcel.outgoing.to:
        case InThread(thread=thread) | Privately(near=Thread() as thread):
            return thread.channel
        case UnderSlot(channel=channel):
            return channel
        case OnSlot():
            return parcel.ref.thread.channel if parcel.ref else None
        case Direct(otherwise=UnderSlot(channel=channel)) if parcel.account is None:
            return channel
        case _:
            return parcel.direct


def _reference(parcel: Parcel, channel: Channel | None, directory: Directory) -> str | None:
    if channel is not None:
        return directory.reference(channel.key, place_key(channel))
    if parcel.account is not None:
        return directory.reference(place_key(parcel.account), place_key(parcel.account))
    return None


def _nearest(accounts: Sequence[Account], near: Thread | None) -> Account | None:
    """The account in the same place, else on the same platform, else the one last seen."""
    if near is not None:
        here = near.channel
        accounts = sorted(accounts, key=lambda a: (a.platform == here.platform, place_key(a) == place_key(here)))
    return accounts[-1] if accounts else None


def _users(accounts: Sequence[Account], channel: Channel | None) -> Mapping[Platform, str]:
    ordered = sorted(accounts, key=lambda a: channel is not None and place_key(a) == place_key(channel))
    return {account.platform: account.user for account in ordered}


def _people(outgoing: Outgoing) -> frozenset[str]:
    """Everyone to be mentioned, and the one it is for."""
    named = {who.person for who in _whos(outgoing.notice)}
    return frozenset(named | {outgoing.to.person} if isinstance(outgoing.to, Privately | Direct) else named)


def _whos(value: Any) -> Iterator[Who]:
    if isinstance(value, Who):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _whos(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _whos(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _whos(getattr(value, field.name))
