"""What the outbox promises to delivery, on every storage: nothing lost, nothing doubled, lanes in order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

from tests.builders import mark_sent
from tests.contract.storages import (
    ASKED,
    AT,
    CARD,
    CHAT,
    GUARD,
    HELP,
    TRIAGE,
    Bench,
    deliver,
    lease,
    minutes,
    record,
    reminder,
    said,
    sent_as,
    words,
)
from triage.layout import fallback
from triage.model import Status, Thread
from triage.outgoing import (
    Answer,
    At,
    Choice,
    Help,
    HistoryLine,
    InThread,
    Notice,
    Pings,
    Say,
    StepGuard,
    Suggestions,
    Term,
    TicketView,
    Who,
)

NOTICES: tuple[Notice, ...] = (
    Say(
        phrase="error.failed",
        values={
            "id": "7",
            "n": 7,
            "who": Who(person="ann", name="Ann"),
            "at": At(at=AT),
            "status": Term(term="status.open"),
        },
        quote='VPN?\n안녕 你好 "quoted"',
        choices=(Choice(label="card.claim", command="claim 1", style="primary", values={"n": 1}),),
    ),
    Answer(article="vpn", title="VPN", body="# Steps", team="IT", confirm=False),
    Suggestions(articles=(("vpn", "VPN"), ("mail", "Mail"))),
    CARD,
    replace(CARD, owner=Who(person="lee", name="Lee"), status=Status.RESOLVED, clocks=()),
    Pings(reminders=(reminder(), reminder(StepGuard(ticket="t1", run="r1"))), held=2),
    TicketView(card=CARD, history=(HistoryLine(at=At(at=AT), author=None, what="entry.note", text="x"),)),
    Help(verbs=("claim", "release")),
)


# --- lanes ---------------------------------------------------------------------------------------
def test_a_row_is_leased_whole(bench: Bench) -> None:
    """Delivery gets the row as it was recorded, with its English fallback and when it was made."""
    row = words("o1", slot="promise:t1", ticket="t1", conversation=ASKED.key, guard=GUARD, rank=1)
    record(bench.storage, said=(row,), at=minutes(3))
    parcel = lease(bench.storage.outbox)["o1"]
    assert (parcel.outgoing, parcel.fallback, parcel.created_at) == (row, fallback(row.notice), minutes(3))
    assert (parcel.doubtful, parcel.tries, parcel.ref, parcel.account) == (False, 0, None, None)


def test_every_notice_survives(bench: Bench) -> None:
    """What is said comes back as the same value, of whatever kind it is."""
    rows = [said(notice, key=f"o{n}", to=InThread(thread=ASKED, order=f"lane{n}")) for n, notice in enumerate(NOTICES)]
    record(bench.storage, said=tuple(rows))
    assert {key: parcel.outgoing for key, parcel in lease(bench.storage.outbox).items()} == {r.key: r for r in rows}


def test_a_key_written_twice_is_written_once(bench: Bench) -> None:
    """Also after it was sent."""
    deliver(bench.storage, words("o1"), sent_as("1.1"))
    record(bench.storage, said=(words("o1"),))
    assert bench.storage.outbox.pending() == 0


def test_a_lane_is_delivered_in_order(bench: Bench) -> None:
    """The second row of a lane waits until the first is sent."""
    record(bench.storage, said=(words("o1"), words("o2")))
    outbox = bench.storage.outbox
    first = lease(outbox)
    assert list(first) == ["o1"]
    assert lease(outbox) == {}
    mark_sent(outbox, first["o1"], sent_as("1.1"))
    assert list(lease(outbox)) == ["o2"]


def test_a_row_put_off_holds_its_lane(bench: Bench) -> None:
    """What waits for a retry is still before what comes after it; other lanes go on."""
    record(bench.storage, said=(words("o1"), words("o2"), words("o3", Thread(channel=CHAT))))
    outbox = bench.storage.outbox
    outbox.later(lease(outbox)["o1"], 30, "429")
    assert lease(outbox) == {}
    bench.expire()
    assert lease(outbox)["o1"].tries == 1


def test_a_row_put_off_keeps_why_and_is_not_in_doubt(bench: Bench) -> None:
    """A try that was answered is not a try that vanished."""
    record(bench.storage, said=(words("o1"),))
    outbox = bench.storage.outbox
    outbox.later(lease(outbox)["o1"], 0, "429")
    assert lease(outbox)["o1"].doubtful is False


def test_a_row_given_up_lets_its_lane_move_on(bench: Bench) -> None:
    """One lost message does not stop those behind it."""
    record(bench.storage, said=(words("o1"), words("o2")))
    outbox = bench.storage.outbox
    outbox.failed(lease(outbox)["o1"], "channel_not_found", AT)
    assert list(lease(outbox)) == ["o2"]


def test_giving_a_row_up_puts_word_of_it_in_its_place(bench: Bench) -> None:
    """In one transaction: a process that dies in between would leave nobody who knows."""
    record(bench.storage, said=(words("o1"),))
    outbox = bench.storage.outbox
    outbox.failed(lease(outbox)["o1"], "channel_not_found", AT, [words("o1/undelivered")])
    assert list(lease(outbox)) == ["o1/undelivered"]


def test_nothing_is_told_of_a_row_that_somebody_else_has_by_now(bench: Bench) -> None:
    """It may arrive yet."""
    record(bench.storage, said=(words("o1"),))
    outbox = bench.storage.outbox
    lost = lease(outbox)["o1"]
    bench.expire()
    lease(outbox)
    outbox.failed(lost, "late", AT, [words("o1/undelivered", Thread(channel=CHAT))])
    assert list(lease(outbox)) == []


def test_a_row_dropped_lets_its_lane_move_on(bench: Bench) -> None:
    """What need not be said any more counts neither as pending nor as failed."""
    record(bench.storage, said=(words("o1"), words("o2")))
    bench.storage.outbox.dropped(lease(bench.storage.outbox)["o1"], "answered meanwhile")
    health = bench.storage.health()
    assert (health.pending, health.failed_rows) == (1, ())


def test_replies_go_before_cards(bench: Bench) -> None:
    """By rank, then by age, as many as asked for."""
    rows = [words(f"o{n}", Thread(channel=HELP, root=str(n)), rank=rank) for n, rank in enumerate((1, 0, 0))]
    record(bench.storage, said=tuple(rows))
    assert [parcel.outgoing.key for parcel in bench.storage.outbox.lease(2)] == ["o1", "o2"]


def test_a_slow_bucket_is_skipped_alone(bench: Bench) -> None:
    """One 429 slows one channel."""
    record(bench.storage, said=(words("o1"), words("o2", Thread(channel=CHAT))))
    assert list(lease(bench.storage.outbox, skip=frozenset({HELP.key, TRIAGE.key}))) == ["o2"]


# --- leases --------------------------------------------------------------------------------------
def test_a_lease_that_ran_out_is_in_doubt(bench: Bench) -> None:
    """A crash between send and mark: the next one is told that it may have been sent."""
    record(bench.storage, said=(words("o1"),))
    lease(bench.storage.outbox)
    bench.expire()
    parcel = lease(bench.storage.outbox)["o1"]
    assert (parcel.doubtful, parcel.tries) == (True, 1)


def test_an_old_token_marks_nothing(bench: Bench) -> None:
    """Who lost the lease cannot mark the row sent, failed or put off."""
    record(bench.storage, said=(words("o1"),))
    outbox = bench.storage.outbox
    lost = lease(outbox)["o1"]
    bench.expire()
    held = lease(outbox)["o1"]
    outbox.failed(lost, "late", AT)
    outbox.later(lost, 0, "late")
    assert (mark_sent(outbox, lost, sent_as("1.1")), mark_sent(outbox, held, sent_as("1.2"))) == (False, True)


def test_sent_twice_is_sent_once(bench: Bench) -> None:
    """A token is good for one mark."""
    record(bench.storage, said=(words("o1"),))
    parcel = lease(bench.storage.outbox)["o1"]
    assert [mark_sent(bench.storage.outbox, parcel, None) for _ in range(2)] == [True, False]


def test_two_deliveries_share_the_rows(bench: Bench) -> None:
    """Leasing at once, no row is leased twice and none is left."""
    lanes = [words(f"o{n}", Thread(channel=HELP, root=str(n))) for n in range(20)]
    record(bench.storage, said=tuple(lanes))
    start = Barrier(2)

    def deliver_some() -> list[str]:
        start.wait(5)
        return [key for _ in range(5) for key in lease(bench.storage.outbox, 4)]

    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(deliver_some) for _ in range(2))
        leased = first.result(20) + second.result(20)
    assert sorted(leased) == sorted(row.key for row in lanes)
