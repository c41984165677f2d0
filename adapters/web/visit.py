"""Who a visitor of the demo page is and what they look at; kept in the page's address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.web.desk import DemoDesk, DemoPerson, DemoTeam, direct_channel
from triage.model import Channel, Language

DIRECT = "direct"
"""The tab that holds the agent's direct messages; the others are named after their team."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """`tab` is a team's id, or `DIRECT`."""

    language: Language
    requester: DemoPerson
    agent: DemoPerson
    tab: str

    @classmethod
    def of(cls, desk: DemoDesk, query: Mapping[str, str], accepted: str) -> Visit:
        """From the address, else from the languages the browser accepts; anything unknown is passed over."""
        wanted = (query.get("lang", ""), accepted)
        language = next((found for text in wanted if (found := _language(text))), Language.EN)
        speaks = next((person for person in desk.requesters if person.language is language), desk.requesters[0])
        agent = _find(desk.agents, query.get("agent"), desk.agents[0])
        tabs = {DIRECT, *(team.id for team in desk.teams)}
        tab = query.get("tab", "")
        return cls(
            language=language,
            requester=_find(desk.requesters, query.get("me"), speaks),
            agent=agent,
            tab=tab if tab in tabs else home(desk, agent),
        )

    def but(self, **changes: Any) -> Visit:
        return replace(self, **changes)

    def query(self) -> dict[str, str]:
        return {
            "me": self.requester.user,
            "agent": self.agent.user,
            "tab": self.tab,
            "lang": self.language,
        }

    def team(self, desk: DemoDesk) -> DemoTeam | None:
        """The team whose channel is open; None for the direct messages."""
        return next((team for team in desk.teams if team.id == self.tab), None)

    def channel(self, desk: DemoDesk) -> Channel | None:
        """What the agent looks at; None when it is another team's private channel."""
        team = self.team(desk)
        if team is None:
            return direct_channel(self.agent.user)
        return None if team.private and self.agent.team != team.id else team.channel


def home(desk: DemoDesk, agent: DemoPerson) -> str:
    """The tab an agent starts on: their own team's."""
    return agent.team or desk.teams[0].id


def _find(people: tuple[DemoPerson, ...], user: str | None, default: DemoPerson) -> DemoPerson:
    return next((person for person in people if person.user == user), default)


def _language(accepted: str) -> Language | None:
    """The first language of an Accept-Language header that the catalogue has."""
    for part in accepted.replace("_", "-").split(","):
        tag = part.partition(";")[0].strip().lower()
        if tag.startswith("zh") and not any(mainland in tag for mainland in ("hans", "-cn", "-sg")):
            return Language.ZH_HANT
        for language in (Language.EN, Language.KO):
            if tag.partition("-")[0] == language:
                return language
    return None
