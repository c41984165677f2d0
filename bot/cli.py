"""The command line: `deskbell demo, serve, init, check, ask, kb, eval, sla, backup, export, erase, migrate, doctor,
teams package`.

Results go to stdout, messages to stderr. Exit 0 done, 1 a check found errors, 2 wrong usage or input,
3 database or network unavailable (DESIGN.md, section 7).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import signal
import socket
import sys
import zoneinfo
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import uvicorn
from starlette.applications import Starlette

from bot import cli_data, cli_eval, cli_kb, cli_sla, cli_sla_desk, deskfile, logs, sample
from bot.cli_sla import Parsers
from bot.connections import Connection
from bot.deskfile import Desk
from bot.deskfile_values import LANGUAGES
from bot.settings import Settings, SettingsError
from bot.yamlfile import Problem, has_errors
from triage.errors import Unavailable
from triage.model import Language, Platform

DONE, FOUND, USAGE, UNAVAILABLE = 0, 1, 2, 3
DRAIN_SECONDS = 3
"""For requests under way at SIGTERM, as long as Slack waits; with what `bot.running` then does it is less than ten."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # a terminal that has no Hangul shows \ube44, and stays in use
    zoneinfo.reset_tzpath(to=())  # the pinned tzdata package, not whatever the machine has
    try:
        command: Callable[[argparse.Namespace], int] = options.run
        code = command(options)
        sys.stdout.flush()
    except SettingsError as error:
        return _complain(*error.sentences)
    except Unavailable as error:
        _say(f"The database cannot be used: {error}")
        return UNAVAILABLE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader (`head`) has seen enough
        return DONE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deskbell", description="A help desk inside Slack and Microsoft Teams.")
    parser.add_argument("--version", action="version", version=f"deskbell {version('deskbell')}")
    parser.add_argument("--data", type=Path, help="folder of the embedded database (default ./.deskbell)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_servers(commands)
    _add_trials(commands)
    cli_kb.add(commands)
    cli_eval.add(commands)
    cli_sla_desk.add(cli_sla.add(commands))
    cli_data.add(commands)
    _add_upkeep(commands)
    _add_teams(commands)
    return parser


def _add_servers(commands: Parsers) -> None:
    demo = commands.add_parser("demo", help="try it in the browser: a sample desk, nothing to configure")
    _add_address(demo)
    demo.add_argument("--fresh", action="store_true", help="forget what earlier demos stored")
    demo.set_defaults(run=_demo)

    serve = commands.add_parser("serve", help="the real thing: Slack and Teams, whichever have credentials")
    _add_config(serve)
    _add_address(serve)
    serve.set_defaults(run=_serve)


def _add_trials(commands: Parsers) -> None:
    """What is done to a desk before it serves: write, lint and ask it."""
    init = commands.add_parser("init", help="write a sample desk.yaml and knowledge base to start from")
    init.add_argument("directory", type=Path)
    init.set_defaults(run=_init)

    check = commands.add_parser("check", help="lint desk.yaml and the knowledge base")
    _add_config(check)
    check.set_defaults(run=_check)

    ask = commands.add_parser("ask", help="what the desk would do with a message, and why")
    ask.add_argument("text")
    ask.add_argument("--team", help="as if asked in this team's help channel")
    ask.add_argument("--lang", type=_language, metavar="L", help="of the reasons: en, ko or zh-Hant (zh-TW, zh-HK)")
    ask.add_argument(
        "--tier",
        choices=["lexical", "semantic"],
        default="lexical",
        help="match by words (default), or also by meaning: then an encoder is loaded first, which takes seconds, and "
        "reads every article that it never read, which takes longer",
    )
    ask.add_argument("--json", action="store_true")
    _add_config(ask)
    ask.set_defaults(run=_ask)


def _add_upkeep(commands: Parsers) -> None:
    migrate = commands.add_parser(
        "migrate", help="bring the database up to date; the last release may run on meanwhile"
    )
    _add_config(migrate)
    migrate.add_argument(
        "--contract",
        action="store_true",
        help="also take away what only the last release used: when no process of it runs any more",
    )
    migrate.set_defaults(run=_migrate)

    doctor = commands.add_parser("doctor", help="what is set up, what is missing, what went wrong lately")
    _add_config(doctor)
    doctor.set_defaults(run=_doctor)


def _add_teams(commands: Parsers) -> None:
    teams = commands.add_parser("teams", help="for Microsoft Teams").add_subparsers(required=True, metavar="COMMAND")
    package = teams.add_parser("package", help="write the app package to upload in the Teams admin center")
    package.add_argument("--out", type=Path, default=Path("deskbell-teams.zip"))
    package.set_defaults(run=_teams_package)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="path of desk.yaml (default ./desk.yaml)")
    _add_data(parser)


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default 3000)")
    if parser.prog.endswith("demo"):
        _add_data(parser)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _language(text: str) -> Language:
    found = LANGUAGES.get(text.lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(Language)}")
    return found


def _settings(options: argparse.Namespace) -> Settings:
    given = {name: getattr(options, name, None) for name in ("config", "data", "host", "port")}
    return Settings.load(**given)


# --- commands ----------------------------------------------------------------------------------
def _demo(options: argparse.Namespace) -> int:
    from bot import encoders
    from bot.demo import demo_app, forget
    from bot.settings import is_loopback

    settings = _settings(options)
    if not is_loopback(settings.host):
        return _complain("The demo lets anyone be anyone, so it listens on this machine only: leave --host away.")
    logs.configure(settings.log_format)
    _make_folder(settings.data)
    if options.fresh:
        forget(settings.data)
    desk = _sample()
    app = demo_app(desk, settings.data, encoder=encoders.loader(settings))
    _say(f"Deskbell demo: open http://{settings.host}:{settings.port}/ in your browser (Ctrl+C stops it).")
    return _run(app, settings)


