"""What agents do with tickets, who may do it, and doing it twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import (
    ASKED,
    CARD,
    DM,
    HR_TRIAGE,
    LOBBY,
    NOW,
    POLICY,
    TRIAGE,
    account,
    changed,
    commands,
    decided,
    hr_ticket,
    loaded,
    mention,
    message,
    notice,
    person,
    phrases,
    press,
    saying,
    slash,
    ticket,
    to_requester,
    to_team,
)
from triage.changes import AddEntry, Assign, Decision, KeepClock, Rate, SetPriority, SetStatus, Transfer
from triage.clocks import ClockState
from triage.model import EntryKind, Kind, Language, Message, Priority, Status, Thread, Ticket
from triage.outgoing import Card, Direct, InThread, OnSlot, Privately, Say, UnderSlot, card_slot, promise_slot
from triage.policy import Metric
from triage.ports import Loaded

# --- who may do what ---------------------------------------------------------------------------
AGENT_VERBS = {
    "claim": "claim {}",
    "release": "release {}",
    "assign": "assign {} me",
    "transfer": "transfer {} finance",
    "priority": "priority {} high",
    "note": "note {} they called",
    "reply": "reply {} it is ready",
    "pending": "pending {} which room?",
    "hold": "hold {} the vendor has it",
}
SHARED_VERBS = {verb: verb + " {}" for verb in ("resolve", "reopen", "escalate", "show", "why")}
VERBS = AGENT_VERBS | SHARED_VERBS

TICKETS: dict[str, Ticket | None] = {
    "open": ticket(),
    "restricted": hr_ticket(),
    "ended": ticket(status=Status.RESOLVED, owner="kim"),
    "closed": ticket(status=Status.CLOSED),
    "missing": None,
}
PEOPLE = {
    "requester": "ann",
    "agent": "kim",
    "agent of HR": "park",
    "agent of another team": "chen",
    "colleague": "bob",
    "admin": "ada",
    "guest": "max",
}
SEES = {
    "open": {"requester", "agent", "admin"},
    "ended": {"requester", "agent", "admin"},
    "closed": {"requester", "agent", "admin"},
    "restricted": {"requester", "agent of HR"},
    "missing": set[str](),
}
ON_ENDED = {"note", "resolve", "reopen", "escalate", "show", "why"}
ON_CLOSED = {"note", "escalate", "show", "why"}
REFUSALS = {"error.no_ticket", "error.not_agent", "error.ended", "done.nothing"}


def outcome(verb: str, who: str, kind: str) -> set[str]:
    """What the rules promise: a refusal, or none."""
    if who not in SEES[kind]:
        return {"error.no_ticket"}
    if kind == "closed" and verb not in ON_CLOSED:
        return {"done.nothing"}
    if kind == "ended" and verb not in ON_ENDED:
        return {"error.ended"}
    if verb in AGENT_VERBS and who == "requester":
        return {"error.not_agent"}
    nothing_to_do = {("open", "reopen"), ("restricted", "reopen"), ("ended", "resolve")}
    owned = {("open", "release"), ("restricted", "release")}
    return {"done.nothing"} if (kind, verb) in nothing_to_do | owned else set()


@pytest.mark.parametrize("kind", TICKETS)
@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("verb", VERBS)
def test_rights(verb: str, who: str, kind: str) -> None:
    """Every verb, by everyone, on every kind of ticket: done, or refused with the right reason."""
    found = TICKETS[kind]
    text = VERBS[verb].format(found.number if found else 99)
    decision = decided(slash(text, by=PEOPLE[who]), loaded(found, conversation=None))
    assert phrases(decision) & REFUSALS == outcome(verb, who, kind)
    assert decision.outgoing, "everyone who addressed the bot gets a reply"
    if refused := outcome(verb, who, kind):
        assert phrases(decision) == refused
        assert not decision.changes


@pytest.mark.parametrize("verb", VERBS)
def test_a_ticket_one_may_not_see_is_answered_like_a_missing_one(verb: str) -> None:
    """Not a byte tells a restricted ticket from none at all."""
    said = slash(VERBS[verb].format(8), by="kim")
    assert decided(said, loaded(hr_ticket(), conversation=None)) == decided(said, Loaded())


@pytest.mark.parametrize("verb", ["claim", "resolve", "show", "reopen"])
def test_in_somebody_elses_thread_a_command_does_not_name_their_ticket(verb: str) -> None:
    """A bystander learns no number they could not see."""
    decision = decided(mention(verb, by="bob", at=ASKED), loaded(ticket()))
    assert phrases(decision) == {"error.which"}


def test_an_admin_named_in_a_restricted_team_works_there() -> None:
    """Restriction keeps admins out only where desk.yaml does not name them."""
    hr = replace(POLICY.teams["hr"], agents=("park", "ada"))
    policy = replace(POLICY, teams={**POLICY.teams, "hr": hr})
    decision = decided(slash("claim 8", by="ada"), loaded(hr_ticket()), policy=policy)
    assert changed(decision, Assign)


# --- owning --------------------------------------------------------------------------------------
def by_kim(command: str, found: Ticket | None = None, *, button: bool = False) -> Decision:
    said = press(command, by="kim", at=CARD) if button else mention(command, by="kim", at=CARD)
    return decided(said, loaded(found or ticket(), team_side=True))


def test_claiming_makes_an_owner_and_tells_everyone_once() -> None:
    """The agent, the requester and the team each hear it, and the card follows."""
    decision = by_kim("claim 7")
    assert changed(decision, Assign) == [Assign(ticket="t7", owner="kim")]
    assert [change.status for change in changed(decision, SetStatus)] == [Status.OPEN]
    assert phrases(decision) == {"done.claimed", "ticket.claimed", "event.claimed"}
    (card,) = [item.notice for item in decision.outgoing if isinstance(item.notice, Card)]
    assert card.owner is not None
    assert (card.owner.person, card.status) == ("kim", Status.OPEN)


def test_a_claim_is_not_a_first_response() -> None:
    """A change of status never meets the promise (SLA.md)."""
    assert not changed(by_kim("claim 7"), KeepClock)


@pytest.mark.parametrize("button", [True, False])
def test_claiming_twice_changes_nothing_and_says_so(button: bool) -> None:
    """The second press is answered too."""
    decision = by_kim("claim 7", ticket(owner="kim"), button=button)
    assert not decision.changes
    assert phrases(decision) == {"done.already_yours"}


def test_claiming_what_somebody_has_tells_who() -> None:
    """One owner: the later claim learns whose it is."""
    decision = by_kim("claim 7", ticket(owner="lee"))
    assert not decision.changes
    assert notice(decision, "error.taken").values["owner"] == "Lee"


def test_a_button_shows_its_effect_on_the_card_and_is_acknowledged() -> None:
    """No message to the presser beside the card's change."""
    decision = by_kim("claim 7", button=True)
    assert isinstance(decision.ack, Say)
    assert decision.ack.phrase == "done.claimed"
    assert "done.claimed" not in phrases(decision)


