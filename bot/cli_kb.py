"""`deskbell kb import`, `export` and `lint`: their options, which `bot.cli` adds to the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.kbfiles.formats import Format


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    kb = commands.add_parser("kb", help="articles in and out").add_subparsers(
        required=True, metavar="COMMAND", dest="command"
    )

    bring = kb.add_parser("import", help="put the articles of a file or folder into force")
    bring.add_argument(
        "path", type=Path, metavar="PATH", help="Markdown, CSV, JSONL or HTML, or a folder of such files"
    )
    bring.add_argument(
        "--source", help="what these articles belong to; those it had before are retired (default: PATH)"
    )
    bring.add_argument("--dry-run", action="store_true", help="say what would change, and store nothing")
    bring.add_argument("--verbose", action="store_true", help="name the articles, not only their number")
    _add_defaults(bring)
    bring.set_defaults(run=_run)

    export = kb.add_parser("export", help="write all articles in force to a file or a new folder")
    export.add_argument("path", type=Path, metavar="PATH")
    export.add_argument("--format", type=Format, choices=list(Format), help="default: by PATH; a folder is Markdown")
    _add_settings(export)
    export.set_defaults(run=_run)

    lint = kb.add_parser("lint", help="what is wrong with articles, and what keeps them from being found")
    lint.add_argument("path", type=Path, metavar="PATH", nargs="?", help="default: the folder that desk.yaml names")
    _add_defaults(lint)
    lint.set_defaults(run=_run)


def _add_defaults(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--team", help="team of the articles that name none (JSONL without both: the first)")
    parser.add_argument("--audience", help="audience of the articles that name none (JSONL without both: company)")
    parser.add_argument("--lang", help="language of the articles that name none: en, ko or zh-Hant")
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="path of desk.yaml (default ./desk.yaml)")
    parser.add_argument("--data", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _run(options: argparse.Namespace) -> int:
    from bot.cli_kb_run import run

    return run(options)
