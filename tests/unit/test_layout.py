"""How notices read: every one of them in every language, with nothing lost and nobody's text as markup."""

from __future__ import annotations

from dataclasses import replace
from string import Formatter

import pytest

from tests.builders import LONDON, NOW, buttons, words
from triage.document import Buttons, Document, Facts, Heading, Markdown, Mention, Paragraph, Plain, Quote, Strong, When
from triage.layout import fallback, render
from triage.learning import Figures, Point
from triage.model import Language, Priority, Status
from triage.outgoing import (
    Answer,
    At,
    Card,
    Choice,
    ClockNote,
    Help,
    HistoryLine,
    Notice,
    Pings,
    Reasons,
    Reminder,
    Report,
    Say,
    StepGuard,
    Suggestions,
    Term,
    TicketLine,
    TicketList,
    TicketView,
    Who,
)
from triage.phrases import catalogue, noted
from triage.policy import Metric
from triage.reading import AGENTS, EVERYONE

AT = At(at=NOW, zone=LONDON.timezone)
ANN = Who(person="ann", name="Ann")
KIM = Who(person="kim", name="Kim")
RUNS = ClockNote(phrase="state.running", instants={"due": AT}, seconds={"left": 5_400, "over": 0})
CARD = Card(
    number=7,
    subject="Printer *on* {fire}",
    text="Printer on fire\nfloor 3",
    requester=ANN,
    team="IT",
    status=Status.NEW,
    priority=Priority.HIGH,
    owner=None,
    opened=AT,
    clocks=((Metric.FIRST_RESPONSE, RUNS), (Metric.RESOLUTION, RUNS)),
)
ROW = TicketLine(
    number=7, subject="Printer", status=Status.OPEN, priority=Priority.LOW, requester="Ann", owner=None, due=AT
)
LIST = TicketList(phrase="queue.title", empty="queue.empty", values={"teams": "IT"}, rows=(ROW, replace(ROW, due=None)))
VIEW = TicketView(card=CARD, history=(HistoryLine(at=AT, author="Kim", what="entry.note", text="secret"),))
SAY = Say(
    phrase="event.priority",
    values={"actor": "Kim", "priority": Term(term="priority.high")},
    quote="*their* words",
    choices=(Choice(label="card.why", command="why 7"),),
)
REPORT = Report(
    team="IT",
    since=AT,
    until=AT,
    figures=Figures(asked=9, answered=4, confirmed=3, contradicted=1, opened=5, waiting=2),
    cases=40,
    points=(
        Point(threshold=0.5, coverage=0.75, precision=0.9),
        Point(threshold=0.8, coverage=0.4, precision=0.95),
        Point(threshold=0.99, coverage=0.0, precision=None),
    ),
    in_force=0.8,
)
CALLED = Reminder(
    say=Say(
        phrase="page.rung_you",
        values={"team": "IT", "number": 7, "subject": "Printer"},
        choices=(Choice(label="ack.on_it", command="ack 7"),),
    ),
    guard=StepGuard(ticket="t7", run="r1"),
)
NOTICES: tuple[Notice, ...] = (
    SAY,
    Say(phrase="ticket.promise", values={"number": 7, "team": "IT", "due": AT}),
    Say(phrase="event.assigned", values={"actor": "Lee", "owner": KIM}),
    Answer(article="vpn", title="VPN", body="**Restart** it.", team="IT"),
    Suggestions(articles=(("vpn", "VPN"), ("mail", "Mail"))),
    CARD,
    replace(CARD, owner=KIM, status=Status.OPEN),
    replace(CARD, owner=KIM, status=Status.PENDING),
    replace(CARD, owner=KIM, status=Status.RESOLVED),
    replace(CARD, status=Status.CLOSED),
    LIST,
    replace(LIST, rows=(), more=0),
    replace(LIST, more=3),
    VIEW,
    Reasons(phrase="why.ticket", values={"number": 7}, reasons=(noted("cause.person", Language.EN), "near VPN")),
    Help(verbs=tuple(map(str, (*EVERYONE, *AGENTS)))),
    Pings(reminders=(CALLED,)),
    Pings(reminders=(CALLED, CALLED), held=2),
    REPORT,
    replace(REPORT, points=(), cases=3),
)


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: notice.kind)
@pytest.mark.parametrize("language", Language)
def test_every_notice_reads_in_every_language(notice: Notice, language: Language) -> None:
    """With something to show, a summary, and no key or placeholder left over."""
    document = render(notice, language)
    assert document.blocks
    assert document.summary
    assert document.language == language
    text = words(document)
    left = [key for key in catalogue(language) if key in text and "." in key]
    assert left == []
    assert "{number}" not in text


