"""`deskbell eval`: its options, which `bot.cli` adds to the command line."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("eval", help="answer quality and latency on labelled questions")
    parser.add_argument("--kb", type=Path, help="articles, one a line: {id, title, body, phrasings, lang}")
    parser.add_argument("--queries", type=Path, help="questions, one a line: {text, article or null}")
    parser.add_argument("--tune", type=Path, help="further labelled questions, which may set the threshold")
    parser.add_argument("--feedback", action="store_true", help="instead: replay what people said of past answers")
    parser.add_argument("--before", type=Path, help="what an earlier --feedback --out wrote, to compare with")
    parser.add_argument("--tier", choices=["lexical", "semantic"], default="lexical")
    parser.add_argument(
        "--precision", type=_precision, help="what the answers aim at (default 0.95, or what desk.yaml says)"
    )
    parser.add_argument("--out", type=Path, help="write what became of each question, one JSON object a line")
    parser.add_argument("--plot", type=Path, help="write a reliability diagram and the trade-off curve as PNG")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--config", type=Path, help="path of desk.yaml, for --feedback (default ./desk.yaml)")
    parser.add_argument("--data", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from bot.cli_eval_run import run

    return run(options)


def _precision(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1, such as 0.95")
    return value
