"""What can go wrong, by what to do next.

DeskError
├── DeliveryError          a port could not deliver
│   ├── TryLater(delay)    the platform asks to wait, or the network failed
│   └── GiveUp(reason)     it will never work: no channel, no right, too long
│       └── CannotWhisper  this place has no private messages; send it directly
├── TurnError              a turn could not be stored; nothing of it was
│   ├── TooSlow            it took longer than its two seconds
│   ├── Conflict           somebody else changed the same ticket; decide again
│   ├── Unsettled          what the message hangs on may be a card whose sending is in doubt
│   └── Unavailable        the database cannot be reached
└── AlreadyHeld            another source of articles holds these; nothing was imported
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta


class DeskError(Exception):
    """Base of all errors of the desk."""


class DeliveryError(DeskError):
    """A port could not deliver."""


class TryLater(DeliveryError):
    """Wait `delay`, then the same call may work. `bucket_wide` slows the whole channel (a 429)."""

    def __init__(self, reason: str, *, delay: timedelta = timedelta(seconds=1), bucket_wide: bool = False):
        super().__init__(reason)
        self.delay = delay
        self.bucket_wide = bucket_wide


class GiveUp(DeliveryError):
    """The same call will never work; `reason` says why in words for an admin."""


class CannotWhisper(GiveUp):
    """The place has no private messages."""


class TurnError(DeskError):
    """A turn could not be stored; nothing of it was."""


class TooSlow(TurnError):
    """The turn took longer than its two seconds and was rolled back."""


class Conflict(TurnError):
    """Somebody else changed the same ticket first."""


class Unsettled(TurnError):
    """What the message belongs to cannot be said until a card's delivery, or the post that it answers, is settled:
    to be delivered again."""


class Unavailable(TurnError):
    """The database cannot be reached."""


class AlreadyHeld(DeskError):
    """An article belongs to one source: `held` gives who holds each id and language that `source` asked for."""

    def __init__(self, source: str, held: Mapping[tuple[str, str], str]) -> None:
        named = "; ".join(f"'{id}' ({language}) belongs to '{other}'" for (id, language), other in held.items())
        super().__init__(f"'{source}' brings articles that another source holds: {named}")
        self.source = source
        self.held = held
