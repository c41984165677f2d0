"""The grammar: what is an order, what a slip of one, and what a question (DESIGN.md, section 7)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.builders import ASKED, DM, LOBBY, mention, message, press, slash
from triage.commands import (
    BUTTON_VERBS,
    CALLS_FOR_A_PERSON,
    TYPED_VERBS,
    USAGE,
    BadArguments,
    Command,
    Intent,
    Slip,
    Unknown,
    Verb,
    intent_of,
    parse,
    words_of,
)
from triage.model import Kind, Message


def command(verb: Verb, number: int | None = None, rest: str = "") -> Command:
    return Command(verb=verb, number=number, rest=rest)


# --- orders --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ask how do I set up the VPN", command(Verb.ASK, rest="how do I set up the VPN")),
        ("claim 42", command(Verb.CLAIM, 42)),
        ("claim #42", command(Verb.CLAIM, 42)),
        ("claim", command(Verb.CLAIM)),
        ("/claim 42", command(Verb.CLAIM, 42)),
        ("CLAIM 42", command(Verb.CLAIM, 42)),
        ("claim: 42", command(Verb.CLAIM, 42)),
        ("release 42", command(Verb.RELEASE, 42)),
        ("hold 42 the vendor has it", command(Verb.HOLD, 42, "the vendor has it")),
        ("oncall", command(Verb.ONCALL)),
        ("oncall it", command(Verb.ONCALL, rest="it")),
        ("oncall swap @Kim", command(Verb.ONCALL, rest="swap @Kim")),
        ("oncall swap it @Kim Lee", command(Verb.ONCALL, rest="swap it @Kim Lee")),
        ("assign 42 @Kim", command(Verb.ASSIGN, 42, "@Kim")),
        ("assign 42 @Kim Lee", command(Verb.ASSIGN, 42, "@Kim Lee")),
        ("assign 42 me", command(Verb.ASSIGN, 42, "me")),
        ("transfer 42 hr", command(Verb.TRANSFER, 42, "hr")),
        ("priority 42 high", command(Verb.PRIORITY, 42, "high")),
        ("note 42 called them, no answer", command(Verb.NOTE, 42, "called them, no answer")),
        ("reply 42 your laptop is ready", command(Verb.REPLY, 42, "your laptop is ready")),
        ("reply 42 first line\nsecond line", command(Verb.REPLY, 42, "first line\nsecond line")),
        ("pending 42", command(Verb.PENDING, 42)),
        ("pending 42 which room are you in?", command(Verb.PENDING, 42, "which room are you in?")),
        ("resolve 42", command(Verb.RESOLVE, 42)),
        ("resolve 42 replaced the battery", command(Verb.RESOLVE, 42, "replaced the battery")),
        ("reopen 42", command(Verb.REOPEN, 42)),
        ("escalate 42", command(Verb.ESCALATE, 42)),
        ("queue", command(Verb.QUEUE)),
        ("queue it", command(Verb.QUEUE, rest="it")),
        ("mine", command(Verb.MINE)),
        ("show 42", command(Verb.SHOW, 42)),
        ("why 42", command(Verb.WHY, 42)),
        ("why?", command(Verb.WHY)),
        ("why this", command(Verb.WHY, rest="this")),
        ("kb 42 vpn-drops", command(Verb.KB, 42, "vpn-drops")),
        ("kb 42 not vpn-drops", command(Verb.KB, 42, "not vpn-drops")),
        ("kb 42 vpn-drops send", command(Verb.KB, 42, "vpn-drops send")),
        ("kb #42", command(Verb.KB, 42)),
        ("kb the vpn drops every morning", command(Verb.KB, rest="the vpn drops every morning")),
        ("help", command(Verb.HELP)),
        ("help!", command(Verb.HELP)),
    ],
)
def test_every_verb_reads_its_arguments(text: str, meant: Command) -> None:
    """A verb with its ticket and its words is a command."""
    assert parse(text) == meant


@pytest.mark.parametrize("verb", TYPED_VERBS)
def test_the_usage_shown_for_a_verb_is_itself_a_command(verb: Verb) -> None:
    """What a usage message tells people to type works when they type it."""
    read = parse(USAGE[verb])
    assert isinstance(read, Command)
    assert read.verb is verb


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("맡기 42", command(Verb.CLAIM, 42)),
        ("認領 42", command(Verb.CLAIM, 42)),
        ("接單 42", command(Verb.CLAIM, 42)),
        ("반납 42", command(Verb.RELEASE, 42)),
        ("당직 it", command(Verb.ONCALL, rest="it")),
        ("值班 swap @Kim", command(Verb.ONCALL, rest="swap @Kim")),
        ("指派 42 @Kim", command(Verb.ASSIGN, 42, "@Kim")),
        ("이관 42 hr", command(Verb.TRANSFER, 42, "hr")),
        ("우선순위 42 높음", command(Verb.PRIORITY, 42, "높음")),
        ("優先 42 緊急", command(Verb.PRIORITY, 42, "緊急")),
        ("메모 42 전화함", command(Verb.NOTE, 42, "전화함")),
        ("回覆 42 好了", command(Verb.REPLY, 42, "好了")),
        ("대기 42", command(Verb.PENDING, 42)),
        ("해결 42", command(Verb.RESOLVE, 42)),
        ("重開 42", command(Verb.REOPEN, 42)),
        ("에스컬레이션 42", command(Verb.ESCALATE, 42)),
        ("升級", command(Verb.ESCALATE)),
        ("대기열", command(Verb.QUEUE)),
        ("我的", command(Verb.MINE)),
        ("보기 42", command(Verb.SHOW, 42)),
        ("原因 42", command(Verb.WHY, 42)),
        ("도움말", command(Verb.HELP)),
        ("지식검색 프린터", command(Verb.KB, rest="프린터")),
        ("知識庫 42 vpn-drops", command(Verb.KB, 42, "vpn-drops")),
        ("질문 프린터가 안돼요", command(Verb.ASK, rest="프린터가 안돼요")),
    ],
)
def test_verbs_have_aliases_in_every_shipped_language(text: str, meant: Command) -> None:
    """Korean and Chinese speakers give the same orders in their own words."""
    assert parse(text) == meant


@pytest.mark.parametrize("word", sorted(CALLS_FOR_A_PERSON))
def test_a_call_for_a_person_is_one_when_it_is_the_whole_text(word: str) -> None:
    """`human`, `urgent`, 담당자, 真人: nothing else said, they escalate."""
    assert parse(f"{word}!") == command(Verb.ESCALATE)


@pytest.mark.parametrize(
    "text", ["human resources phone number please", "urgent: my laptop is broken", "담당자 누구예요"]
)
def test_a_call_for_a_person_inside_a_sentence_is_no_order(text: str) -> None:
    """A sentence that begins with such a word is a question."""
    assert parse(text) is None


# --- questions, slips and mistakes -----------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "show me how to print in colour",
        "claim my travel expenses from March",
        "assign a licence to my new laptop",
        "help me with my VPN please",
        "note taking app for the team?",
        "resolve dns problems on my laptop",
        "priority boarding for flights in May",
        "mine is broken again since Monday",
        "why is the printer so slow",
        "oncall phone numbers for Seoul please",
        "hold music is too loud",
        "transfer my phone number to Taipei",
    ],
)
def test_a_verb_whose_arguments_do_not_parse_in_a_long_text_is_a_question(text: str) -> None:
    """More than three words that fit no command are somebody's question."""
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("claim it please", Verb.CLAIM),
        ("priority 42 whatever", Verb.PRIORITY),
        ("assign 42", Verb.ASSIGN),
        ("note 42", Verb.NOTE),
        ("transfer", Verb.TRANSFER),
        ("help me", Verb.HELP),
        ("ask", Verb.ASK),
    ],
)
def test_a_verb_whose_arguments_do_not_parse_in_a_short_text_is_a_mistake(text: str, verb: Verb) -> None:
    """Up to three words are answered with how the verb is used."""
    assert parse(text) == BadArguments(verb=verb)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("clam 42", "claim 42"),
        ("clami 42", "claim 42"),
        ("claimm 42", "claim 42"),
        ("asign 42 @Kim", "assign 42 @Kim"),
        ("hlep", "help"),
        ("queu it", "queue it"),
        ("Resolv 42", "resolve 42"),
        ("pirority 42 hihg", "priority 42 hihg"),
    ],
)
def test_a_slip_of_one_letter_is_asked_about(text: str, meant: str) -> None:
    """One edit away from a verb, in at most three words: did you mean."""
    read = parse(text)
    assert isinstance(read, Slip)
    assert read.command == meant


