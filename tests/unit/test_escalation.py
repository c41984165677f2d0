"""How an escalation chain is walked: by the timer, by somebody who asks for help, after an acknowledgement."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from triage.calendars import ALWAYS, Calendar, Window
from triage.chain import Chain, ChainStep, Notify, Raise, Reassign, Repeat, Wait, Whom
from triage.escalation import (
    Act,
    AssignTo,
    Call,
    CallChannel,
    CallTeam,
    Moment,
    Nobody,
    People,
    Position,
    RaiseTo,
    Walked,
    acknowledged,
    begun,
    called_for,
    due,
    expired,
)
from triage.model import Channel, Platform, Priority

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EVERYBODY = People(owner="kim", lead="lee", on_call="ann")
OFFICE = Calendar(windows=tuple(Window(day=day, opens=9 * 3_600, closes=17 * 3_600) for day in range(5)))
OWNER, LEAD, ON_CALL, TEAM = (Notify(whom=whom) for whom in Whom)
WAIT = Wait(seconds=600)
ROOM = Channel(platform=Platform.SLACK, place="T1", id="C1")
USUAL = Chain()


def chain(*steps: ChainStep) -> Chain:
    return Chain(steps=steps)


def moment(
    at: datetime = NOW,
    *,
    people: People = EVERYBODY,
    priority: Priority = Priority.NORMAL,
    calendar: Calendar = ALWAYS,
) -> Moment:
    return Moment(at=at, calendar=calendar, people=people, priority=priority)


def acts(*steps: ChainStep, people: People = EVERYBODY, priority: Priority = Priority.NORMAL) -> tuple[Act, ...]:
    """What a fresh run of these steps does at once."""
    return begun(chain(*steps), "r1", moment(people=people, priority=priority)).acts


def rounds(steps: Chain, people: People = EVERYBODY) -> list[tuple[Act, ...]]:
    """What each walk does until nothing more comes by itself."""
    walked = begun(steps, "r1", moment(people=people))
    done = [walked.acts]
    while walked.position.next_at is not None:
        walked = due(steps, walked.position, moment(walked.position.next_at, people=people))
        done.append(walked.acts)
    return done


def ask(
    steps: Chain,
    position: Position,
    *,
    asking: str = "req",
    called: tuple[str, ...] = (),
    at: datetime = NOW,
    people: People = EVERYBODY,
) -> Walked:
    return called_for(steps, position, moment(at, people=people), run="r9", asking=asking, called=called)


# --- the timer ---------------------------------------------------------------------------------
def test_fresh_run_goes_up_to_the_first_wait() -> None:
    """The owner is called at once, the lead ten minutes later."""
    walked = begun(USUAL, "r1", moment())
    assert walked.acts == (Call("kim"),)
    assert walked.position == Position(run="r1", step=2, next_at=NOW + 10 * MINUTE)


def test_timer_goes_on_to_the_next_wait_until_the_end() -> None:
    """One after the other, the team last."""
    assert rounds(USUAL) == [(Call("kim"),), (Call("lee"),), (Call("ann"),), (CallTeam(),)]


def test_run_stays_after_the_last_step() -> None:
    """Whoever was called can still acknowledge."""
    walked = begun(chain(OWNER), "r1", moment())
    assert walked.position == Position(run="r1", step=1)


def test_wait_is_time_of_the_policy() -> None:
    """On Friday evening the next step is Monday's."""
    friday = datetime(2026, 3, 6, 16, 55, tzinfo=UTC)
    walked = begun(USUAL, "r1", moment(friday, calendar=OFFICE))
    assert walked.position.next_at == datetime(2026, 3, 9, 9, 5, tzinfo=UTC)


def test_timer_that_comes_too_early_does_nothing() -> None:
    """A step is taken when its time has come, once."""
    position = begun(USUAL, "r1", moment()).position
    assert due(USUAL, position, moment(NOW + 9 * MINUTE)) == Walked(position=position)


def test_timer_does_nothing_after_an_acknowledgement() -> None:
    """Somebody looks after it."""
    position = begun(USUAL, "r1", moment()).position
    held = acknowledged(USUAL, position, by="kim", at=NOW, calendar=ALWAYS)
    assert due(USUAL, held, moment(NOW + 90 * MINUTE)) == Walked(position=held)


def test_every_step_has_its_own_name() -> None:
    """What is kept under the name of an earlier step is known as stale."""
    steps = chain(OWNER, WAIT, LEAD, WAIT, Repeat(times=2))
    walked = begun(steps, "r1", moment())
    names = [walked.position.id]
    while walked.position.next_at is not None:
        walked = due(steps, walked.position, moment(walked.position.next_at))
        names.append(walked.position.id)
    assert len(set(names)) == len(names) == 7


def test_chain_that_became_shorter_ends() -> None:
    """A position behind the last step is the end."""
    walked = due(chain(OWNER), Position(run="r1", step=9, next_at=NOW), moment())
    assert walked == Walked(position=Position(run="r1", step=1))


