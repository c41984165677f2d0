"""The escalation chain of a team as values: who is called one after the other when nobody reacts.

`bot.deskfile` builds it, `triage.policy.Terms` carries it onto each ticket (SLA.md, rules 2 and 11), and
`triage.escalation` walks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from triage.model import Channel, Priority


class Whom(StrEnum):
    OWNER = "owner"
    LEAD = "lead"
    ON_CALL = "on-call"
    TEAM = "team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Seconds of the policy's own hours before the next step; an acknowledgement ends the chain meanwhile."""

    seconds: int
    kind: Literal["wait"] = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Exactly one of the three says who: a role, a key of desk.yaml's people, or a channel."""

    whom: Whom | None = None
    person: str | None = None
    channel: Channel | None = None
    kind: Literal["notify"] = "notify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise:
    """A ticket of a lower priority gets this one."""

    priority: Priority
    kind: Literal["raise"] = "raise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassign:
    """Another owner: the lead, whoever is on call, or a person."""

    whom: Whom | None = None
    person: str | None = None
    kind: Literal["reassign"] = "reassign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """From the beginning again, so many times."""

    times: int
    kind: Literal["repeat"] = "repeat"


ChainStep = Wait | Notify | Raise | Reassign | Repeat

TEN_MINUTES = 600

USUAL = (
    Notify(whom=Whom.OWNER),
    Wait(seconds=TEN_MINUTES),
    Notify(whom=Whom.LEAD),
    Wait(seconds=TEN_MINUTES),
    Notify(whom=Whom.ON_CALL),
    Wait(seconds=TEN_MINUTES),
    Notify(whom=Whom.TEAM),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """`ack` is how long an acknowledgement holds, in seconds of the policy's own hours."""

    steps: tuple[ChainStep, ...] = USUAL
    ack: int = 3_600
