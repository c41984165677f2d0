"""`kb words…`: the articles whose titles or phrasings are nearest, for whoever searches, to be read by a button.

Called by `triage.decide`. What the searcher may not read is not in the knowledge base it looks through.
"""

from __future__ import annotations

from rapidfuzz import fuzz, process

from triage.casework import shortened
from triage.changes import Converse, Decision
from triage.commands import Command
from triage.knowledge import Article
from triage.linking import titled
from triage.model import Conversation
from triage.outgoing import Choice
from triage.turn import Turn

TITLES = 5
"""Articles shown."""

LIKE = 60
"""Likeness, 0-100, of a title to the words searched for."""

MAX_WORDS = 200
"""Characters searched for; more is no search but a question."""


def search(turn: Turn, command: Command) -> Decision:
    """The best matches first, then articles with a title like the words."""
    words = command.rest
    found = _found(turn, words)
    ask = Choice(label="kb.ask", command=f"ask {words}"[:1_500])
    if not found:
        return turn.say("kb.found_nothing", choices=(ask,), words=shortened(words, MAX_WORDS))
    choices = tuple(titled(article, f"read {article.id}") for article in found)
    told = turn.say("kb.found", choices=(*choices, ask), words=shortened(words, MAX_WORDS))
    return told + _asked(turn, words)


def _found(turn: Turn, words: str) -> list[Article]:
    kb = turn.situation.kb
    titles = {index: article.title for index, article in enumerate(kb.articles)}
    like = process.extract(
        words[:MAX_WORDS], titles, scorer=fuzz.token_set_ratio, processor=str.casefold, score_cutoff=LIKE, limit=TITLES
    )
    top = turn.match.top if turn.match else ()
    ids = dict.fromkeys([each.article.id for each in top] + [kb.articles[index].id for _, _, index in like])
    articles = (kb.article(id, turn.sender.language) for id in ids)
    return [article for article in articles if article][:TITLES]


def _asked(turn: Turn, words: str) -> Decision:
    """What is read next answers these words, not what was asked before; a ticket keeps its thread."""
    before = turn.conversation
    if turn.elsewhere or (before is not None and (before.ticket or before.requester != turn.sender.id)):
        return Decision()
    language = turn.match.language if turn.match else turn.sender.language
    asked = Conversation(
        key=turn.here.key,
        thread=turn.here,
        requester=turn.sender.id,
        language=language,
        team=(turn.match.team if turn.match else None) or "",
        question=words,
        asked=turn.message.key,
    )
    return Decision(changes=(Converse(conversation=asked),))
