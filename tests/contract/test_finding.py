"""What a turn finds: which ticket a message is about, on every storage."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import mark_sent
from tests.contract.storages import (
    ANN,
    ASKED,
    AT,
    CHAT,
    HELP,
    LEE,
    TRIAGE,
    Bench,
    clock,
    conversation,
    converse,
    deliver,
    kept_clock,
    lease,
    load,
    minutes,
    open_ticket,
    record,
    sent_as,
    words,
)
from triage.changes import (
    AddEntry,
    Converse,
    Meet,
)
from triage.errors import Unsettled
from triage.model import Entry, EntryKind, Status, Thread
from triage.outgoing import card_slot
from triage.policy import Metric
from triage.ports import Lookup


# --- what a turn finds ---------------------------------------------------------------------------
def test_nothing_known_loads_nothing(bench: Bench) -> None:
    """A new thread has neither conversation nor ticket."""
    loaded = load(bench.storage)
    assert (loaded.conversation, loaded.ticket, loaded.team_side) == (None, None, False)


def test_a_thread_finds_its_conversation_and_ticket(bench: Bench) -> None:
    """The conversation of the thread leads to its ticket."""
    opened = open_ticket(bench.storage)
    kept = converse(bench.storage, ticket="t1", article="vpn", reasons=("because",))
    loaded = load(bench.storage)
    assert (loaded.conversation, loaded.ticket, loaded.team_side) == (kept, opened, False)


def test_a_number_comes_before_the_thread(bench: Bench) -> None:
    """`claim 2` in the thread of ticket 1 means ticket 2."""
    open_ticket(bench.storage, 1)
    second = open_ticket(bench.storage, 2)
    converse(bench.storage, ticket="t1")
    assert load(bench.storage, number=2).ticket == second


def test_a_card_s_thread_is_the_team_s_side_of_its_ticket(bench: Bench) -> None:
    """A reply under a ticket card is about that ticket, from the team's side."""
    opened = open_ticket(bench.storage)
    card = words("card", Thread(channel=TRIAGE), slot=card_slot("t1", "it"), ticket="t1")
    deliver(bench.storage, card, sent_as("200.1", TRIAGE))
    loaded = load(bench.storage, Thread(channel=TRIAGE, root="200.1"))
    assert (loaded.ticket, loaded.team_side) == (opened, True)


def test_words_under_a_card_that_may_have_arrived_come_again(bench: Bench) -> None:
    """A process that died after the post leaves it unknown: an agent's words below it must not be nobody's."""
    opened = open_ticket(bench.storage)
    card = words("card", Thread(channel=TRIAGE), slot=card_slot("t1", "it"), ticket="t1")
    record(bench.storage, said=(card,))
    parcel = lease(bench.storage.outbox)["card"]
    under = Thread(channel=TRIAGE, root="200.1")
    with pytest.raises(Unsettled):
        load(bench.storage, under)
    bench.storage.outbox.later(parcel, 1, "the answer was lost")
    with pytest.raises(Unsettled):
        load(bench.storage, under)
    bench.expire()
    mark_sent(bench.storage.outbox, lease(bench.storage.outbox)["card"], sent_as("200.1", TRIAGE))
    assert load(bench.storage, under).ticket == opened


@pytest.mark.parametrize(
    ("here", "known"),
    [
        (Thread(channel=HELP, root="200.1"), {}),
        (Thread(channel=TRIAGE, root="200.1"), {"root": None}),
        (Thread(channel=TRIAGE, root="200.1"), {"number": 1}),
    ],
    ids=["another channel", "no thread", "the number is named"],
)
def test_a_card_in_doubt_holds_up_nothing_else(bench: Bench, here: Thread, known: dict[str, object]) -> None:
    """Only what stands in a thread of its channel, says no number, and belongs to nothing that is known."""
    open_ticket(bench.storage)
    card = words("card", Thread(channel=TRIAGE), slot=card_slot("t1", "it"), ticket="t1")
    record(bench.storage, said=(card,))
    lease(bench.storage.outbox)
    load(bench.storage, here, **known)


def test_the_same_id_in_another_channel_is_no_card(bench: Bench) -> None:
    """Message ids are unique in one channel only."""
    open_ticket(bench.storage)
    card = words("card", Thread(channel=TRIAGE), slot=card_slot("t1", "it"), ticket="t1")
    deliver(bench.storage, card, sent_as("200.1", TRIAGE))
    assert load(bench.storage, Thread(channel=HELP, root="200.1")).ticket is None


