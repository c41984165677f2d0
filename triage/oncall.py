"""The verb `oncall`: who is on call now and next, and changing places (`oncall swap @Kim`).

Called by `triage.decide`. Rotas stand in desk.yaml; what is agreed here is kept beside them.
"""

from __future__ import annotations

from datetime import timedelta

from triage.changes import Decision, SwapOnCall
from triage.commands import SWAP, Command
from triage.matching import Verdict
from triage.outgoing import At, Choice, Direct, Outgoing, Say, Value
from triage.policy import Team
from triage.rota import CannotSwap, Override, Shift, shifts, swapped
from triage.turn import Turn

AHEAD = timedelta(days=22)
"""How far ahead shifts are shown: three weeks."""

SHOWN = 3


def oncall(turn: Turn, command: Command) -> Decision:
    if not turn.helps:
        return turn.say("error.agents_only", verb="oncall")
    words = command.rest.split()
    if words[:1] == [SWAP]:
        return _swap(turn, words[1:])
    teams = [team for team in _teams(turn) if not words or _is(team, words[0])]
    if not teams:
        names = ", ".join(team.id for team in _teams(turn))
        return turn.say("oncall.no_team", word=command.rest, teams=names) if names else turn.say("oncall.none")
    decision = Decision(verdict=Verdict.IGNORE)
    for team in teams:
        decision += _shown(turn, team)
    return decision


def _teams(turn: Turn) -> list[Team]:
    """Teams with a rota whose tickets this person works."""
    own = turn.policy.teams_of(turn.sender.id)
    return [team for team in turn.policy.teams.values() if team.id in own and team.rota.people]


def _is(team: Team, word: str) -> bool:
    return word.casefold() in (team.id.casefold(), team.name.casefold())


def _shown(turn: Turn, team: Team) -> Decision:
    """Who is on call now and after that, with a button to change places for whoever is on call."""
    now, *later = _shifts(turn, team)[:SHOWN]
    values: dict[str, Value] = {"team": team.name, "person": turn.who(now.person), "until": _at(turn, now, team)}
    if later:
        values |= {"next": turn.who(later[0].person).name}
    phrase = "oncall.now_next" if later else "oncall.now"
    mine = now.person == turn.sender.id
    others = [id for id in dict.fromkeys(team.rota.people) if id != now.person]
    choices = tuple(
        Choice(label="oncall.swap", command=f"oncall {SWAP} {team.id} {id}", values={"person": turn.who(id).name})
        for id in others[:SHOWN]
        if mine
    )
    return Decision(outgoing=(turn.reply(Say(phrase=phrase, values=values, choices=choices)),))


def _shifts(turn: Turn, team: Team) -> tuple[Shift, ...]:
    return shifts(team.rota, turn.now, turn.now + AHEAD, turn.swaps.get(team.id, ()))


def _at(turn: Turn, shift: Shift, team: Team) -> At:
    return At(at=shift.until, zone=turn.sender.timezone or team.rota.timezone)


def _swap(turn: Turn, words: list[str]) -> Decision:
    """The person named takes the rest of the shift now running, and gives a shift of their own for it."""
    teams = _teams(turn)
    if words and (named := [team for team in teams if _is(team, words[0])]):
        teams, words = named, words[1:]
    mine = [team for team in teams if turn.on_call(team) == turn.sender.id]
    team = next(iter(mine or teams), None)
    if team is None:
        return turn.say("oncall.none")
    person = _person(turn, team, " ".join(words))
    if person is None:
        names = ", ".join(turn.who(id).name for id in dict.fromkeys(team.rota.people))
        return turn.say("oncall.who", word=" ".join(words).lstrip("@"), team=team.name, people=names)
    if not _may(turn, team, person):
        lead = turn.who(team.lead).name if team.lead else team.name
        return turn.say("oncall.not_yours", lead=lead)
    try:
        overrides = swapped(team.rota, turn.now, person, turn.swaps.get(team.id, ()))
    except CannotSwap as refused:
        return turn.say(f"oncall.refused.{refused.reason}", person=turn.who(person).name, team=team.name)
    return _agreed(turn, team, person, overrides) + Decision(
        changes=tuple(SwapOnCall(team=team.id, override=each, by=turn.sender.id) for each in overrides)
    )


def _agreed(turn: Turn, team: Team, person: str, overrides: tuple[Override, ...]) -> Decision:
    """Everyone it concerns hears of it: who pressed, who takes over, and who gives the shift away."""
    before = turn.on_call(team)
    first = overrides[0]
    values: dict[str, Value] = {
        "team": team.name,
        "person": turn.who(person).name,
        "until": At(at=first.until, zone=team.rota.timezone),
        "before": turn.who(before).name if before else "",
    }
    if len(overrides) > 1:
        values["back"] = At(at=overrides[1].since, zone=team.rota.timezone)
    phrase = "oncall.swapped_back" if len(overrides) > 1 else "oncall.swapped"
    told = Decision(outgoing=(turn.reply(Say(phrase=phrase, values=values)),))
    for id in sorted({person, before or person} - {turn.sender.id}):
        told += Decision(outgoing=(_word(turn, id, Say(phrase=phrase, values=values)),))
    return told


def _word(turn: Turn, person: str, notice: Say) -> Outgoing:
    key = turn.key(f"oncall:{person}")
    return Outgoing(key=key, to=Direct(person=person), notice=notice, language=turn.person(person).language)


def _may(turn: Turn, team: Team, person: str) -> bool:
    """Whoever is on call, whoever takes over, the lead and admins."""
    own = turn.sender.id
    return own in (turn.on_call(team), person, team.lead) or turn.policy.is_admin(own)


def _person(turn: Turn, team: Team, word: str) -> str | None:
    """One of the rota: a mention, a key of desk.yaml, a name, or `me`."""
    for account in turn.message.mentions:
        member = turn.policy.member(account)
        if member and member.id in team.rota.people:
            return member.id
    wanted = word.lstrip("@").casefold()
    if wanted == "me":
        return turn.sender.id if turn.sender.id in team.rota.people else None
    found = [id for id in dict.fromkeys(team.rota.people) if wanted in (id.casefold(), turn.who(id).name.casefold())]
    return found[0] if len(found) == 1 else None
