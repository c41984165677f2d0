"""The time line of one clock, for `why 42`: when it ran, when it stood still, and why it is due when it is.

Everything is said in the reader's language, and at the reader's hours. Called by `triage.reading`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from triage import clocks, timewords
from triage.calendars import ALWAYS
from triage.clockbar import SIGNS, bar
from triage.clockpieces import RUNNING, Kind, Wait, changes, counted, pieces, waiting
from triage.clockrows import Row, rows
from triage.clocks import Clock, LogEvent, SpanState
from triage.holidays_named import Holiday, holidays_between
from triage.model import Language
from triage.phrases import say

LINES = 12
"""Lines of a time line; of a longer one the middle is summed up."""

_SHOWN = 3
"""Holidays named in one line."""

_PARTS = 3
"""Days named one by one when a due time is explained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStory:
    """Sentences in the reader's language, to be laid out.

    `because` says how the due time is made up, where that takes more than one day, or why there is none.
    `bar` is a drawing of at most 24 signs, `legend` says what each of them means; both are empty for a
    clock that had no time. `zones` says whose hours these are where the team works by others.
    """

    headline: str
    because: str | None
    bar: str
    legend: str
    lines: tuple[str, ...]
    zones: str | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it, for places that show one sentence a line."""
        drawn = f"{self.bar}  {self.legend}" if self.bar else None
        return tuple(text for text in (self.headline, self.because, drawn, *self.lines, self.zones) if text)


def story(clock: Clock, now: datetime, *, zone: str, language: Language, waited: Sequence[Wait] = ()) -> ClockStory:
    """`waited` says what the ticket waited for (`clockpieces.waits`); without it a pause may have no reason."""
    clock = clocks.judged(clock, now)
    teller = _Teller(clock, now, zone, language, waited)
    drawn, legend = teller.drawing()
    return ClockStory(
        headline=teller.headline(),
        because=teller.because(),
        bar=drawn,
        legend=legend,
        lines=teller.lines(),
        zones=teller.zones(),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    at: datetime
    until: datetime
    text: str
    seconds: int = 0


class _Teller:
    """One clock and one reader, so that each part below reads as a sentence."""

    def __init__(self, clock: Clock, now: datetime, zone: str, language: Language, waited: Sequence[Wait]) -> None:
        self.clock = clock
        self.now = now
        self.zone = zone
        self.language = language
        self.waited = waited
        self.due = clocks.due_at(clock)
        self.pieces = pieces(clock, now, waited)

    # --- words ---
    def t(self, key: str, **values: object) -> str:
        return say(key, self.language, values)

    def minute(self, at: datetime) -> str:
        return timewords.minute(at, self.zone, self.language)

    def day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def duration(self, seconds: int) -> str:
        always = self.clock.measure.calendar == ALWAYS
        return timewords.duration(seconds, self.language, days=always)

    def target(self) -> str:
        return timewords.worked(self.clock.measure.seconds, self.clock.measure.calendar, self.language)

    # --- the headline ---
    def headline(self) -> str:
        clock, ended = self.clock, self.clock.ended_at
        values = {
            "metric": self.t(f"story.metric.{clock.metric}"),
            "due": self.minute(self.due) if self.due else "",
            "target": self.target(),
            "begins": self.minute(clock.started_at),
            "ended": self.minute(ended) if ended else "",
            "at": self.minute(clock.breach.at) if clock.breach else "",
            "over": self.duration(max(0, self.used() - clock.measure.seconds)),
        }
        return self.t(f"story.head.{self.state()}", **values)

    def state(self) -> str:
        clock = self.clock
        if clock.breach:
            late = clock.breach.cause or "missed"
            return f"{late}.live" if clock.live else f"{late}.ended"
        if not clock.live:
            return f"{clock.state}" if self.due or clock.state == "cancelled" else "met_undated"
        if clock.paused:
            return str(self.pause())
        return "running" if self.due else "unreachable"

    def pause(self) -> Kind:
        last = self.waited[-1].status if self.waited else None
        return waiting(self.clock.metric, last)

    def used(self) -> int:
        return clocks.used(self.clock, self.clock.ended_at or self.now)

    # --- why then ---
    def because(self) -> str | None:
        clock = self.clock
        if clock.state == "cancelled":
            return None
        if clock.breach and clock.breach.cause:
            used = self.duration(clocks.used(clock, clock.breach.at))
            values = {"used": used, "target": self.target(), "at": self.minute(clock.breach.at)}
            return self.t(f"story.because.{clock.breach.cause}", **values)
        if self.due is None:
            return self.standing() if clock.paused and clock.live else None
        parts = list(self.parts(self.due))
        if len(parts) < 2:
            return None
        values = {"target": self.target(), "begins": self.minute(clock.started_at)}
        return self.t("story.because.due", **values, parts=self.t("story.comma").join(parts))

    def standing(self) -> str:
        left = self.duration(max(0, self.clock.measure.seconds - self.used()))
        return self.t("story.because.paused", used=self.duration(self.used()), left=left)

    def parts(self, due: datetime) -> Iterator[str]:
        """How the target is made up: so much on each day; of many days, those in between together."""
        amounts: dict[date, int] = {}
        for begins, seconds in self.share(due):
            amounts[self.day(begins)] = amounts.get(self.day(begins), 0) + seconds
        days, evened = list(amounts), timewords.evened(list(amounts.values()))
        if len(days) <= _PARTS:
            yield from map(self.part, days, evened)
            return
        between = timewords.days(days[1], days[-2], self.language)
        yield self.part(days[0], evened[0])
        yield self.t("story.part.days", amount=self.duration(sum(evened[1:-1])), days=between)
        yield self.part(days[-1], evened[-1])

    def part(self, day: date, seconds: int) -> str:
        return self.t("story.part.day", amount=self.duration(seconds), day=timewords.day(day, self.language))

    def share(self, due: datetime) -> Iterator[tuple[datetime, int]]:
        """The seconds that lead to the due time, also where the clock ended before it."""
        unended = self.clock if self.clock.live else replace(self.clock, log=self.clock.log[:-1])
        parts = clocks.stretches(unended)
        for span in clocks.spans(unended, due):
            if span.state is SpanState.RUNNING:
                for begins, ends in pairwise((span.begins, *self.midnights(span.begins, span.ends), span.ends)):
                    yield begins, counted(parts, begins, ends)

    def midnights(self, begins: datetime, ends: datetime) -> Iterator[datetime]:
        """The reader's midnights between two instants."""
        on = self.day(begins)
        while (midnight := datetime.combine(on := on + timedelta(days=1), time(), ZoneInfo(self.zone))) < ends:
            yield midnight.astimezone(UTC)

    # --- the drawing ---
    def drawing(self) -> tuple[str, str]:
        until = self.due or self.clock.ended_at or self.now
        drawn = bar(self.pieces, until)
        seen = [piece.kind for piece in self.pieces if piece.begins < until and SIGNS[piece.kind] in drawn]
        words = {SIGNS[kind]: self.t(f"story.sign.{kind}") for kind in seen}
        return drawn, "  ".join(f"{sign} {word}" for sign, word in words.items())

    # --- the time line ---
    def lines(self) -> tuple[str, ...]:
        marks = list(self.marks())
        days = rows(self.pieces, [mark.at for mark in marks], zone=self.zone)
        told = sorted([*marks, *map(self.line, days)], key=lambda line: line.at)
        return tuple(line.text for line in self.fitted(told))

    def line(self, row: Row) -> _Line:
        values = {"span": self.span(row), "amount": self.duration(row.seconds)}
        key = f"story.days.{row.kind}" if row.days else f"story.line.{row.kind}"
        text = self.t(key, **values)
        closed = self.holidays(row) if row.days or row.kind is Kind.CLOSED else ()
        if closed:
            text = self.t("story.holidays", line=text, days=self.named(closed))
        return _Line(row.begins, row.ends, text, 0 if row.kind is Kind.AHEAD else row.seconds)

    def span(self, row: Row) -> str:
        if row.days:
            return timewords.days(self.day(row.begins), self.day(row.last_begins), self.language)
        going = row.kind in RUNNING or row.ends == self.pieces[-1].ends
        if row.ends == self.now and self.clock.live and going:
            return self.t("story.until_now", begins=self.minute(row.begins))
        return timewords.span(row.begins, row.ends, self.zone, self.language)

    def holidays(self, row: Row) -> tuple[Holiday, ...]:
        found: dict[date, Holiday] = {}
        for part in clocks.stretches(self.clock):
            begins, ends = max(part.begins, row.shut_from), min(part.ends or row.shut_until, row.shut_until)
            if part.running and begins < ends:
                days = holidays_between(part.measure.calendar, begins, ends, self.language)
                found.update((holiday.on, holiday) for holiday in days)
        return tuple(found.values())

    def named(self, closed: Sequence[Holiday]) -> str:
        texts = [
            self.t("story.holiday", day=timewords.day(holiday.on, self.language), name=holiday.name)
            if holiday.name
            else timewords.day(holiday.on, self.language)
            for holiday in closed[:_SHOWN]
        ]
        more = [self.t("story.holidays_more", count=len(closed) - _SHOWN)] if len(closed) > _SHOWN else []
        return self.t("story.comma").join([*texts, *more])

    def marks(self) -> Iterator[_Line]:
        """What changed the promise itself."""
        clock, before = self.clock, self.clock.log[0]
        if clock.known_at > clock.started_at:
            yield _Line(clock.known_at, clock.known_at, self.t("story.promised", at=self.minute(clock.known_at)))
        for event in changes(clock):
            yield _Line(event.at, event.at, self.change(before, event))
            before = event

    def change(self, before: LogEvent, event: LogEvent) -> str:
        if event.measure is None or before.measure is None or event.measure.seconds == before.measure.seconds:
            return self.t("story.new_calendar", at=self.minute(event.at))
        target = timewords.worked(event.measure.seconds, event.measure.calendar, self.language)
        return self.t("story.new_target", at=self.minute(event.at), target=target)

    def fitted(self, told: Sequence[_Line]) -> Iterable[_Line]:
        if len(told) <= LINES:
            return told
        head, tail = LINES // 2, LINES - LINES // 2 - 1
        middle = told[head:-tail]
        values = {
            "days": timewords.days(self.day(middle[0].at), self.day(middle[-1].until), self.language),
            "count": len(middle),
            "amount": self.duration(sum(line.seconds for line in middle)),
        }
        return [*told[:head], _Line(middle[0].at, middle[-1].until, self.t("story.more", **values)), *told[-tail:]]

    # --- whose hours ---
    def zones(self) -> str | None:
        calendar = self.clock.measure.calendar
        if calendar == ALWAYS or calendar.timezone == self.zone:
            return None
        return self.t("story.zones", reader=timewords.place(self.zone), team=timewords.place(calendar.timezone))
