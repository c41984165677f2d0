"""The page's words for one reader: labels from the catalogue, instants in the demo's zone.

Made by `adapters.web.page` for the language a visitor reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from adapters.web.desk import DemoPerson, Say
from triage.model import Language


@dataclass(frozen=True, slots=True)
class Words:
    say: Say
    language: Language
    zone: str

    def __call__(self, key: str, **values: object) -> str:
        return self.say(key, self.language, values)

    def moment(self, at: datetime) -> str:
        """Day, time and the zone's name."""
        return self("time.moment", time=self.time(at), zone=self._city(), **self._day(at))

    def day(self, at: datetime) -> str:
        return self("page.day", **self._day(at))

    def time(self, at: datetime) -> str:
        return f"{self._local(at):%H:%M}"

    def date(self, at: datetime) -> date:
        return self._local(at).date()

    def person(self, person: DemoPerson, what: str) -> str:
        return self("page.person", name=person.name, what=what)

    def _day(self, at: datetime) -> dict[str, object]:
        local = self._local(at)
        return {
            "weekday": self(f"time.day.{local.weekday()}"),
            "day": local.day,
            "month": self(f"time.month.{local.month}"),
        }

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))

    def _city(self) -> str:
        return self.zone.rpartition("/")[2].replace("_", " ")
