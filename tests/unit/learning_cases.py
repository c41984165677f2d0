"""What a decision teaches, for the tests of presses and of the verb `kb`."""

from __future__ import annotations

from tests.builders import changed
from triage.changes import Decision, KeepCase, Propose
from triage.learning import CaseKind, Proposal


def judged(decision: Decision) -> list[tuple[CaseKind, str | None]]:
    return [(change.case.kind, change.case.article) for change in changed(decision, KeepCase)]


def proposed(decision: Decision) -> Proposal:
    (change,) = changed(decision, Propose)
    found: Proposal = change.proposal
    return found
