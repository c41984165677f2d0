"""Notices become documents: what to say is decided elsewhere, here is how it reads.

Called by `bot.delivery` just before a message is sent, by storage for the English fallback it
keeps beside each outbox row, and for acknowledgements that cannot wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from triage.casework import shortened
from triage.clockstate import in_words
from triage.commands import THIS
from triage.document import (
    Block,
    Button,
    Buttons,
    Document,
    Facts,
    Heading,
    Line,
    Markdown,
    Mention,
    Paragraph,
    Plain,
    Quote,
    Small,
    Span,
    Strong,
    When,
    harmless,
    text_of,
    visible,
)
from triage.learning import ENOUGH, Point
from triage.model import ENDED, Language, Status
from triage.outgoing import (
    Answer,
    Answers,
    At,
    Card,
    Choice,
    Help,
    Notice,
    Pings,
    Reasons,
    Report,
    Say,
    Section,
    Suggestions,
    Term,
    TicketLine,
    TicketList,
    TicketView,
    Value,
    Who,
)
from triage.phrases import line, moment, say, spoken

MentionOf = Callable[[Who], Mention]
"""Finds the person's account on the platform the document is for."""

SUMMARY = 140
"""Characters of a notification line."""


WAITING = frozenset({Status.PENDING, Status.ON_HOLD})

ENTRY = 1_500
"""Characters of one entry when a ticket is shown: a pasted log must not push the others out."""

BAR = 10
"""Characters of a full bar."""


def by_name(who: Who) -> Mention:
    """For places without accounts: the name alone."""
    return Mention(None, who.name)


def fallback(notice: Notice) -> str:
    """The notice as one line of English, for when it cannot be laid out any more."""
    return visible(_summary(_blocks(notice, _Page(Language.EN, by_name))))


def render(notice: Notice, language: Language, mention: MentionOf = by_name) -> Document:
    blocks = _blocks(notice, _Page(language, mention))
    return harmless(Document(blocks=tuple(blocks), summary=_summary(blocks), language=language, accent=_accent(notice)))


def _blocks(notice: Notice, page: _Page) -> list[Block]:
    match notice:
        case Say():
            return page.saying(notice)
        case Answer():
            return page.answer(notice)
        case Answers():
            return page.answers(notice)
        case Suggestions():
            return page.suggestions(notice)
        case Card():
            return page.card(notice)
        case TicketList():
            return page.listing(notice)
        case TicketView():
            return page.view(notice)
        case Reasons():
            return page.reasons(notice)
        case Help():
            return page.help(notice)
        case Report():
            return page.report(notice)
        case Pings():
            return page.pings(notice)


def _accent(notice: Notice) -> str | None:
    match notice:
        case (Card() as card) | TicketView(card=card):
            return "ended" if card.status in ENDED else card.priority
        case _:
            return None


def _summary(blocks: list[Block]) -> str:
    texts = [_text(block) for block in blocks]
    whole = " · ".join(" ".join(text.split()) for text in texts if text)
    return whole if len(whole) <= SUMMARY else whole[: SUMMARY - 1] + "…"


def _text(block: Block) -> str:
    match block:
        case Heading(text) | Quote(text) | Markdown(text):
            return text
        case Paragraph(content):
            return text_of(content)
        case _:
            return ""