@pytest.mark.parametrize("text", ["clam 42 for me please", "slow laptop", "not working", "how reset VPN", "laptop"])
def test_a_question_is_not_taken_for_a_slip(text: str) -> None:
    """Longer texts, and words that would make no command either, are questions."""
    assert parse(text) is None


def test_an_unknown_word_with_a_number_looks_like_an_order() -> None:
    """Whether it is one depends on who says it, and how."""
    assert parse("frobnicate 42") == Unknown(word="frobnicate")


def test_an_empty_slash_command_asks_for_help() -> None:
    """`/desk` alone shows what one can say."""
    assert parse("  ", slash=True) == command(Verb.HELP)


@pytest.mark.parametrize("verb", sorted(BUTTON_VERBS))
def test_the_verbs_of_buttons_cannot_be_typed(verb: Verb) -> None:
    """`solved`, `read`, `join` are words that people use in sentences."""
    assert not isinstance(parse(f"{verb} x"), Command)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("solved vpn", command(Verb.SOLVED, rest="vpn")),
        ("ticket", command(Verb.TICKET)),
        ("new my mouse is dead", command(Verb.NEW, rest="my mouse is dead")),
        ("read vpn", command(Verb.READ, rest="vpn")),
        ("rate 42 good", command(Verb.RATE, 42, "good")),
        ("rate 42 superb", BadArguments(verb=Verb.RATE)),
        ("join", command(Verb.JOIN)),
    ],
)
def test_buttons_carry_verbs_of_their_own(text: str, meant: Intent) -> None:
    """A button's value is command text, read by the same grammar."""
    assert parse(text, in_thread=True, buttons=True) == meant


