"""What the outbox promises to delivery, on every storage: nothing lost, nothing doubled, lanes in order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

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
    deliver,
    keep_clock,
    lease,
    message,
    minutes,
    open_ticket,
    record,
    sent_as,
    words,
)
from triage.changes import Meet
from triage.layout import fallback
from triage.model import Account, Channel, ChannelKind, Language, MessageRef, Platform, Priority, Status, Thread
from triage.outgoing import (
    Answer,
    At,
    Card,
    Choice,
    Direct,
    Guard,
    Help,
    HistoryLine,
    InThread,
    Notice,
    OnSlot,
    Outgoing,
    Privately,
    Reasons,
    Say,
    Suggestions,
    Term,
    TicketLine,
    TicketList,
    TicketView,
    UnderSlot,
    Who,
)
from triage.policy import Metric
from triage.ports import Address
from triage.sla import ClockEvent, ClockEventKind, ClockState

CARDS = Thread(channel=TRIAGE)
SLOT = "card:t1:it"
UPDATE = OnSlot(slot=SLOT, lane=SLOT, bucket=TRIAGE.key)
UNDER = UnderSlot(slot=SLOT, channel=TRIAGE, lane=SLOT)
GUARD = Guard(ticket="t1", metric=Metric.FIRST_RESPONSE, instance=1, revision=1)
TEAMS_ANN = Account(platform=Platform.TEAMS, place="tenant", user="29:ann")
TEAMS_CHAT = Channel(platform=Platform.TEAMS, place="tenant", id="a:1", kind=ChannelKind.DM)
TEAMS_HELP = Channel(platform=Platform.TEAMS, place="tenant", id="19:help")
CARD = Card(
    number=1,
    subject="VPN down",
    text="It <b>fails</b>",
    requester=Who(person="ann", name="Ann"),
    team="IT",
    status=Status.NEW,
    priority=Priority.NORMAL,
    owner=None,
    opened=At(at=AT),
    due=((Metric.FIRST_RESPONSE, At(at=AT, zone="Asia/Seoul")),),
)
NOTICES: tuple[Notice, ...] = (
    Say(
        phrase="error.failed",
        values={"id": "7", "n": 7, "who": Who(person="ann", name="Ann"), "at": At(at=AT), "status": Term(term="status.open")},
        quote='VPN?\n안녕 你好 "quoted"',
        choices=(Choice(label="card.claim", command="claim 1", style="primary", values={"n": 1}),),
    ),
    Answer(article="vpn", title="VPN", body="# Steps", team="IT", confirm=False),
    Suggestions(articles=(("vpn", "VPN"), ("mail", "Mail"))),
    CARD,
    replace(CARD, owner=Who(person="lee", name="Lee"), resolved=True, due=()),
    TicketView(card=CARD, history=(HistoryLine(at=At(at=AT), author=None, what="entry.note", text="x"),)),
    Help(verbs=("claim", "release")),
)


def said(notice: Notice, **changes: Any) -> Outgoing:
    return replace(words("o1"), notice=notice, **changes)


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
    outbox.sent(first["o1"], sent_as("1.1"))
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
    outbox.failed(lease(outbox)["o1"], "channel_not_found")
    assert list(lease(outbox)) == ["o2"]


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
    outbox.failed(lost, "late")
    outbox.later(lost, 0, "late")
    assert (outbox.sent(lost, sent_as("1.1")), outbox.sent(held, sent_as("1.2"))) == (False, True)


def test_sent_twice_is_sent_once(bench: Bench) -> None:
    """A token is good for one mark."""
    record(bench.storage, said=(words("o1"),))
    parcel = lease(bench.storage.outbox)["o1"]
    assert [bench.storage.outbox.sent(parcel, None) for _ in range(2)] == [True, False]


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


# --- slots ---------------------------------------------------------------------------------------
def test_an_update_finds_the_message_of_its_slot(bench: Bench) -> None:
    """A card posted earlier is updated in place, and replies go under it."""
    deliver(bench.storage, words("card", CARDS, slot=SLOT, ticket="t1"), sent_as("200.1", TRIAGE))
    under = replace(UNDER, lane="another")
    record(bench.storage, said=(words("update", to=UPDATE), words("under", to=under)))
    refs = {key: parcel.ref for key, parcel in lease(bench.storage.outbox).items()}
    assert refs == {"update": sent_as("200.1", TRIAGE), "under": sent_as("200.1", TRIAGE)}


def test_an_update_waits_for_the_post_of_its_card(bench: Bench) -> None:
    """Post and update share a lane, so the reference is there when it is needed."""
    card = words("card", to=InThread(thread=CARDS, order=SLOT), slot=SLOT)
    record(bench.storage, said=(card, words("update", to=UPDATE)))
    outbox = bench.storage.outbox
    outbox.sent(lease(outbox)["card"], sent_as("200.1", TRIAGE))
    assert lease(outbox)["update"].ref == sent_as("200.1", TRIAGE)


def test_without_its_post_a_slot_has_no_message(bench: Bench) -> None:
    """When the card was never delivered, the update is told so."""
    card = words("card", to=InThread(thread=CARDS, order=SLOT), slot=SLOT)
    record(bench.storage, said=(card, words("update", to=UPDATE)))
    outbox = bench.storage.outbox
    outbox.failed(lease(outbox)["card"], "channel_not_found")
    assert lease(outbox)["update"].ref is None


def test_a_slot_posted_anew_means_the_newest_message(bench: Bench) -> None:
    """A promise given again is the one that is updated."""
    deliver(bench.storage, words("card", CARDS, slot=SLOT), sent_as("200.1", TRIAGE))
    deliver(bench.storage, words("again", CARDS, slot=SLOT), sent_as("200.2", TRIAGE))
    record(bench.storage, said=(words("update", to=UPDATE),))
    assert lease(bench.storage.outbox)["update"].ref == sent_as("200.2", TRIAGE)


def test_of_several_waiting_updates_the_newest_is_kept(bench: Bench) -> None:
    """Ten changes of a ticket make one update of its card; other cards are not touched."""
    other = replace(UPDATE, slot="card:t2:it", lane="card:t2:it")
    rows = [words("other", to=other), *(words(f"update{n}", to=UPDATE) for n in range(3))]
    for row in rows:
        record(bench.storage, said=(row,))
    assert list(lease(bench.storage.outbox)) == ["other", "update2"]
    assert bench.storage.outbox.pending() == 2


def test_an_update_under_way_is_finished(bench: Bench) -> None:
    """The row being sent stays; the newer one follows it."""
    record(bench.storage, said=(words("update1", to=UPDATE),))
    under_way = lease(bench.storage.outbox)["update1"]
    record(bench.storage, said=(words("update2", to=UPDATE),))
    assert bench.storage.outbox.sent(under_way, None)
    assert list(lease(bench.storage.outbox)) == ["update2"]


def test_writing_an_old_update_again_drops_nothing(bench: Bench) -> None:
    """A key written twice is no newer update."""
    record(bench.storage, said=(words("update1", to=UPDATE),))
    record(bench.storage, said=(words("update2", to=UPDATE),))
    record(bench.storage, said=(words("update1", to=UPDATE),))
    assert list(lease(bench.storage.outbox)) == ["update2"]


# --- guards --------------------------------------------------------------------------------------
def test_without_a_guard_everything_stands(bench: Bench) -> None:
    """Only pings are guarded."""
    record(bench.storage, said=(words("o1"),))
    assert bench.storage.outbox.stands(lease(bench.storage.outbox)["o1"])


def test_a_ping_stands_while_its_clock_does(bench: Bench) -> None:
    """Also once the promise is broken: that is what the ping is about."""
    open_ticket(bench.storage)
    breached = (*clock().log, ClockEvent(at=AT, kind=ClockEventKind.BREACH))
    keep_clock(bench.storage, clock(log=breached, state=ClockState.BREACHED))
    record(bench.storage, said=(words("ping", guard=GUARD),))
    assert bench.storage.outbox.stands(lease(bench.storage.outbox)["ping"])


def test_a_ping_of_an_older_revision_falls(bench: Bench) -> None:
    """After a change of priority the old revision's pings are void."""
    open_ticket(bench.storage)
    keep_clock(bench.storage, clock(revision=2))
    record(bench.storage, said=(words("ping", guard=GUARD),))
    assert not bench.storage.outbox.stands(lease(bench.storage.outbox)["ping"])


