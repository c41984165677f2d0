"""What many stories amount to, as `make simulate` prints it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.world import Story


@dataclass(slots=True)
class Tally:
    runs: int = 0
    on_sqlite: int = 0
    figures: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    def add(self, story: Story) -> None:
        self.runs += 1
        self.on_sqlite += story.plan.sqlite
        self.figures += story.figures
        self.injected += story.injected
        self.broken.update(law for law, _ in story.violations)

    def __str__(self) -> str:
        figures = ", ".join(f"{count} {name}" for name, count in sorted(self.figures.items()))
        faults = ", ".join(f"{kind} {count}" for kind, count in sorted(self.injected.items()))
        broken = ", ".join(f"{law} {count}" for law, count in self.broken.most_common())
        return (
            f"runs: {self.runs} ({self.runs - self.on_sqlite} in memory, {self.on_sqlite} on SQLite)\n"
            f"events: {figures}\n"
            f"faults: {self.injected.total()} ({faults})\n"
            f"violations: {self.broken.total()}{f' ({broken})' if broken else ''}"
        )
