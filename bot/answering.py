"""What `deskbell ask` answers with: the articles and the thresholds that a desk started now would have.

Called by `bot.cli`. Apart from `bot.compose`, because loading the platforms would take longer than the answer.
Nothing is written, and no database is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot import encoders
from bot.deskfile import Desk
from bot.kb import read_folder
from bot.knowing import EMPLOYEE, Knowing, Labels, nothing_labelled
from bot.settings import Settings, SettingsError
from bot.syncing import foreseen
from bot.yamlfile import Problem
from storage.engine import is_new, make_engine
from storage.schema import pending_migrations
from storage.sql import SqlStorage
from triage.knowledge import KnowledgeBase
from triage.learning import labelled
from triage.matching import Encoder, EncoderFailed

Problems = Sequence[Problem]


def answering(
    settings: Settings, desk: Desk, *, stored: bool, semantic: bool, at: datetime
) -> tuple[Knowing, Problems]:
    """Ready to answer an employee, and the problems that it met on the way.

    With `stored` the database counts, if there is one; `semantic` loads the encoder, which takes seconds.
    Raises Unavailable, and SettingsError when there is no encoder or it fails.
    """
    load = _loader(settings) if semantic else None
    kb, labels, problems = _held(settings, desk, at) if stored else _folder(desk)
    knowing = Knowing(kb, precision=desk.policy.precision, audiences=(EMPLOYEE,), encoder=load, labelled=labels)
    try:
        knowing.warm()
    except EncoderFailed as error:
        raise SettingsError((f"The encoder failed: {error}",)) from None
    return knowing, problems


def _loader(settings: Settings) -> Callable[[], Encoder]:
    chosen, load = encoders.choice(settings), encoders.loader(settings, keep=False)
    if load is None:
        reason = f" ({chosen.trouble})" if chosen.trouble else ""
        raise SettingsError((f"There is no semantic tier: the encoder is {chosen.told}{reason}.",))
    return load


def _held(settings: Settings, desk: Desk, at: datetime) -> tuple[KnowledgeBase, Labels, Problems]:
    """What is in the database with the folder over it, as at the start of the desk."""
    if is_new(settings.database):
        return _folder(desk)
    if pending_migrations(settings.database):
        kb, labels, problems = _folder(desk)
        old = "the database is of an older version (`deskbell migrate`): only the articles of this folder are known"
        return kb, labels, (*problems, Problem(file=desk.kb, line=1, message=old))
    storage = SqlStorage(make_engine(settings.database))
    try:
        articles, problems = foreseen(desk.kb, storage.library, policy=desk.policy, at=at)
        cases = storage.cases()
    finally:
        storage.close()
    return KnowledgeBase.of(articles), lambda audience: labelled(cases, audience), problems


def _folder(desk: Desk) -> tuple[KnowledgeBase, Labels, Problems]:
    kb, problems = read_folder(desk.kb, policy=desk.policy)
    return kb, nothing_labelled, problems