def test_a_ping_about_a_met_clock_falls(bench: Bench) -> None:
    """Nobody is reminded of what was answered meanwhile."""
    open_ticket(bench.storage)
    keep_clock(bench.storage, clock(log=(*clock().log, ClockEvent(at=AT, kind=ClockEventKind.MEET))))
    record(bench.storage, said=(words("ping", guard=GUARD),))
    assert not bench.storage.outbox.stands(lease(bench.storage.outbox)["ping"])


def test_a_ping_without_a_clock_falls(bench: Bench) -> None:
    """There is nothing to be reminded of."""
    record(bench.storage, said=(words("ping", guard=GUARD),))
    assert not bench.storage.outbox.stands(lease(bench.storage.outbox)["ping"])


# --- people and references -----------------------------------------------------------------------
def test_a_direct_message_goes_where_the_person_was_last_seen(bench: Bench) -> None:
    """Of several accounts the last one used."""
    record(bench.storage, Meet(person=ANN), on=message())
    record(bench.storage, Meet(person=replace(ANN, account=TEAMS_ANN)), on=message())
    record(bench.storage, said=(words("dm", to=Direct(person="ann")),))
    parcel = lease(bench.storage.outbox)["dm"]
    assert (parcel.account, parcel.direct) == (TEAMS_ANN, None)


