"""Three replicas on one PostgreSQL behave as one desk."""

from __future__ import annotations

import asyncio
from itertools import cycle
from statistics import median

import pytest

from bot.delivery import POLL
from tests.replicas.cluster import ARTICLE, DANA, HELP, KIM, LEE, QUICK_HELP, QUICK_TRIAGE, Cluster, at_once, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_of_two_agents_who_claim_at_once_one_wins_and_the_other_is_told_who(three: Cluster) -> None:
    """On two replicas, in the same moment, several times."""
    first, second, third = three.replicas
    for _ in range(6):
        _, card = await three.asked(at=third)
        before = {user: len(three.only_to(user)) for user in (LEE, KIM)}
        presses = (three.press(LEE, card, "Claim", at=first), three.press(KIM, card, "Claim", at=second))
        assert await at_once(*presses) == [200, 200]
        await three.delivered()
        told = {user: three.only_to(user)[seen:] for user, seen in before.items()}
        winner, loser = (LEE, KIM) if told[KIM] else (KIM, LEE)
        assert told == {winner: [], loser: [f"{winner[1:].title()} already has ticket #{number(card)}."]}
        assert three.select("SELECT owner FROM ticket WHERE number = :n", n=number(card)) == [(winner[1:].lower(),)]


async def test_messages_of_one_thread_at_once_make_one_ticket(three: Cluster) -> None:
    """A question, the same again, and a call for help below it, on three replicas: one ticket with both."""
    for case in range(6):
        said = (f"The lift hums, case {case}.", f"it also shakes, {case}")
        root, asked = three.slack.posted(DANA, HELP, said[0])
        _, calls = three.slack.posted(DANA, HELP, f"<@{three.slack.bot}> {said[1]}", thread=str(root["ts"]))
        events = (*asked, *asked, *calls)
        await at_once(*map(three.bring_until_taken, events, cycle(three.replicas)))
        await three.delivered()
        ((ticket,),) = three.select("SELECT id FROM ticket WHERE conversation LIKE :root", root=f"%{root['ts']}")
        kept = three.select("SELECT text FROM entry WHERE ticket = :ticket", ticket=ticket)
        assert [kept.count((words,)) for words in said] == [1, 1]


async def test_the_posts_of_a_thread_come_out_in_order(three: Cluster) -> None:
    """Thirty of them, each taken by another replica than the one before; all three deliver."""
    thread, card = await three.asked(at=three.replicas[0])
    for turn in range(30):
        await three.say(f"detail {turn:02d}", at=three.replicas[turn % 3], thread=thread)
    await three.delivered()
    shown = [line for line in three.below(card) if "detail" in line]
    assert [line[line.index("detail") :][:9] for line in shown] == [f"detail {turn:02d}" for turn in range(30)]


async def test_pings_that_three_sweep_for_ring_once_each(three: Cluster) -> None:
    """Twenty tickets of a team that promises an answer within seconds: each is rung for, by one replica."""
    threads = [await three.ask(at=three.replicas[n % 3], channel=QUICK_HELP) for n in range(20)]
    cards = [await three.card(subject, QUICK_TRIAGE) for _, subject in threads]

    def warnings() -> list[int]:
        return [sum("first answer is due" in said for said in three.below(card, QUICK_TRIAGE)) for card in cards]

    def missed() -> list[int]:
        return [sum("first answer was due" in said for said in three.below(card, QUICK_TRIAGE)) for card in cards]

    await until(lambda: all(missed()), "every promise to be broken, and rung for")
    await three.delivered()
    assert (warnings(), missed()) == ([1] * 20, [1] * 20)


async def test_what_one_replica_stores_another_sends_at_once(three: Cluster) -> None:
    """The one that took it hangs in an answer of Slack: another is told by the database, and need not look first."""
    first, second, third = three.replicas
    second.pause()
    third.pause()
    three.slack.hold(method="chat.postMessage", once=True)
    try:
        await three.ask(at=first)
        await until(lambda: three.leased() == 1, "the first replica to hang")
        second.resume()
        took = [await _sent(three) for _ in range(5)]
    finally:
        third.resume()
        three.slack.release()
    assert median(took) < POLL / 2
    await three.delivered()


async def _sent(three: Cluster) -> float:
    """Seconds from the moment that the first replica took a question until Slack has its card. Another comes at once:
    whoever had looked a moment ago would look again only after a second."""
    _, subject = await three.ask(at=three.replicas[0])
    return await until(lambda: bool(three.cards(subject)), f"the card of {subject!r}")


async def test_what_a_killed_replica_had_sent_is_not_sent_again(three: Cluster) -> None:
    """Slack got it, and nobody noted that: who takes the leases over finds it there."""
    asked = await three.kill_while_sending(3, lost=False)
    three.select("UPDATE outbox SET leased_until = 0 WHERE state = 'pending' AND token IS NOT NULL")
    await three.delivered()
    assert [len(three.cards(subject)) for _, subject in asked] == [1, 1, 1]
    assert [len(three.answers(thread)) for thread, _ in asked] == [1, 1, 1]
    three.replicas[0].start()
    await three.replicas[0].ready()


async def test_an_article_edited_on_one_replica_is_in_force_on_all(three: Cluster) -> None:
    """Within five seconds, though only that one has the file."""
    article = three.replicas[0].folder / "kb" / "vpn.md"
    article.write_text(ARTICLE.format(body="Take the other cable."), encoding="utf-8")
    await asyncio.sleep(5)
    threads = [await three.say("my vpn keeps dropping", at=each) for each in three.replicas]
    await three.delivered()
    assert all("Take the other cable." in three.answers(thread)[0] for thread in threads)


async def test_none_of_them_complained(three: Cluster) -> None:
    """All of the above went by without an error in any log."""
    assert three.complaints() == []


def number(card: dict[str, object]) -> int:
    return int(str(card["text"]).split()[0].removeprefix("#"))