@pytest.mark.parametrize("language", Language)
def test_every_sentence_of_the_catalogue_can_be_laid_out(language: Language) -> None:
    """Each placeholder as a mention, which is the hardest of them."""
    for key in catalogue(language):
        if not key.startswith(("time.", "page.day")):
            values = dict.fromkeys(_placeholders(key), KIM)
            assert render(Say(phrase=key, values=values), language).blocks


def _placeholders(key: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(catalogue(Language.EN)[key]) if name}


def test_what_people_wrote_is_never_markup() -> None:
    """A quote is a quote; the values of a phrase are plain or, where the phrase is bold, strong."""
    paragraph, quote, row = render(SAY, Language.EN).blocks
    assert quote == Quote("*their* words")
    assert isinstance(paragraph, Paragraph)
    assert {type(span) for span in paragraph.line} <= {Plain, Strong}
    assert isinstance(row, Buttons)


def test_braces_and_asterisks_in_a_subject_survive() -> None:
    """Nobody's text is a template."""
    (heading, *_) = render(CARD, Language.EN).blocks
    assert heading == Heading("#7 Printer *on* {fire}")


def test_mentions_and_instants_stay_nodes() -> None:
    """So that a platform shows a real mention and the reader's own time."""
    document = render(NOTICES[2], Language.EN, lambda who: Mention("U0KIM", who.name))
    (paragraph,) = document.blocks
    assert isinstance(paragraph, Paragraph)
    assert Mention("U0KIM", "Kim") in paragraph.line
    (promise,) = render(NOTICES[1], Language.KO).blocks
    assert isinstance(promise, Paragraph)
    assert When(NOW, "3월 9일 월요일 09:00 (London)") in promise.line


def test_an_answer_shows_its_source_and_asks_whether_it_helped() -> None:
    """With a way to a person, and to the reasons."""
    document = render(Answer(article="vpn", title="VPN", body="**Restart** it.", team="IT"), Language.EN)
    assert Markdown("**Restart** it.") in document.blocks
    assert "From the knowledge base: VPN · IT" in words(document)
    assert [button.command for button in buttons(document)] == ["solved vpn", "ticket", "why this"]
    unasked = render(Answer(article="vpn", title="VPN", body="x", team="IT", confirm=False), Language.EN)
    assert buttons(unasked) == []


def test_suggestions_are_buttons_with_a_way_out() -> None:
    """None of them: a person."""
    document = render(Suggestions(articles=(("vpn", "VPN"),)), Language.EN)
    assert [button.command for button in buttons(document)] == ["read vpn", "ticket", "why this"]


@pytest.mark.parametrize(
    ("card", "commands", "accent"),
    [
        (CARD, ["claim 7", "resolve 7", "why 7"], "high"),
        (replace(CARD, owner=KIM, status=Status.OPEN), ["resolve 7", "pending 7", "release 7", "why 7"], "high"),
        *(
            (replace(CARD, owner=KIM, status=waits), ["resolve 7", "reopen 7", "release 7", "why 7"], "high")
            for waits in (Status.PENDING, Status.ON_HOLD)
        ),
        (replace(CARD, owner=KIM, status=Status.RESOLVED), ["reopen 7"], "ended"),
        (replace(CARD, status=Status.CLOSED), [], "ended"),
    ],
)
def test_a_card_offers_what_can_be_done_next(card: Card, commands: list[str], accent: str) -> None:
    """In the order agents usually do it, with the ticket's number in every command."""
    document = render(card, Language.EN)
    assert [button.command for button in buttons(document)] == commands
    assert document.accent == accent


