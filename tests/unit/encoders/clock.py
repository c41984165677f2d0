"""Time that passes only when told to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Clock:
    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def tick(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
