"""What delivery gets with a row, on every storage: the message of a slot, accounts, references, mentions."""

from __future__ import annotations

from dataclasses import replace

from tests.builders import mark_sent
from tests.contract.storages import (
    ANN,
    ASKED,
    AT,
    CARD,
    CARDS,
    CHAT,
    LEE,
    SLOT,
    TEAMS_ANN,
    TRIAGE,
    UPDATE,
    Bench,
    deliver,
    lease,
    message,
    record,
    said,
    sent_as,
    words,
)
from triage.changes import Meet
from triage.model import Channel, ChannelKind, Language, MessageRef, Platform, Priority, Status, Thread
from triage.outgoing import (
    At,
    Direct,
    InThread,
    Privately,
    Reasons,
    TicketLine,
    TicketList,
    TicketView,
    UnderSlot,
    Who,
)
from triage.ports import Address

UNDER = UnderSlot(slot=SLOT, channel=TRIAGE, lane=SLOT)
TEAMS_CHAT = Channel(platform=Platform.TEAMS, place="tenant", id="a:1", kind=ChannelKind.DM)
TEAMS_HELP = Channel(platform=Platform.TEAMS, place="tenant", id="19:help")


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
    mark_sent(outbox, lease(outbox)["card"], sent_as("200.1", TRIAGE))
    assert lease(outbox)["update"].ref == sent_as("200.1", TRIAGE)


def test_without_its_post_a_slot_has_no_message(bench: Bench) -> None:
    """When the card was never delivered, the update is told so."""
    card = words("card", to=InThread(thread=CARDS, order=SLOT), slot=SLOT)
    record(bench.storage, said=(card, words("update", to=UPDATE)))
    outbox = bench.storage.outbox
    outbox.failed(lease(outbox)["card"], "channel_not_found", AT)
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
    assert mark_sent(bench.storage.outbox, under_way, None)
    assert list(lease(bench.storage.outbox)) == ["update2"]


def test_writing_an_old_update_again_drops_nothing(bench: Bench) -> None:
    """A key written twice is no newer update."""
    record(bench.storage, said=(words("update1", to=UPDATE),))
    record(bench.storage, said=(words("update2", to=UPDATE),))
    record(bench.storage, said=(words("update1", to=UPDATE),))
    assert list(lease(bench.storage.outbox)) == ["update2"]


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
    mark_sent(bench.storage.outbox, lease(bench.storage.outbox)["dm1"], sent_as("1", TEAMS_CHAT), opened)
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