def test_assigning_pages_the_new_owner_in_their_language() -> None:
    """Kim reads Chinese, by desk.yaml, until her platform says otherwise."""
    decision = decided(mention("assign 7 kim", by="lee", at=CARD), loaded(ticket(), team_side=True))
    page = saying(decision, "page.assigned_you")
    assert isinstance(page.to, Direct)
    assert (page.to.person, page.language) == ("kim", Language.ZH_HANT)
    seen = decided(
        mention("assign 7 kim", by="lee", at=CARD),
        loaded(ticket(), team_side=True),
        people={"kim": person("kim", Language.KO)},
    )
    assert saying(seen, "page.assigned_you").language is Language.KO


def test_a_mention_names_the_new_owner() -> None:
    """By account, whatever name is shown."""
    said = mention("assign 7 @Kimmy", by="lee", at=CARD, mentions=(account("kim"),))
    assert changed(decided(said, loaded(ticket(), team_side=True)), Assign) == [Assign(ticket="t7", owner="kim")]


def test_assigning_to_the_same_agent_changes_nothing() -> None:
    """Said again, it is confirmed again."""
    decision = by_kim("assign 7 me", ticket(owner="kim"))
    assert not decision.changes
    assert phrases(decision) == {"done.assigned"}


@pytest.mark.parametrize("word", ["park", "nobody", "@Ann"])
def test_only_agents_of_the_team_can_be_assigned(word: str) -> None:
    """The reply lists who can."""
    decision = by_kim(f"assign 7 {word}")
    assert not decision.changes
    assert notice(decision, "error.who").values["agents"] == "Kim, Lee"


def test_releasing_gives_the_ticket_back_to_the_queue() -> None:
    """Open without an owner is new."""
    decision = by_kim("release 7", ticket(owner="kim"))
    assert changed(decision, Assign) == [Assign(ticket="t7", owner=None)]
    assert changed(decision, SetStatus)[0].status is Status.NEW
    assert not to_requester(decision)