def test_a_private_reply_goes_to_the_account_at_hand(bench: Bench) -> None:
    """Near a Slack thread, the Slack account, wherever the person was seen since."""
    record(bench.storage, Meet(person=ANN), on=message())
    record(bench.storage, Meet(person=replace(ANN, account=TEAMS_ANN)), on=message())
    record(bench.storage, said=(words("private", to=Privately(person="ann", near=ASKED, reply_url="https://r")),))
    assert lease(bench.storage.outbox)["private"].account == ANN.account


def test_a_person_nobody_met_has_no_account(bench: Bench) -> None:
    """Delivery then says it under the ticket's card, whose message it is given."""
    deliver(bench.storage, words("card", CARDS, slot=SLOT), sent_as("200.1", TRIAGE))
    record(bench.storage, said=(words("dm", to=Direct(person="bob", otherwise=UNDER)),))
    parcel = lease(bench.storage.outbox)["dm"]
    assert (parcel.account, parcel.ref) == (None, sent_as("200.1", TRIAGE))


def test_a_message_in_a_direct_chat_makes_it_known(bench: Bench) -> None:
    """Once a person wrote to the bot, the bot knows where to write back."""
    record(bench.storage, Meet(person=ANN), on=message("k1", CHAT, reference="ref-chat"))
    record(bench.storage, said=(words("dm", to=Direct(person="ann")),))
    parcel = lease(bench.storage.outbox)["dm"]
    assert (parcel.direct, parcel.reference) == (CHAT, "ref-chat")


def test_a_direct_chat_stays_known(bench: Bench) -> None:
    """Meeting the person in a channel afterwards does not forget it."""
    record(bench.storage, Meet(person=ANN), on=message("k1", CHAT))
    record(bench.storage, Meet(person=ANN), on=message("k2"))
    record(bench.storage, said=(words("dm", to=Direct(person="ann")),))
    assert lease(bench.storage.outbox)["dm"].direct == CHAT


def test_a_direct_chat_opened_by_delivery_is_kept(bench: Bench) -> None:
    """The port opens a direct chat once."""
    record(bench.storage, Meet(person=replace(ANN, account=TEAMS_ANN)))
    record(bench.storage, said=(words("dm1", to=Direct(person="ann")),))
    opened = Address(thread=Thread(channel=TEAMS_CHAT), reference="ref-new")
    bench.storage.outbox.sent(lease(bench.storage.outbox)["dm1"], sent_as("1", TEAMS_CHAT), opened)
    record(bench.storage, said=(words("dm2", to=Direct(person="ann")),))
    parcel = lease(bench.storage.outbox)["dm2"]
    assert (parcel.direct, parcel.reference) == (TEAMS_CHAT, "ref-new")


