"""The desk's own folder of articles.

`read_folder` is called by `bot.cli` to start a desk and by `deskbell check`; `read_article` reads the text of one
Markdown file. The formats are in `bot.kbfiles`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bot.kbfiles import markdown, reading
from bot.yamlfile import Problem
from triage.knowledge import Article, KnowledgeBase
from triage.policy import Policy


def read_folder(
    folder: Path, *, policy: Policy | None = None, today: date | None = None
) -> tuple[KnowledgeBase, list[Problem]]:
    """All sound articles below `folder`, and what is wrong with the files, in the order of their names.

    `policy` tells which teams and people exist; `today` which review dates are overdue. Without them
    that is not checked.
    """
    if not folder.is_dir():
        return KnowledgeBase.of(()), [Problem(file=folder, line=1, message="the folder of articles does not exist")]
    found = reading.read(folder, policy=policy, today=today)
    return found.kb, list(found.problems)


def read_article(text: str, file: Path) -> tuple[Article | None, list[Problem]]:
    """One article from the text of its Markdown file; None when there is an error in it."""
    pages, problems = markdown.read(text, file)
    return (pages[0].article if pages else None), problems
