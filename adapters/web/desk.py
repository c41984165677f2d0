"""The demo desk as the page needs it: who can be played, where they talk, and the desk behind them.

`bot.compose` fills a `DemoDesk` and gives it to `adapters.web.page.mount`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from adapters.web.news import News
from triage.model import Account, Channel, ChannelKind, Language, Platform, Sender
from triage.ports import Intake, NewId, Now
from triage.transcripts import Transcript

PLACE = "demo"
BOT = "Deskbell"


class Say(Protocol):
    """The catalogue: the text of a key in a language, its placeholders filled with `values`."""

    def __call__(self, key: str, language: Language, values: Mapping[str, object] = ..., /) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPerson:
    """Somebody the visitor can be. `user` is the web account's id; agents have a `team`."""

    user: str
    name: str
    language: Language = Language.EN
    team: str | None = None

    @property
    def account(self) -> Account:
        return account(self.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoTeam:
    """A team and its triage channel; a `private` channel is shown to its own agents only."""

    id: str
    name: str
    channel: Channel
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDesk:
    """`speed` is how many times faster than real time `now` runs; `timezone` an IANA name."""

    intake: Intake
    transcript: Transcript
    news: News
    requesters: tuple[DemoPerson, ...]
    agents: tuple[DemoPerson, ...]
    teams: tuple[DemoTeam, ...]
    now: Now
    new_id: NewId
    say: Say
    speed: float = 1
    timezone: str = "UTC"

    def sender(self, person: DemoPerson, language: Language) -> Sender:
        return Sender(account=person.account, name=person.name, locale=language, timezone=self.timezone)


def account(user: str) -> Account:
    return Account(platform=Platform.WEB, place=PLACE, user=user)


def direct_channel(user: str) -> Channel:
    """The direct chat between this user and the bot."""
    return Channel(platform=Platform.WEB, place=PLACE, id=f"dm-{user}", kind=ChannelKind.DM)


def triage_channel(team: str) -> Channel:
    return Channel(platform=Platform.WEB, place=PLACE, id=f"triage-{team}")