class _Page:
    """One language and one platform's mentions, so that each layout below reads as a list of blocks."""

    def __init__(self, language: Language, mention: MentionOf) -> None:
        self.language = language
        self.mention = mention

    # --- words ---
    def t(self, key: str, **values: object) -> str:
        return say(key, self.language, values)

    def line(self, key: str, values: Mapping[str, Value] | None = None) -> Line:
        return line(key, self.language, {name: self.span(value) for name, value in (values or {}).items()})

    def span(self, value: Value) -> Span:
        match value:
            case Who():
                return self.mention(value)
            case At():
                return When(value.at, moment(value.at, value.zone, self.language))
            case Term():
                return Plain(self.t(value.term))
            case _:
                return Plain(str(value))

    def buttons(self, choices: tuple[Choice, ...]) -> list[Block]:
        if not choices:
            return []
        return [Buttons(tuple(self.button(choice) for choice in choices))]

    def button(self, choice: Choice) -> Button:
        words = {name: value if isinstance(value, str | int) else "" for name, value in choice.values.items()}
        return Button(self.t(choice.label, **words), choice.command, choice.style)

    # --- notices ---
    def saying(self, notice: Say) -> list[Block]:
        quote: list[Block] = [Quote(notice.quote)] if notice.quote else []
        return [Paragraph(self.line(notice.phrase, notice.values)), *quote, *self.buttons(notice.choices)]

    def answer(self, notice: Answer) -> list[Block]:
        source = Small(self.line("answer.source", {"team": notice.team, "title": notice.title}))
        blocks: list[Block] = [Heading(notice.title), Markdown(notice.body), source]
        if not notice.confirm:
            return blocks
        choices = (
            Choice(label="answer.yes", command=f"solved {notice.article}", style="primary"),
            Choice(label="answer.no", command="ticket"),
            Choice(label="answer.why", command=f"why {THIS}"),
        )
        return [*blocks, Paragraph(self.line("answer.confirm")), *self.buttons(choices)]

    def answers(self, notice: Answers) -> list[Block]:
        blocks: list[Block] = [Paragraph(self.line("several.title", {"count": len(notice.sections)}))]
        for section in notice.sections:
            blocks.append(Quote(section.question))
            blocks += self.answer(section.answer) if section.answer else self.open_question(section)
        solved = Choice(label="answer.yes", command="solved", style="primary")
        choices = (
            solved,
            Choice(label="several.person", command="ticket"),
            Choice(label="answer.why", command=f"why {THIS}"),
        )
        return [*blocks, Paragraph(self.line("several.confirm")), *self.buttons(choices)]

    def open_question(self, section: Section) -> list[Block]:
        near = tuple(Button(title, f"read {id}") for id, title in section.near)
        key = "several.near" if near else "several.open"
        return [Paragraph(self.line(key)), *([Buttons(near)] if near else [])]

    def suggestions(self, notice: Suggestions) -> list[Block]:
        articles = tuple(Button(title, f"read {id}") for id, title in notice.articles)
        none = Button(self.t("suggest.none"), "ticket", "primary")
        why = Button(self.t("answer.why"), f"why {THIS}")
        return [Paragraph(self.line("suggest.title")), Buttons((*articles, none, why))]

    def card(self, notice: Card) -> list[Block]:
        heading = Heading(self.t("card.heading", number=notice.number, subject=notice.subject))
        more: list[Block] = [] if notice.text == notice.subject else [Quote(notice.text)]
        return [
            heading,
            *more,
            self.facts(notice),
            Small(self.line("card.hint", {"requester": notice.requester.name})),
            *self.buttons(_card_choices(notice)),
        ]

    def facts(self, notice: Card) -> Facts:
        owner: Span = self.mention(notice.owner) if notice.owner else Plain(self.t("card.nobody"))
        clocks = [
            (self.t(f"story.metric.{metric}"), self.line(note.phrase, in_words(note, self.language)))
            for metric, note in notice.clocks
        ]
        return Facts(
            (
                (self.t("card.requester"), (self.mention(notice.requester),)),
                (self.t("card.owner"), (owner,)),
                (self.t("card.status"), (Plain(self.t(f"status.{notice.status}")),)),
                (self.t("card.priority"), (Plain(self.t(f"priority.{notice.priority}")),)),
                *clocks,
            )
        )

    def listing(self, notice: TicketList) -> list[Block]:
        title = Paragraph(self.line(notice.phrase, notice.values))
        if not notice.rows:
            return [title, Paragraph(self.line(notice.empty, notice.values))]
        more: list[Block] = [Small(self.line("list.more", {"count": notice.more}))] if notice.more else []
        return [title, *(Paragraph(self.row(row)) for row in notice.rows), *more]

    def row(self, row: TicketLine) -> Line:
        values: dict[str, Value] = {
            "number": row.number,
            "subject": row.subject,
            "status": Term(term=f"status.{row.status}"),
            "priority": Term(term=f"priority.{row.priority}"),
            "requester": row.requester,
            "owner": row.owner or self.t("card.nobody"),
        }
        if row.due is None:
            return self.line("list.row", values)
        return self.line("list.row_due", {**values, "due": row.due})

    def view(self, notice: TicketView) -> list[Block]:
        card = notice.card
        heading = Heading(self.t("card.heading", number=card.number, subject=card.subject))
        history = [
            Paragraph(
                (
                    self.span(entry.at),
                    Plain(" · "),
                    Strong(self.t(entry.what, author=entry.author or self.t("list.desk"))),
                    Plain(f" {shortened(entry.text, ENTRY)}"),
                )
            )
            for entry in notice.history
        ]
        return [heading, self.facts(card), *history]

    def reasons(self, notice: Reasons) -> list[Block]:
        title = Paragraph(self.line(notice.phrase, notice.values))
        return [title, *(Paragraph((Plain(f"• {spoken(reason, self.language)}"),)) for reason in notice.reasons)]

    def help(self, notice: Help) -> list[Block]:
        verbs = [Paragraph(self.line(f"help.{verb}")) for verb in notice.verbs]
        return [Paragraph(self.line("help.title")), *verbs, Small(self.line("help.more"))]

    def report(self, notice: Report) -> list[Block]:
        day = notice.figures
        counts = ("asked", "answered", "confirmed", "contradicted", "opened", "waiting")
        facts = Facts(tuple((self.t(f"report.{name}"), (Plain(str(getattr(day, name))),)) for name in counts))
        period = Small(self.line("report.period", {"since": notice.since, "until": notice.until}))
        return [Heading(self.t("report.title", team=notice.team)), period, facts, *self.curve(notice)]

    def pings(self, notice: Pings) -> list[Block]:
        """One reminder reads as it is; of several each is a line with its buttons."""
        several = len(notice.reminders) > 1
        title: list[Block] = []
        if several:
            title = [Paragraph(self.line("pings.title", {"count": len(notice.reminders)}))]
        said = [block for reminder in notice.reminders for block in self.saying(reminder.say)]
        held: list[Block] = [Small(self.line("pings.held", {"count": notice.held}))] if notice.held else []
        return [*title, *said, *held]

    def curve(self, notice: Report) -> list[Block]:
        """A bar for the coverage of each threshold, the one in force in strong words."""
        if notice.cases is None:
            return []
        if not notice.points:
            return [Small(self.line("report.few", {"cases": notice.cases, "needed": ENOUGH}))]
        title = Paragraph(self.line("report.curve", {"cases": notice.cases}))
        return [title, *(Paragraph(self.point(point, notice.in_force)) for point in notice.points)]

    def point(self, point: Point, in_force: float) -> Line:
        full = round(point.coverage * BAR)
        values: dict[str, Value] = {
            "bar": "█" * full + "░" * (BAR - full),
            "threshold": f"{point.threshold:.2f}",
            "precision": _percent(point.precision),
            "coverage": _percent(point.coverage),
        }
        return self.line("report.in_force" if point.threshold == in_force else "report.point", values)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _card_choices(card: Card) -> tuple[Choice, ...]:
    """What an agent does next with this ticket, in the order they usually do it."""
    if card.status is Status.CLOSED:
        return ()
    if card.status is Status.RESOLVED:
        return (Choice(label="card.reopen", command=f"reopen {card.number}"),)
    resolve = Choice(label="card.resolve", command=f"resolve {card.number}")
    why = Choice(label="card.why", command=f"why {card.number}")
    if card.owner is None:
        return (Choice(label="card.claim", command=f"claim {card.number}", style="primary"), resolve, why)
    pending = Choice(label="card.pending", command=f"pending {card.number}")
    release = Choice(label="card.release", command=f"release {card.number}")
    go_on = Choice(label="card.go_on", command=f"reopen {card.number}")
    waits = (pending,) if card.status is Status.OPEN else (go_on,) if card.status in WAITING else ()
    return (
        Choice(label="card.resolve", command=f"resolve {card.number}", style="primary"),
        *waits,
        release,
        why,
    )