# --- transfer --------------------------------------------------------------------------------------
def test_a_transfer_moves_the_card_and_tells_the_requester() -> None:
    """The old card says where it went; the new team gets one of its own."""
    decision = by_kim("transfer 7 finance", ticket(owner="kim"))
    assert changed(decision, Transfer) == [Transfer(ticket="t7", team="finance", restricted=False)]
    assert changed(decision, SetStatus)[0].status is Status.NEW
    gone = saying(decision, "event.transferred")
    assert isinstance(gone.to, OnSlot)
    assert gone.to.slot == card_slot("t7", "it")
    (card,) = [item for item in decision.outgoing if isinstance(item.notice, Card)]
    assert card.slot == card_slot("t7", "finance")
    assert isinstance(saying(decision, "ticket.moved_promise").to, InThread)


@pytest.mark.parametrize("where", [CARD, ASKED])
def test_a_transfer_to_a_restricted_team_is_told_privately(where: Thread) -> None:
    """Nobody else in the help channel learns that it went to HR, wherever the agent said so."""
    said = mention("transfer 7 hr", by="kim", at=where)
    decision = decided(said, loaded(ticket(), team_side=where is CARD))
    assert changed(decision, Transfer)[0].restricted
    moved = saying(decision, "ticket.moved_promise")
    assert moved.to == Direct(person="ann")
    assert moved.slot == promise_slot("t7")
    assert not [item for item in decision.outgoing if isinstance(item.to, InThread) and item.to.thread == ASKED]


def test_the_new_teams_card_is_in_its_own_language_and_channel() -> None:
    """HR reads Korean."""
    decision = by_kim("transfer 7 hr")
    (card,) = [item for item in decision.outgoing if isinstance(item.notice, Card)]
    assert isinstance(card.to, InThread)
    assert (card.language, card.to.thread.channel) == (Language.KO, HR_TRIAGE)


def test_a_transfer_to_the_same_team_changes_nothing() -> None:
    """It is confirmed all the same."""
    decision = by_kim("transfer 7 it")
    assert not decision.changes
    assert phrases(decision) == {"done.transferred"}


def test_a_transfer_to_an_unknown_team_lists_the_teams() -> None:
    """The error says what to do next."""
    assert notice(by_kim("transfer 7 legal"), "error.team").values["teams"] == "it, hr, finance"


# --- priority and words ------------------------------------------------------------------------------
def test_a_new_priority_retargets_the_clocks() -> None:
    """High promises the first answer within the hour."""
    decision = by_kim("priority 7 high")
    assert changed(decision, SetPriority) == [SetPriority(ticket="t7", priority=Priority.HIGH)]
    due = {change.clock.metric: change.due_at for change in changed(decision, KeepClock)}
    assert due[Metric.FIRST_RESPONSE] == NOW + timedelta(hours=1)


def test_the_same_priority_again_changes_nothing() -> None:
    """Idempotent, and confirmed."""
    decision = by_kim("priority 7 normal")
    assert not decision.changes
    assert phrases(decision) == {"done.priority"}


def test_a_reply_by_command_reaches_the_requester_in_their_language() -> None:
    """The words as they were written, under a heading the requester can read."""
    decision = decided(slash("reply 7 it is ready", by="kim"), loaded(ticket(language=Language.KO)))
    sent = saying(decision, "ticket.reply")
    assert isinstance(sent.notice, Say)
    assert (sent.language, sent.notice.quote) == (Language.KO, "it is ready")
    met = [change.clock for change in changed(decision, KeepClock)]
    assert [(clock.metric, clock.state) for clock in met] == [(Metric.FIRST_RESPONSE, ClockState.MET)]


def test_pending_with_a_question_asks_it_and_pauses_the_solution() -> None:
    """The question is a first response; the solution clock waits."""
    decision = by_kim("pending 7 which room?", ticket(owner="kim"))
    assert notice(decision, "ticket.pending").quote == "which room?"
    states = {change.clock.metric: change.clock.state for change in changed(decision, KeepClock)}
    assert states == {Metric.FIRST_RESPONSE: ClockState.MET, Metric.RESOLUTION: ClockState.PAUSED}


def test_pending_twice_without_words_changes_nothing() -> None:
    """There is nothing to ask and nothing to pause."""
    assert phrases(by_kim("pending 7", ticket(status=Status.PENDING))) == {"done.nothing"}


