"""What can be wrong with who is called: chains that reach nobody or never rest, rotas of outsiders.

Called by `bot.deskcheck`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bot.deskcheck_finding import Finding, nobody
from bot.deskcheck_promises import sets
from bot.deskfile_calling import EscalationEntry, StepEntry
from bot.deskfile_names import called, channel_on, channels_of, unlike
from bot.deskfile_schema import DeskEntry, TeamEntry
from bot.deskfile_terms import rota_of
from bot.yamlfile import Severity, Where, did_you_mean
from triage.chain import Whom
from triage.model import Channel

_NEW_OWNERS = (Whom.LEAD, Whom.ON_CALL)
_FILLED_BY = {Whom.LEAD: "lead", Whom.ON_CALL: "oncall"}
"""The key of a team under which stands who has this role."""


def chains(desk: DeskEntry) -> Iterator[Finding]:
    """Each escalation chain where it is written, and the priorities it raises to wherever it is in force."""
    for key, team in desk.teams.items():
        written = [(where, entry) for where, entry in _written(key, team) if entry.says_steps]
        for where, entry in written:
            here: Where = (*where, "steps")
            yield from _order(here, entry.steps)
            yield from _notified(here, entry, key, desk)
            for index, step in enumerate(entry.steps):
                if step.reassign:
                    yield from _reassigned((*here, index), step.reassign, key, desk)
        for where, promising in sets(key, team):
            yield from _raised(where, promising)


def _written(key: str, team: TeamEntry) -> Iterator[tuple[Where, EscalationEntry]]:
    if team.escalation:
        yield ("teams", key, "escalation"), team.escalation
    for index, rule in enumerate(team.policies):
        if rule.escalation:
            yield ("teams", key, "policies", index, "escalation"), rule.escalation


def _order(where: Where, steps: list[StepEntry]) -> Iterator[Finding]:
    last = len(steps) - 1
    for index, step in enumerate(steps):
        here: Where = (*where, index)
        if step.repeat and index < last:
            yield Finding(here, "repeat begins again, so no step after it is ever taken: put it last")
        if step.repeat and not any(other.wait for other in steps):
            yield Finding(here, "repeats without a pause: put a wait before it")
        if step.wait and index == last:
            yield Finding(here, "waits, but nothing comes after it: add a step, or take it out", Severity.WARNING)
    for index, (one, other) in enumerate(pairwise(steps)):
        if one.wait and other.wait:
            yield Finding((*where, index + 1), "waits right after another wait: make it one", Severity.WARNING)


def _notified(where: Where, entry: EscalationEntry, key: str, desk: DeskEntry) -> Iterator[Finding]:
    calls = [(index, step.notify) for index, step in enumerate(entry.steps) if step.notify]
    empty = [(index, role) for index, role in calls if _is_empty(role, desk.teams[key])]
    if len(empty) == len(calls):
        yield Finding(where, _reaches_nobody([role for _, role in empty]))
        return
    for index, role in empty:
        yield Finding((*where, index), _empty(role), Severity.WARNING)
    for index, written in calls:
        here: Where = (*where, index)
        try:
            found = called(written, desk)
        except ValueError as error:
            yield Finding(here, str(error))
            continue
        if isinstance(found, Channel):
            yield from _told(here, found, key, desk)
        elif not isinstance(found, Whom) and desk.teams[key].restricted and found not in _staff(desk.teams[key]):
            yield Finding(here, _outsider(found, key, "and its tickets are restricted: add them, or take them out"))


def _is_empty(role: str, team: TeamEntry) -> bool:
    return role in _FILLED_BY and not getattr(team, _FILLED_BY[Whom(role)])


def _empty(role: str) -> str:
    key = _FILLED_BY[Whom(role)]
    return f"the team has no {key}, so this step does nothing: set {key}, or take the step out"


def _reaches_nobody(roles: list[str]) -> str:
    if not roles:
        return "notifies nobody: add a step such as {notify: lead}"
    keys = " and no ".join(dict.fromkeys(_FILLED_BY[Whom(role)] for role in roles))
    return f"notifies nobody: the team has no {keys}; set one, or add {{notify: team}}"


def _told(where: Where, channel: Channel, key: str, desk: DeskEntry) -> Iterator[Finding]:
    if reason := unlike(channel.platform, "channel", channel.id):
        yield Finding(where, reason, Severity.WARNING)
    team = desk.teams[key]
    own = [channel_on(on, entry.triage, desk) for on, entry in channels_of(team).items() if entry.triage]
    if team.restricted and channel not in own:
        message = f"everybody in '{channel.id}' would read of tickets of '{key}', which are restricted: notify people"
        yield Finding(where, message, Severity.WARNING)


def _reassigned(where: Where, written: str, key: str, desk: DeskEntry) -> Iterator[Finding]:
    if written in _NEW_OWNERS:
        if _is_empty(written, desk.teams[key]):
            yield Finding(where, _empty(written), Severity.WARNING)
    elif written not in desk.people:
        hint = did_you_mean(written, [*_NEW_OWNERS, *desk.people])
        yield Finding(where, f"'{written}' is nobody to take over a ticket: {hint}")
    elif written not in _staff(desk.teams[key]):
        yield Finding(where, _outsider(written, key, "so they cannot take its tickets: add them, or name another"))


def _raised(where: Where, team: TeamEntry) -> Iterator[Finding]:
    raised = {step.raise_to for step in team.escalation.steps if step.raise_to} if team.escalation else set()
    for priority in sorted(raised - set(team.sla)) if team.sla else ():
        message = (
            f"promises nothing for {priority}, to which its escalation raises: add {priority}, or take that step out"
        )
        yield Finding((*where, "sla"), message, Severity.WARNING)


def rotas(desk: DeskEntry) -> Iterator[Finding]:
    """People on call who are unknown or do not see the tickets; exceptions that are none."""
    for key, team in desk.teams.items():
        if not team.oncall:
            continue
        where: Where = ("teams", key, "oncall")
        people: list[tuple[Where, str]] = [
            ((*where, "people", index), person) for index, person in enumerate(team.oncall.people)
        ]
        people += [((*where, "overrides", i, "person"), item.person) for i, item in enumerate(team.oncall.overrides)]
        told: set[str] = set()
        for here, person in people:
            if person not in told:
                yield from _on_call(here, person, key, desk)
            told.add(person)
        for index, override in enumerate(rota_of(team).overrides):
            if override.until <= override.since:
                yield Finding((*where, "overrides", index), "does not end after it begins: put until after from")


def _on_call(where: Where, person: str, key: str, desk: DeskEntry) -> Iterator[Finding]:
    team = desk.teams[key]
    if person not in desk.people:
        yield Finding(where, nobody(person, desk))
    elif person in _staff(team):
        return
    elif team.restricted:
        yield Finding(where, _outsider(person, key, "and its tickets are restricted: add them, or take them out"))
    elif not desk.people[person].admin:
        message = _outsider(person, key, "so they do not see its tickets: add them under agents")
        yield Finding(where, message, Severity.WARNING)


def _staff(team: TeamEntry) -> set[str]:
    return {*team.agents, *([team.lead] if team.lead else [])}


def _outsider(person: str, key: str, rest: str) -> str:
    return f"'{person}' is neither an agent nor the lead of '{key}', {rest}"
