"""A clock in half a line, for the card of its ticket: when it is due and how much is left, or why it stands still.

The value is kept with the card and put into words when that is laid out, in the language of whoever reads
it; its instants stay instants, which a platform shows at the reader's own hours. Called by `triage.casework`
and `triage.layout`.
"""

from __future__ import annotations

from datetime import datetime

from triage import clocks
from triage.calendars import ALWAYS, is_open, next_open
from triage.clockpieces import waiting
from triage.clocks import Clock
from triage.model import Language, Status
from triage.outgoing import At, ClockNote, Value
from triage.timewords import duration


def in_words(note: ClockNote, language: Language) -> dict[str, Value]:
    """All that stands in the note's phrase, the spans in words."""
    spans = {name: duration(count, language, days=note.days) for name, count in note.seconds.items()}
    return {**note.instants, **spans}


def note(clock: Clock, status: Status, now: datetime, *, zone: str) -> ClockNote:
    """How a clock stands at `now`; `status` is the ticket's, which says what a pause waits for.

    `zone` is for platforms that cannot show the reader's own hours. What is left of a running clock is
    true at `now` only; its due time, and what is left of a paused one, stay true.
    """
    clock = clocks.judged(clock, now)
    used = clocks.used(clock, clock.ended_at or now)
    seconds = clock.measure.seconds
    phrase, instants = _standing(clock, status, now)
    return ClockNote(
        phrase=phrase,
        instants={name: At(at=at, zone=zone) for name, at in instants.items()},
        seconds={"left": max(0, seconds - used), "over": max(0, used - seconds)},
        days=clock.measure.calendar == ALWAYS,
    )


def _standing(clock: Clock, status: Status, now: datetime) -> tuple[str, dict[str, datetime]]:
    if clock.breach:
        return f"state.{clock.breach.cause or 'missed'}", {"at": clock.breach.at}
    if clock.ended_at is not None:
        return f"state.{clock.state}", {"ended": clock.ended_at}
    if clock.paused:
        return f"state.{waiting(clock.metric, status)}", {}
    due = clocks.due_at(clock)
    if due is None:
        return "state.unreachable", {}
    return _running(clock, due, now)


def _running(clock: Clock, due: datetime, now: datetime) -> tuple[str, dict[str, datetime]]:
    calendar = clock.measure.calendar
    if calendar == ALWAYS:
        return "state.running_always", {"due": due}
    if now >= due or is_open(calendar, now):
        return "state.running", {"due": due}
    return "state.closed", {"due": due, "opens": next_open(calendar, now)}
