"""What an erasure looks for, and what it puts there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Needles:
    """`ids` gives for each id the one that takes its place, `names` are names and addresses, `texts` what
    the person wrote, `tickets` their tickets by number, `conversations` the keys of theirs."""

    ids: Mapping[str, str]
    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    tickets: Mapping[int, str] = field(default_factory=dict)
    conversations: tuple[str, ...] = ()