def test_a_channel_s_own_reference_comes_first(bench: Bench) -> None:
    """Else the place's newest; another place's never."""
    elsewhere = Channel(platform=Platform.TEAMS, place="tenant", id="19:other")
    foreign = Channel(platform=Platform.TEAMS, place="elsewhere", id="19:x")
    record(bench.storage, on=message("k1", TEAMS_HELP, reference="ref-help"))
    record(bench.storage, on=message("k2", elsewhere, reference="ref-newest"))
    unheard = Channel(platform=Platform.TEAMS, place="tenant", id="19:unheard")
    channels = {"help": TEAMS_HELP, "unheard": unheard, "foreign": foreign}
    record(bench.storage, said=tuple(words(key, Thread(channel=channel)) for key, channel in channels.items()))
    references = {key: parcel.reference for key, parcel in lease(bench.storage.outbox).items()}
    assert references == {"help": "ref-help", "unheard": "ref-newest", "foreign": None}


def test_a_first_direct_message_has_the_place_s_reference(bench: Bench) -> None:
    """The port needs some reference of the place to open a direct chat."""
    record(bench.storage, Meet(person=replace(ANN, account=TEAMS_ANN)), on=message("k1", TEAMS_HELP, reference="ref"))
    record(bench.storage, said=(words("dm", to=Direct(person="ann")),))
    parcel = lease(bench.storage.outbox)["dm"]
    assert (parcel.direct, parcel.reference) == (None, "ref")


def test_an_update_has_the_reference_of_its_message_s_channel(bench: Bench) -> None:
    """A card on Teams is updated through its own conversation."""
    record(bench.storage, on=message("k1", TEAMS_HELP, reference="ref-help"))
    posted = MessageRef(thread=Thread(channel=TEAMS_HELP), id="77")
    deliver(bench.storage, words("card", Thread(channel=TEAMS_HELP), slot=SLOT), posted)
    record(bench.storage, said=(words("update", to=UPDATE),))
    assert lease(bench.storage.outbox)["update"].reference == "ref-help"


def test_everyone_named_can_be_mentioned(bench: Bench) -> None:
    """Mentions hold the user ids of everyone in the notice, wherever they stand in it."""
    record(bench.storage, Meet(person=ANN), Meet(person=LEE), Meet(person=replace(ANN, account=TEAMS_ANN)))
    view = TicketView(card=replace(CARD, owner=Who(person="lee", name="Lee")), history=())
    record(bench.storage, said=(said(view),))
    expected = {"ann": {Platform.SLACK: "U0ANN", Platform.TEAMS: "29:ann"}, "lee": {Platform.SLACK: "U0LEE"}}
    assert lease(bench.storage.outbox)["o1"].mentions == expected


def test_whoever_cannot_be_reached_can_be_mentioned_instead(bench: Bench) -> None:
    """The one a direct message is for is among the mentions; a stranger is there without ids."""
    record(bench.storage, Meet(person=LEE))
    record(bench.storage, said=(words("dm", to=Direct(person="lee")), words("dm2", to=Direct(person="bob"))))
    found = {key: parcel.mentions for key, parcel in lease(bench.storage.outbox).items()}
    assert found == {"dm": {"lee": {Platform.SLACK: "U0LEE"}}, "dm2": {"bob": {}}}


def test_a_list_of_tickets_survives(bench: Bench) -> None:
    """Rows of a queue keep their instants and gaps."""
    line = TicketLine(
        number=1,
        subject="VPN",
        status=Status.OPEN,
        priority=Priority.HIGH,
        requester="Ann",
        owner=None,
        due=At(at=AT, zone="Asia/Taipei"),
    )
    listing = TicketList(phrase="queue.title", empty="queue.empty", values={"teams": "IT"}, rows=(line,), more=3)
    reasons = Reasons(phrase="why.answer", values={}, reasons=("one", "two"))
    rows = (said(listing), replace(said(reasons), key="o2", to=InThread(thread=CARDS), language=Language.KO))
    record(bench.storage, said=rows)
    assert [parcel.outgoing for parcel in bench.storage.outbox.lease(9)] == list(rows)