def test_a_reply_to_a_message_of_the_bot_finds_what_it_was_about(bench: Bench) -> None:
    """A thread that hangs on the bot's own post belongs to that post's ticket and conversation."""
    opened = open_ticket(bench.storage)
    kept = converse(bench.storage, ticket="t1")
    ping = words("ping", Thread(channel=CHAT), ticket="t1", conversation=kept.key)
    deliver(bench.storage, ping, sent_as("300.1", CHAT))
    loaded = load(bench.storage, Thread(channel=CHAT, root="300.1"), flat=True)
    assert (loaded.ticket, loaded.conversation, loaded.team_side) == (opened, kept, False)


def test_a_reply_to_an_answer_finds_the_ticket_opened_since(bench: Bench) -> None:
    """A post made before there was a ticket leads to it through its conversation."""
    converse(bench.storage)
    deliver(bench.storage, words("answer", conversation=ASKED.key), sent_as("300.1"))
    opened = open_ticket(bench.storage)
    converse(bench.storage, ticket="t1")
    assert load(bench.storage, Thread(channel=HELP, root="300.1")).ticket == opened


def test_a_direct_chat_finds_the_newest_open_private_ticket(bench: Bench) -> None:
    """What is answered by direct message is continued there."""
    open_ticket(bench.storage, 1)
    newest = open_ticket(bench.storage, 2)
    open_ticket(bench.storage, 3, home=ASKED)
    open_ticket(bench.storage, 4, status=Status.RESOLVED)
    open_ticket(bench.storage, 5, requester="bob")
    kept = converse(bench.storage, Thread(channel=CHAT))
    loaded = load(bench.storage, Thread(channel=CHAT), flat=True)
    assert (loaded.ticket, loaded.conversation) == (newest, kept)


def test_a_direct_chat_s_own_open_ticket_comes_first(bench: Bench) -> None:
    """A flat chat with an open ticket goes on with it."""
    own = open_ticket(bench.storage, 1, home=Thread(channel=CHAT))
    open_ticket(bench.storage, 2)
    converse(bench.storage, Thread(channel=CHAT), ticket="t1")
    assert load(bench.storage, Thread(channel=CHAT), flat=True).ticket == own


def test_a_direct_chat_s_ended_ticket_is_found_when_nothing_is_open(bench: Bench) -> None:
    """A word of thanks after the resolution still finds its ticket."""
    own = open_ticket(bench.storage, 1, status=Status.RESOLVED)
    converse(bench.storage, Thread(channel=CHAT), ticket="t1")
    assert load(bench.storage, Thread(channel=CHAT), flat=True).ticket == own


def test_a_channel_thread_never_finds_a_private_ticket(bench: Bench) -> None:
    """Only a chat without threads stands for all of a person's private tickets."""
    open_ticket(bench.storage)
    assert load(bench.storage, Thread(channel=HELP, root="9.9")).ticket is None


def test_a_ticket_is_loaded_with_people_clocks_and_first_message(bench: Bench) -> None:
    """The situation holds what a decision needs of a ticket."""
    open_ticket(bench.storage, owner="lee")
    kim = replace(LEE, id="kim", name="Kim", account=None)
    note = Entry(at=AT, kind=EntryKind.NOTE, author="kim", text="looking")
    resolution, first = clock(metric=Metric.RESOLUTION), clock()
    record(
        bench.storage,
        Meet(person=LEE),
        Meet(person=kim),
        AddEntry(ticket="t1", entry=note),
        kept_clock(kept=resolution),
        kept_clock(kept=first, next_at=minutes(30)),
    )
    loaded = load(bench.storage, number=1)
    assert loaded.people == {"ann": ANN, "lee": LEE, "kim": kim}
    assert loaded.clocks == (first, resolution)
    assert loaded.opening == "Request 1"


def test_a_fresh_thread_hangs_on_no_message_of_the_bot(bench: Bench) -> None:
    """A post at the top of a channel is the root of its own thread; what was asked there is found all the same."""
    fresh = Lookup(sender="ann", here=ASKED, root=None, flat=False, fresh=True)
    record(bench.storage, Converse(conversation=conversation()))
    with bench.storage.writing() as work:
        assert work.load(fresh).conversation == conversation()


# --- is it talk? ---------------------------------------------------------------------------------
def test_a_thread_in_which_somebody_asked_is_known(bench: Bench) -> None:
    """So is one that hangs on a message of the bot; others are people's own."""
    record(bench.storage, Converse(conversation=conversation()))
    deliver(bench.storage, words("o1", Thread(channel=TRIAGE)), sent_as("200.1", TRIAGE))
    under, elsewhere = Thread(channel=TRIAGE, root="200.1"), Thread(channel=HELP, root="200.1")
    with bench.storage.reading() as reading:
        assert [reading.knows(thread) for thread in (ASKED, under, elsewhere)] == [True, True, False]