# --- empty roles -------------------------------------------------------------------------------
def test_empty_role_is_told_and_passed_over_with_its_wait() -> None:
    """Nobody has to react, so that nobody is waited for."""
    walked = begun(USUAL, "r1", moment(people=People(lead="lee")))
    assert walked.acts == (Nobody(0), Call("lee"))
    assert walked.position.step == 4


def test_empty_rota_goes_on_to_the_team_at_once() -> None:
    """The chain never stops at a role that nobody fills."""
    assert rounds(USUAL, People()) == [(Nobody(0), Nobody(2), Nobody(4), CallTeam())]


def test_wait_after_an_empty_role_is_kept_for_somebody_called_before_it() -> None:
    """The lead has their ten minutes, though nobody is on call."""
    walked = begun(chain(LEAD, ON_CALL, WAIT, TEAM), "r1", moment(people=People(lead="lee")))
    assert walked.acts == (Call("lee"), Nobody(1))
    assert walked.position.next_at == NOW + 10 * MINUTE


def test_only_the_wait_of_the_empty_role_is_passed_over() -> None:
    """A second one is waited."""
    walked = begun(chain(OWNER, WAIT, Wait(seconds=60), TEAM), "r1", moment(people=People()))
    assert walked.position == Position(run="r1", step=3, next_at=NOW + MINUTE)


def test_wait_that_the_calendar_never_gives_is_passed_over() -> None:
    """A calendar without hours must not silence a chain."""
    assert begun(USUAL, "r1", moment(calendar=Calendar())).acts == (
        Call("kim"),
        Call("lee"),
        Call("ann"),
        CallTeam(),
    )


# --- single steps ------------------------------------------------------------------------------
def test_persons_channels_and_the_team_are_called() -> None:
    """Whoever a step names."""
    assert acts(Notify(person="sam"), Notify(channel=ROOM), TEAM) == (Call("sam"), CallChannel(ROOM), CallTeam())


def test_person_with_two_roles_is_called_once() -> None:
    """One call at a time is enough."""
    assert acts(OWNER, LEAD, people=People(owner="kim", lead="kim")) == (Call("kim"),)


def test_priority_is_raised_and_never_lowered() -> None:
    """A step below, or at, the present priority is nothing."""
    steps = Raise(priority=Priority.HIGH), Raise(priority=Priority.NORMAL), Raise(priority=Priority.HIGH)
    assert acts(*steps) == (RaiseTo(Priority.HIGH),)
    assert acts(*steps, priority=Priority.URGENT) == ()


def test_new_owner_is_the_owner_of_the_steps_that_follow() -> None:
    """Who is called as owner is who owns it by then."""
    assert acts(Reassign(whom=Whom.LEAD), OWNER) == (AssignTo("lee"), Call("lee"))


def test_owner_is_not_made_owner() -> None:
    """Nothing changes, so nothing is done."""
    assert acts(Reassign(person="kim")) == ()


def test_ticket_is_not_given_to_nobody() -> None:
    """An empty rota keeps the owner."""
    assert acts(Reassign(whom=Whom.ON_CALL), people=People(owner="kim")) == (Nobody(0),)


# --- from the beginning again ------------------------------------------------------------------
def test_chain_is_repeated_so_many_times() -> None:
    """Twice more is three times in all; then what follows."""
    steps = chain(OWNER, WAIT, Repeat(times=2), TEAM)
    assert rounds(steps) == [(Call("kim"),), (Call("kim"),), (Call("kim"),), (CallTeam(),)]


def test_chain_without_a_wait_is_not_repeated() -> None:
    """It would call the same people again in the same second."""
    assert rounds(chain(OWNER, Repeat(times=5), TEAM)) == [(Call("kim"), CallTeam())]


def test_chain_that_waits_for_nobody_is_not_repeated_for_ever() -> None:
    """Where all roles are empty it goes round once, and on."""
    walked = begun(chain(OWNER, WAIT, Repeat(times=1_000_000), TEAM), "r1", moment(people=People()))
    assert walked.acts == (Nobody(0), CallTeam())


# --- somebody asks for help --------------------------------------------------------------------
def test_call_for_help_begins_a_chain() -> None:
    """The first step is taken, and the timer goes on from its wait."""
    walked = ask(USUAL, Position())
    assert walked == Walked(position=Position(run="r9", step=2, next_at=NOW + 10 * MINUTE), acts=(Call("kim"),))


def test_call_for_help_passes_over_the_wait() -> None:
    """The lead is called now, and the one on call ten minutes from now."""
    position = begun(USUAL, "r1", moment()).position
    walked = ask(USUAL, position, at=NOW + 3 * MINUTE, called=("kim",))
    assert walked.acts == (Call("lee"),)
    assert walked.position == Position(run="r1", step=4, next_at=NOW + 13 * MINUTE)


def test_call_for_help_passes_over_the_one_who_asks() -> None:
    """An owner who needs help is not called to help."""
    assert ask(USUAL, Position(), asking="kim").acts == (Call("lee"),)