def test_a_card_tells_where_words_under_it_go() -> None:
    """An agent must know that the requester reads them."""
    assert "What agents write in this thread goes to Ann." in words(render(CARD, Language.EN))


def test_a_card_shows_its_facts() -> None:
    """Who asked, who has it, how it stands, what is due and how much is left."""
    (facts,) = [block for block in render(CARD, Language.EN).blocks if isinstance(block, Facts)]
    assert [label for label, _ in facts.pairs] == [
        "Requester",
        "Owner",
        "Status",
        "Priority",
        "First answer",
        "Solution",
    ]
    assert "Solution: due Monday 9 March, 09:00 (London) · 1 h 30 min of working time left" in words(
        render(CARD, Language.EN)
    )


def test_an_empty_list_says_so_and_a_cut_one_how_much_is_missing() -> None:
    """A list is never just a title."""
    assert "Nothing is waiting." in words(render(replace(LIST, rows=()), Language.EN))
    assert "and 3 more" in words(render(replace(LIST, more=3), Language.EN))


def test_the_label_of_a_button_can_hold_a_value() -> None:
    """ "Did you mean" shows the very command."""
    choice = Choice(label="error.did_you_mean_yes", command="claim 42", values={"command": "claim 42"})
    (button,) = buttons(render(Say(phrase="why.none", choices=(choice,)), Language.KO))
    assert button.label == "claim 42"


def test_a_summary_is_one_short_line() -> None:
    """For notifications and screen readers."""
    document: Document = render(replace(CARD, text="word\n" * 500), Language.EN)
    assert len(document.summary) <= 140
    assert "\n" not in document.summary
    assert document.summary.startswith("#7 Printer")


def test_the_fallback_is_english() -> None:
    """Kept beside each row for when it cannot be laid out any more."""
    assert fallback(Say(phrase="done.claimed", values={"number": 7})) == "Ticket #7 is yours."


def test_a_card_does_not_say_a_short_request_twice() -> None:
    """Where the subject is the whole request it is not quoted below itself."""
    short = replace(CARD, subject="the roof leaks", text="the roof leaks")
    long = replace(CARD, subject="the roof leaks", text="the roof leaks\nsince Monday")
    quoted = [[b for b in render(card, Language.EN).blocks if isinstance(b, Quote)] for card in (short, long)]
    assert quoted == [[], [Quote("the roof leaks\nsince Monday")]]


# --- pings -------------------------------------------------------------------------------------
def test_one_ping_reads_as_it_is() -> None:
    """Nobody counts to one."""
    assert words(render(Pings(reminders=(CALLED,)), Language.EN)) == words(render(CALLED.say, Language.EN))


def test_a_bundle_says_how_many_and_how_many_were_held_back() -> None:
    """Each ping keeps its own buttons."""
    document = render(Pings(reminders=(CALLED, CALLED), held=2), Language.EN)
    assert "2 promises need you:" in words(document)
    assert "2 of these were held back" in words(document)
    assert [button.command for button in buttons(document)] == ["ack 7", "ack 7"]


# --- the report --------------------------------------------------------------------------------
def test_a_report_shows_the_day_and_the_trade_off() -> None:
    """A bar for each threshold, and the one in force in strong words."""
    document = render(REPORT, Language.EN)
    text = words(document)
    assert "Asked: 9" in text
    assert "Proposals waiting: 2" in text
    assert "████████░░ from 0.50 up: 90% right, 75% answered" in text
    assert "from 0.99 up: – right, 0% answered" in text
    strong = [
        span.text
        for block in document.blocks
        if isinstance(block, Paragraph)
        for span in block.line
        if isinstance(span, Strong)
    ]
    assert strong == ["from 0.80 up: 95% right, 40% answered (in force)"]


def test_a_report_of_figures_only_says_nothing_of_cases() -> None:
    """For teams that work privately."""
    text = words(render(replace(REPORT, cases=None, points=()), Language.EN))
    assert "labelled" not in text
    assert "Asked: 9" in text
