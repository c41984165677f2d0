"""desk.yaml: read, check, and hand to the core as a `Policy`.

`bot.compose` and `bot.cli` call `read` to start a desk and `check` for `deskbell check`. Nothing a file
says makes these functions raise: whatever is wrong comes back as a `Problem` with file and line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

from bot import deskcheck, kb
from bot.deskfile_names import WEB_PLACE, accounts_of, channel_on, channels_of, listed
from bot.deskfile_schema import DeskEntry, PersonEntry, TeamEntry
from bot.deskfile_terms import quiet_of, rota_of, rules_of, terms_of
from bot.forms import named, validate
from bot.pulling import is_checkout
from bot.yamlfile import Problem, Severity, Source, Where, has_errors, parse, read_text
from triage.model import Account, Platform
from triage.policy import Member, Policy, Team


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A sound desk.yaml: what the company has decided, and the folder of its articles."""

    file: Path
    policy: Policy
    kb: Path
    pull: int | None = None
    """Seconds between two pulls of the checkout that the folder of articles is in; None for never."""
    keep_tickets: int | None = None
    """Seconds for which ended tickets are kept; None for ever."""
    keep_audit: int | None = None
    """Seconds for which the audit is kept; None for ever."""


def read(file: Path) -> tuple[Desk | None, list[Problem]]:
    """The desk, None when anything in the file is an error; and everything there is to say about it."""
    form, source, problems = _read(file)
    if form is None or has_errors(problems):
        return None, problems
    desk = Desk(
        file=file,
        policy=_policy(form, source),
        kb=file.parent / form.kb.folder,
        pull=form.kb.pull,
        keep_tickets=form.retention.closed_tickets,
        keep_audit=form.retention.audit,
    )
    return desk, problems


def check(file: Path, *, today: date) -> list[Problem]:
    """What is wrong with desk.yaml and its articles, by line; `today` tells which reviews are overdue."""
    form, source, problems = _read(file)
    if form is None:
        return problems
    folder = file.parent / form.kb.folder
    if not folder.is_dir():
        return [*problems, source.problem(("kb",), f"kb: there is no folder {folder}: make it, or name another")]
    if form.kb.pull and not is_checkout(folder):
        where: Where = ("kb", "pull")
        problems.append(source.problem(where, named(where, f"{folder} is not in a git checkout: leave pull away")))
    policy = None if has_errors(problems) else _policy(form, source)
    _, of_articles = kb.read_folder(folder, policy=policy, today=today)
    return problems + of_articles


def _read(file: Path) -> tuple[DeskEntry | None, Source, list[Problem]]:
    text = read_text(file)
    if isinstance(text, Problem):
        return None, Source(file=file), [_with_way_out(text)]
    return read_form(text, file)


def read_form(text: str, file: Path) -> tuple[DeskEntry | None, Source, list[Problem]]:
    """The text of a desk.yaml as its form: what is left of it when there are errors, None when nothing is."""
    source, problems = parse(text, file)
    if source.data is None:
        return None, source, problems or [_with_way_out(source.problem((), "is empty"))]
    form, mistakes = validate(source, DeskEntry)
    problems += mistakes
    if form is not None:
        problems += _worth_saying(deskcheck.problems(form, source), after_errors=has_errors(problems))
    return form, source, sorted(problems, key=lambda problem: problem.line)


def _with_way_out(problem: Problem) -> Problem:
    message = f"{problem.message}; `deskbell init DIR` writes a sample, --config names another file"
    return Problem(file=problem.file, line=problem.line, message=message)


def _worth_saying(found: list[Problem], *, after_errors: bool) -> list[Problem]:
    """Warnings wait until the errors are gone: half of them would only follow from those."""
    return [problem for problem in found if not after_errors or problem.severity is Severity.ERROR]


def _policy(form: DeskEntry, source: Source) -> Policy:
    places = {
        *((Platform.SLACK, place) for place in form.places.slack),
        *((Platform.TEAMS, place) for place in form.places.teams),
    }
    if _has_web(form):
        places.add((Platform.WEB, WEB_PLACE))
    return Policy(
        teams=MappingProxyType({key: _team(key, team, form, source) for key, team in form.teams.items()}),
        people=MappingProxyType({key: _member(key, person, form) for key, person in form.people.items()}),
        places=frozenset(places),
        precision=form.answers.precision,
        pings_an_hour=form.pings.per_hour,
        messages_a_minute=form.messages.per_minute,
    )


def _has_web(form: DeskEntry) -> bool:
    channels = any(team.web.help or team.web.triage for team in form.teams.values())
    return channels or any(person.web for person in form.people.values())


def _member(key: str, person: PersonEntry, form: DeskEntry) -> Member:
    accounts = [
        account for platform, written in accounts_of(person).items() for account in _accounts(platform, written, form)
    ]
    return Member(
        id=key,
        name=person.name or key,
        accounts=tuple(accounts),
        language=person.language,
        email=person.email,
        admin=person.admin,
        quiet=quiet_of(person.quiet) if person.quiet else None,
    )


def _accounts(platform: Platform, written: str, form: DeskEntry) -> list[Account]:
    """The same id in every place of the platform, or in the one that is written before it."""
    if platform is Platform.WEB:
        return [Account(platform=platform, place=WEB_PLACE, user=written)]
    places = listed(form, platform)
    if "/" in written:
        place, _, user = written.partition("/")
        return [Account(platform=platform, place=place, user=user)]
    return [Account(platform=platform, place=place, user=written) for place in places]


def _team(key: str, team: TeamEntry, form: DeskEntry, source: Source) -> Team:
    channels = channels_of(team)
    help_channels = [
        channel
        for platform in _platforms(key, source)
        for written in channels[platform].help
        if (channel := channel_on(platform, written, form))
    ]
    triage = {
        platform: channel
        for platform in _platforms(key, source)
        if (written := channels[platform].triage) and (channel := channel_on(platform, written, form))
    }
    return Team(
        id=key,
        name=team.name or key,
        agents=tuple(team.agents),
        lead=team.lead,
        language=team.language,
        restricted=team.restricted,
        allow_guests=team.allow_guests,
        rules=rules_of(team, form),
        terms=terms_of(team, form),
        rota=rota_of(team),
        help=tuple(help_channels),
        triage=MappingProxyType(triage),
    )


def _platforms(team: str, source: Source) -> list[Platform]:
    """In the order in which the file names them: the first one gets the cards."""
    order = [where[2] for where in source.lines if len(where) == 3 and where[:2] == ("teams", team)]
    return [Platform(step) for step in order if step in set(Platform)]