def _serve(options: argparse.Namespace) -> int:
    from bot.compose import serving
    from bot.web import application

    settings = _settings(options)
    logs.configure(settings.log_format, secrets=_secrets(settings))
    desk = _desk(settings.config)
    if desk is None:
        return USAGE
    for platform in (Platform.SLACK, Platform.TEAMS):
        reason = settings.why_off(platform)
        _say(reason or f"{platform.capitalize()} is on.")
    if all(settings.why_off(platform) for platform in (Platform.SLACK, Platform.TEAMS)):
        _say("No platform is on: the server answers health checks only.")
    _make_folder(settings.data)
    return _run(application(serving(settings, desk)), settings)


def _init(options: argparse.Namespace) -> int:
    try:
        written, kept = sample.write_sample(options.directory)
    except OSError as error:
        return _complain(f"{options.directory}: {error.strerror}")
    print(f"{len(written)} files written to {options.directory}")
    if kept:
        _say(f"{len(kept)} files were there already and are kept as they are.")
    _say(f"Next: edit {options.directory / 'desk.yaml'}, then run `deskbell check --config` on it.")
    return DONE


def _check(options: argparse.Namespace) -> int:
    settings = _settings(options)
    problems = deskfile.check(settings.config, today=datetime.now(UTC).date())
    for problem in problems:
        print(problem)
    if not settings.config.exists():
        return USAGE
    found = f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found."
    _say(found if problems else f"{settings.config} and its articles are sound.")
    return FOUND if has_errors(problems) else DONE


def _ask(options: argparse.Namespace) -> int:
    from bot.answering import answering
    from bot.explain import as_json, as_text, explain

    settings = _settings(options)
    is_sample = "config" not in settings.model_fields_set and not settings.config.exists()
    desk = _sample() if is_sample else _desk(settings.config)
    if desk is None:
        return USAGE
    if options.team and options.team not in desk.policy.teams:
        return _complain(f"There is no team {options.team!r}; teams: {', '.join(desk.policy.teams)}.")
    semantic = options.tier == "semantic"
    if semantic:
        logs.configure(settings.log_format, secrets=_secrets(settings), level=logging.WARNING)
    knowing, problems = answering(settings, desk, stored=not is_sample, semantic=semantic, at=datetime.now(UTC))
    _report([problem for problem in problems if has_errors([problem])])
    match = explain(options.text, knowing, desk.policy, team=options.team, language=options.lang)
    print(json.dumps(as_json(match), ensure_ascii=False) if options.json else as_text(match, desk.policy))
    return DONE


def _migrate(options: argparse.Namespace) -> int:
    from storage.schema import migrate

    settings = _settings(options)
    _make_folder(settings.data)
    found = migrate(settings.database, contract=options.contract, told=_say)
    applied = len(found.needed) + (len(found.contract) if options.contract else 0)
    print(f"{applied} migrations applied." if applied else "The database is up to date.")
    if found.newer:
        _say("It is of a newer version, beside which this one may run.")
    elif found.contract and not options.contract:
        _say("When no process of the last release runs any more: `deskbell migrate --contract`.")
    return DONE


def _doctor(options: argparse.Namespace) -> int:
    from bot.doctor import State, examine

    settings = _settings(options)
    findings = list(examine(settings, datetime.now(UTC).date()))
    for finding in findings:
        print(finding)
    if any(finding.database for finding in findings):
        return UNAVAILABLE
    return FOUND if any(finding.state is State.FAIL for finding in findings) else DONE


def _teams_package(options: argparse.Namespace) -> int:
    from adapters.teams.package import package

    settings = _settings(options)
    if not settings.teams_app_id or not settings.public_url:
        return _complain("Set MicrosoftAppId and DESKBELL_PUBLIC_URL: both stand in the package.")
    try:
        content = package(settings.teams_app_id, settings.public_url)
        options.out.write_bytes(content)
    except (ValueError, OSError) as error:
        return _complain(str(error))
    print(options.out)
    return DONE


# --- common ------------------------------------------------------------------------------------
def _desk(file: Path) -> Desk | None:
    desk, problems = deskfile.read(file)
    _report(problems)
    return desk


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError((f"--data {folder}: {error.strerror}",)) from None


def _sample() -> Desk:
    desk, problems = deskfile.read(sample.files() / "desk.yaml")
    if desk is None:
        raise SettingsError(tuple(str(problem) for problem in problems))
    return desk


def _report(problems: Sequence[Problem]) -> None:
    for problem in problems:
        _say(str(problem))


def _secrets(settings: Settings) -> list[str]:
    found = (getattr(settings, name) for name in type(settings).model_fields)
    whole = [value.get_secret_value() for value in found if hasattr(value, "get_secret_value")]
    return [*whole, *settings.session_keys]


def _run(app: Starlette, settings: Settings) -> int:
    """Serve until told to stop; uvicorn itself ends the program when the address is taken."""
    if settings.port and _taken(settings.host, settings.port):
        _say(f"{settings.host}:{settings.port} is in use: stop what listens there, or choose another --port.")
        return UNAVAILABLE
    signal.signal(signal.SIGTERM, _end)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return DONE


def _end(*_: object) -> NoReturn:
    """uvicorn shuts down at SIGTERM, and then raises it again for whoever handled it before.

    All is closed by then. Python would take seconds of a busy core to forget its modules.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(DONE)


def _taken(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _complain(*sentences: str) -> int:
    for sentence in sentences:
        _say(sentence)
    return USAGE