def test_call_for_help_passes_over_whoever_was_called_before() -> None:
    """The asker is told of somebody new."""
    assert ask(USUAL, Position(), called=("kim", "lee")).acts == (Call("ann"),)


def test_call_for_help_tells_of_empty_roles() -> None:
    """They are passed over, and not in silence."""
    assert ask(USUAL, Position(), people=People(lead="lee")).acts == (Nobody(0), Call("lee"))


def test_call_for_help_raises_and_reassigns_on_the_way() -> None:
    """Steps that call nobody belong to the call they stand by."""
    steps = chain(Raise(priority=Priority.HIGH), LEAD, Reassign(whom=Whom.LEAD), WAIT, TEAM)
    walked = ask(steps, Position())
    assert walked.acts == (RaiseTo(Priority.HIGH), Call("lee"), AssignTo("lee"))
    assert walked.position == Position(run="r9", step=4, next_at=NOW + 10 * MINUTE)


def test_call_for_help_calls_one_of_two_who_stand_together() -> None:
    """The other one is called after the wait behind both."""
    steps = chain(LEAD, ON_CALL, WAIT, TEAM)
    walked = ask(steps, Position())
    assert walked.acts == (Call("lee"),)
    assert walked.position == Position(run="r9", step=1, next_at=NOW + 10 * MINUTE)


def test_call_for_help_keeps_the_timer_where_no_wait_follows() -> None:
    """What is left of the chain still comes by itself."""
    steps = chain(WAIT, OWNER, LEAD)
    walked = ask(steps, begun(steps, "r1", moment()).position, at=NOW + MINUTE)
    assert walked.acts == (Call("kim"),)
    assert walked.position == Position(run="r1", step=2, next_at=NOW + 10 * MINUTE)


def test_call_for_help_past_the_end_calls_the_team_again() -> None:
    """There is always somebody to call."""
    position = Position(run="r1", step=7)
    assert ask(USUAL, position) == Walked(position=position, acts=(CallTeam(),))


def test_call_for_help_leaves_the_timer_when_nobody_new_is_left() -> None:
    """The chain is repeated as it would have been."""
    steps = chain(OWNER, WAIT, Repeat(times=3))
    position = begun(steps, "r1", moment()).position
    assert ask(steps, position, called=("kim",)) == Walked(position=position, acts=(CallTeam(),))


def test_call_for_help_finds_a_new_owner_in_the_next_round() -> None:
    """Going back is the next step too."""
    steps = chain(OWNER, WAIT, Repeat(times=1))
    position = begun(steps, "r1", moment()).position
    walked = ask(steps, position, called=("kim",), people=replace(EVERYBODY, owner="bo"))
    assert walked.acts == (Call("bo"),)
    assert walked.position == Position(run="r1", step=2, round=1, next_at=NOW + 10 * MINUTE)


def test_call_for_help_ends_an_acknowledgement() -> None:
    """Whoever looked after it was not enough: the next one is called, and the timer runs again."""
    position = begun(USUAL, "r1", moment()).position
    held = acknowledged(USUAL, position, by="kim", at=NOW, calendar=ALWAYS)
    walked = ask(USUAL, held, called=("kim",), at=NOW + 6 * MINUTE)
    assert walked.position == Position(run="r1", step=4, next_at=NOW + 16 * MINUTE)


# --- acknowledgement ---------------------------------------------------------------------------
def test_acknowledgement_holds_for_time_of_the_policy() -> None:
    """An hour given at half past four on Friday ends at half past nine on Monday."""
    friday = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
    position = acknowledged(USUAL, Position(run="r1", step=2), by="kim", at=friday, calendar=OFFICE)
    monday = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
    assert position == Position(run="r1", step=2, acked_by="kim", next_at=monday)


def test_acknowledgement_of_no_run_is_nothing() -> None:
    """What has not begun need not rest."""
    assert acknowledged(USUAL, Position(), by="kim", at=NOW, calendar=ALWAYS) == Position()


def test_acknowledgement_under_a_calendar_without_hours_never_ends() -> None:
    """Its hour never passes."""
    position = acknowledged(USUAL, Position(run="r1", step=2), by="kim", at=NOW, calendar=Calendar())
    assert position == Position(run="r1", step=2, acked_by="kim")


def test_acknowledgement_that_ran_out_begins_a_new_run() -> None:
    """From the first step, and what was said under the old run is stale."""
    held = Position(run="r1", step=7, round=1, acked_by="kim", next_at=NOW)
    assert expired(USUAL, held, "r2", moment()) == begun(USUAL, "r2", moment())


def test_acknowledgement_that_holds_is_left_alone() -> None:
    """Neither one that has time left, nor a chain that waits for its next step, begins again."""
    held = Position(run="r1", step=2, acked_by="kim", next_at=NOW + MINUTE)
    waiting = Position(run="r1", step=2, next_at=NOW)
    assert expired(USUAL, held, "r2", moment()) == Walked(position=held)
    assert expired(USUAL, waiting, "r2", moment()) == Walked(position=waiting)