def test_in_a_thread_words_may_follow_the_verb_without_a_number() -> None:
    """Outside a thread `reply hello there` could be anything; inside it is the thread's ticket."""
    assert parse("reply hello there", in_thread=True) == command(Verb.REPLY, rest="hello there")
    assert parse("reply to all my mails at once") is None


# --- what addresses the bot ------------------------------------------------------------------------
def test_a_post_that_does_not_address_the_bot_is_never_a_command() -> None:
    """People may talk about claims among themselves."""
    assert intent_of(message("claim 42")) is None


@pytest.mark.parametrize("text", ["note: user is new", "note user is new", "NOTE： user is new", "메모 user is new"])
def test_an_internal_note_needs_no_mention_in_a_thread(text: str) -> None:
    """A note must never reach the requester for want of a mention."""
    assert intent_of(message(text, at=ASKED)) == command(Verb.NOTE, rest="user is new")


@pytest.mark.parametrize("text", ["note", "note:"])
def test_a_note_without_words_is_a_mistake_not_a_message(text: str) -> None:
    """The bare word is not passed on either."""
    assert intent_of(message(text, at=ASKED)) == BadArguments(verb=Verb.NOTE)


def test_outside_a_thread_a_note_is_nothing() -> None:
    """There is no ticket it could belong to."""
    assert intent_of(message("note: user is new")) is None


@pytest.mark.parametrize("said", [mention("mine"), message("mine", at=DM), slash("mine", at=LOBBY), press("mine")])
def test_mentions_direct_chats_commands_and_buttons_share_the_grammar(said: Message) -> None:
    """One grammar for all the ways to speak to the bot."""
    assert intent_of(said) == command(Verb.MINE)


@pytest.mark.parametrize("kind", [Kind.EDIT, Kind.DELETE])
def test_an_edit_is_never_a_command(kind: Kind) -> None:
    """Correcting `claim 42` must not claim again."""
    assert intent_of(mention("claim 42", kind=kind)) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [("reply 42 it is ready", (Verb.REPLY, "it is ready")), ("it is ready", (None, "it is ready"))],
)
def test_the_words_of_a_command_stand_without_their_verb(text: str, words: tuple[Verb | None, str]) -> None:
    """What an edited `reply 42 …` says is what follows the number."""
    assert words_of(mention(text, at=ASKED, kind=Kind.EDIT)) == words


# --- any text at all -------------------------------------------------------------------------------
VERB_WORDS = st.sampled_from([*map(str, Verb), "note:", "claim", "why?", "/help"])
TEXTS = st.text() | st.builds("{} {}".format, VERB_WORDS, st.text())


@given(text=TEXTS, in_thread=st.booleans(), buttons=st.booleans(), slash=st.booleans())
@example(text="\u200b\xa0\u200b", in_thread=False, buttons=False, slash=False)
@example(text="\x85", in_thread=False, buttons=False, slash=True)
@example(text="claim ４２", in_thread=False, buttons=False, slash=False)
def test_parse_reads_any_text(text: str, in_thread: bool, buttons: bool, slash: bool) -> None:
    """Whatever people paste is a command, a slip, a mistake or a question, never an error."""
    read = parse(text, in_thread=in_thread, buttons=buttons, slash=slash)
    assert read is None or isinstance(read, Command | BadArguments | Slip | Unknown)


@given(text=TEXTS)
def test_a_slip_offers_a_command_that_is_read_as_the_verb_meant(text: str) -> None:
    """The button below "did you mean" never leads to another "did you mean"."""
    read = parse(text)
    if isinstance(read, Slip):
        meant = parse(read.command, in_thread=True, buttons=True)
        assert isinstance(meant, Command | BadArguments)
        assert meant.verb is read.verb


@pytest.mark.parametrize("text", ["gb left", "ab test", "kv store"])
def test_a_short_verb_is_not_guessed(text: str) -> None:
    """One letter off `kb` is any other word."""
    assert parse(text) is None


def test_only_buttons_settle_proposals() -> None:
    """Typed, the word is somebody's own."""
    assert parse("settle p1 add", buttons=True) == command(Verb.SETTLE, rest="p1 add")
    assert parse("settle my travel expenses please") is None