# --- the end ---------------------------------------------------------------------------------------
def test_resolving_with_last_words_tells_and_asks_for_a_rating() -> None:
    """The requester can rate, or say that it is not solved."""
    decision = by_kim("resolve 7 new cable", ticket(owner="kim"))
    told = notice(decision, "ticket.resolved")
    assert told.quote == "new cable"
    assert commands(told.choices) == ["rate 7 good", "rate 7 bad", "reopen 7"]
    assert [entry.entry.kind for entry in changed(decision, AddEntry)] == [EntryKind.REPLY, EntryKind.EVENT]


def test_the_requester_resolving_by_button_gets_a_visible_reply() -> None:
    """Their button stands on no card that could show the effect."""
    decision = decided(press("resolve 7", at=DM), loaded(ticket()))
    assert changed(decision, SetStatus)[0].status is Status.RESOLVED
    assert [item.notice.phrase for item in to_requester(decision) if isinstance(item.notice, Say)] == [
        "ticket.resolved_self"
    ]


def test_resolving_twice_changes_nothing() -> None:
    """The second time says that it is solved already."""
    assert phrases(by_kim("resolve 7", ticket(status=Status.RESOLVED), button=True)) == {"done.nothing"}


def test_reopening_gives_it_back_to_its_owner() -> None:
    """An owned ticket is open, an unowned one new."""
    decision = decided(press("reopen 7"), loaded(ticket(status=Status.RESOLVED, owner="kim")))
    assert changed(decision, SetStatus)[0].status is Status.OPEN
    assert phrases(decision) == {"ticket.reopened", "event.reopened"}


def test_the_requester_rates_once() -> None:
    """The team hears of it; the same rating again is only thanked for."""
    resolved = ticket(status=Status.RESOLVED)
    decision = decided(press("rate 7 good"), loaded(resolved))
    assert changed(decision, Rate) == [Rate(ticket="t7", rating="good")]
    assert phrases(decision) == {"ticket.rated", "event.rated"}
    again = decided(press("rate 7 good"), loaded(replace(resolved, rating="good")))
    assert not again.changes
    assert phrases(again) == {"ticket.rated"}


def test_agents_cannot_rate_their_own_help() -> None:
    """Rating is the requester's alone."""
    assert not decided(press("rate 7 good", by="kim"), loaded(ticket(status=Status.RESOLVED))).changes


# --- what is internal ------------------------------------------------------------------------------
SECRET = "the user is clueless"


@pytest.mark.parametrize(
    "said",
    [
        message(f"note: {SECRET}", by="kim", at=CARD),
        mention(f"note {SECRET}", by="kim", at=CARD),
        slash(f"note 7 {SECRET}", by="kim", at=LOBBY),
        message(f"@Lee {SECRET}", by="kim", at=CARD, mentions=(account("lee"),)),
        mention(f"look, {SECRET}", by="kim", at=CARD),
        message(SECRET, by="bob", at=CARD),
        message(f"note: {SECRET}", by="kim", at=CARD, kind=Kind.EDIT),
    ],
)
@pytest.mark.parametrize("found", [ticket(), ticket(home=None)])
def test_internal_words_never_reach_the_requester(said: Message, found: Ticket) -> None:
    """Notes, words to a colleague, failed commands and strangers' words stay with the team."""
    decision = decided(said, loaded(found, team_side=said.thread == CARD.root))
    assert not [item for item in to_requester(decision) if SECRET in repr(item.notice)]


def test_a_note_from_elsewhere_is_shown_under_the_card() -> None:
    """The team reads it where it works."""
    decision = decided(slash("note 7 they called", by="kim"), loaded(ticket(), conversation=None))
    assert changed(decision, AddEntry)[0].entry.kind is EntryKind.NOTE
    assert [item.notice.phrase for item in to_team(decision) if isinstance(item.notice, Say)] == ["thread.note"]


def test_everything_under_the_card_is_in_the_teams_language() -> None:
    """Park's team reads Korean, whoever wrote."""
    decision = decided(slash("claim 8", by="park"), loaded(hr_ticket()))
    event = saying(decision, "event.claimed")
    assert isinstance(event.to, UnderSlot)
    assert (event.language, event.to.channel) == (Language.KO, HR_TRIAGE)
    confirmed = saying(decision, "done.claimed")
    assert isinstance(confirmed.to, Privately)
    assert confirmed.language is Language.EN
    assert saying(by_kim("claim 7"), "event.claimed").to.bucket == TRIAGE.key
