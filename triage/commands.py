"""The one grammar of chat verbs, for slash commands, mentions, direct chats and buttons alike.

Called by `triage.desk` before anything is loaded: the verb tells what a turn needs. The rules that
tell a command from a question stand in DESIGN.md, section 7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from rapidfuzz.distance import OSA

from triage.model import Kind, Message, Priority


class Verb(StrEnum):
    ASK = "ask"
    CLAIM = "claim"
    RELEASE = "release"
    ASSIGN = "assign"
    TRANSFER = "transfer"
    PRIORITY = "priority"
    NOTE = "note"
    REPLY = "reply"
    PENDING = "pending"
    HOLD = "hold"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    ESCALATE = "escalate"
    QUEUE = "queue"
    MINE = "mine"
    SHOW = "show"
    ONCALL = "oncall"
    WHY = "why"
    KB = "kb"
    HELP = "help"
    # Only buttons say these:
    SOLVED = "solved"
    TICKET = "ticket"
    NEW = "new"
    READ = "read"
    RATE = "rate"
    JOIN = "join"
    SETTLE = "settle"
    ACK = "ack"


BUTTON_VERBS = frozenset({Verb.SOLVED, Verb.TICKET, Verb.NEW, Verb.READ, Verb.RATE, Verb.JOIN, Verb.SETTLE, Verb.ACK})
TYPED_VERBS = tuple(verb for verb in Verb if verb not in BUTTON_VERBS)

READING = frozenset({Verb.QUEUE, Verb.MINE, Verb.SHOW, Verb.WHY, Verb.HELP})
"""Verbs that change nothing."""

USAGE = {
    Verb.ASK: "ask …",
    Verb.CLAIM: "claim 42",
    Verb.RELEASE: "release 42",
    Verb.ASSIGN: "assign 42 @Kim",
    Verb.TRANSFER: "transfer 42 hr",
    Verb.PRIORITY: "priority 42 high",
    Verb.NOTE: "note 42 …",
    Verb.REPLY: "reply 42 …",
    Verb.PENDING: "pending 42 …",
    Verb.HOLD: "hold 42 …",
    Verb.RESOLVE: "resolve 42",
    Verb.REOPEN: "reopen 42",
    Verb.ESCALATE: "escalate 42",
    Verb.QUEUE: "queue it",
    Verb.MINE: "mine",
    Verb.SHOW: "show 42",
    Verb.ONCALL: "oncall swap @Kim",
    Verb.WHY: "why 42",
    Verb.KB: "kb 42 vpn-drops",
    Verb.HELP: "help",
}
"""Shown to people of every language, so there are no words in it but the grammar's own."""

_ALIASES = {
    Verb.ASK: "질문 提問 詢問",
    Verb.CLAIM: "맡기 담당 認領 接單",
    Verb.RELEASE: "반납 釋出",
    Verb.ASSIGN: "배정 指派",
    Verb.TRANSFER: "이관 轉交 轉單",
    Verb.PRIORITY: "우선순위 優先順序 優先",
    Verb.NOTE: "메모 備註",
    Verb.REPLY: "답변 回覆",
    Verb.PENDING: "대기 等待",
    Verb.HOLD: "보류 擱置",
    Verb.RESOLVE: "해결 解決",
    Verb.REOPEN: "재오픈 重開",
    Verb.ESCALATE: "에스컬레이션 升級",
    Verb.QUEUE: "대기열 佇列",
    Verb.MINE: "내티켓 我的",
    Verb.SHOW: "보기 查看",
    Verb.ONCALL: "당직 值班",
    Verb.WHY: "이유 原因",
    Verb.KB: "지식검색 知識庫",
    Verb.HELP: "도움말 說明",
}
_VERB_OF = {alias: verb for verb, aliases in _ALIASES.items() for alias in aliases.split()} | {
    str(verb): verb for verb in Verb
}

CALLS_FOR_A_PERSON = frozenset(
    "human person agent urgent escalate 사람 상담원 담당자 긴급 真人 專人 人工 緊急 急".split()  # noqa: SIM905
)
"""These mean `escalate` only when they are the whole text."""

PRIORITY_OF = {str(priority): priority for priority in Priority} | {
    "낮음": Priority.LOW,
    "보통": Priority.NORMAL,
    "높음": Priority.HIGH,
    "긴급": Priority.URGENT,
    "低": Priority.LOW,
    "一般": Priority.NORMAL,
    "高": Priority.HIGH,
    "緊急": Priority.URGENT,
}

MAX_TOKENS_OF_A_SLIP = 3
"""A longer text that does not parse is a question, not a mistyped command."""

THIS = "this"
"""`why this` is about what was just said, also where a ticket is open."""

SWAP = "swap"
"""`oncall swap` is about changing places."""

SHORTEST_SLIP = 3
"""Letters of a verb from which one slip leaves it recognisable: `gb left` is no `kb left`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`number` is the ticket named, None when the thread's own is meant; `rest` is what follows."""

    verb: Verb
    number: int | None = None
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadArguments:
    """A verb whose arguments do not parse, in a short text."""

    verb: Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """Nearly a verb: `command` is what was probably meant, `verb` its verb."""

    word: str
    verb: Verb
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """What looks like an order about a ticket, with a verb nobody knows; `error 809` looks like one too."""

    word: str


Intent = Command | BadArguments | Slip | Unknown | None
"""None: free text."""

_NUMBER = re.compile(r"#?(\d{1,9})(?=\s|$)")
_NOTE_PREFIX = re.compile(r"(?i)^(?:note|메모|備註)(?:\s*[:：]\s*|\s+|$)")
_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_BLANK = _INVISIBLE + "".join(chr(code) for code in range(0x3001) if chr(code).isspace())

_TEXT_NEEDED = frozenset({Verb.NOTE, Verb.REPLY, Verb.ASSIGN, Verb.TRANSFER, Verb.PRIORITY, Verb.RATE})
_TEXT_ALLOWED = frozenset({Verb.PENDING, Verb.HOLD, Verb.RESOLVE})
_PROSE = frozenset({Verb.NOTE, Verb.REPLY, Verb.PENDING, Verb.HOLD, Verb.RESOLVE})
"""Verbs that take any words: outside a ticket's thread only a number tells them from a question."""


def intent_of(message: Message) -> Intent:
    """What an inbound message asks for. Only what addresses the bot can be a command, except
    an agent's `note …` in a thread, which must never reach the requester for want of a mention."""
    if message.kind in (Kind.EDIT, Kind.DELETE):
        return None
    buttons = message.kind is Kind.BUTTON
    in_thread = message.thread is not None or buttons
    if message.addressed:
        return parse(message.text, in_thread=in_thread, buttons=buttons, slash=message.kind is Kind.COMMAND)
    text = _trimmed(message.text)
    if in_thread and (note := _NOTE_PREFIX.match(text)):
        rest = text[note.end() :]
        return Command(verb=Verb.NOTE, rest=rest) if rest else BadArguments(verb=Verb.NOTE)
    return None


def parse(text: str, *, in_thread: bool = False, buttons: bool = False, slash: bool = False) -> Intent:
    """Read command text; see the module's rules. Never raises."""
    text = _trimmed(text)
    if not text:
        return Command(verb=Verb.HELP) if slash else None
    if text.casefold().rstrip("!.。！ ") in CALLS_FOR_A_PERSON:
        return Command(verb=Verb.ESCALATE)
    word, *others = text.split(maxsplit=1)
    rest = others[0] if others else ""
    word = word.lstrip("/").casefold()
    verb = _verb(word)
    if verb is None or (verb in BUTTON_VERBS and not buttons):
        return _nearly(word, rest, in_thread=in_thread) or _unknown(word, rest)
    command = _arguments(verb, rest, in_thread=in_thread)
    if command is None and len(text.split()) <= MAX_TOKENS_OF_A_SLIP:
        return BadArguments(verb=verb)
    return command


def words_of(message: Message) -> tuple[Verb | None, str]:
    """What a post says: the words of its command where it is one that passes words on, else the text."""
    command = intent_of(replace(message, kind=Kind.POST))
    if isinstance(command, Command) and command.verb in _PROSE:
        return command.verb, command.rest
    return None, message.text


def _verb(word: str) -> Verb | None:
    """The verb of a first token; `why?` and `help!` are meant as `why` and `help`."""
    verb = _VERB_OF.get(word.rstrip(":："))
    if verb is None:
        asked = _VERB_OF.get(word.rstrip("?!？！"))
        return asked if asked in READING else None
    return verb


def _trimmed(text: str) -> str:
    return text.strip(_BLANK)


def _arguments(verb: Verb, rest: str, *, in_thread: bool) -> Command | None:
    """The command, or None when the arguments do not fit the verb."""
    match verb:
        case Verb.ASK | Verb.READ | Verb.SETTLE:
            return Command(verb=verb, rest=rest) if rest else None
        case Verb.MINE | Verb.HELP:
            return None if rest else Command(verb=verb)
        case Verb.KB:
            return _on_knowledge(rest)
        case Verb.WHY if rest == THIS:
            return Command(verb=verb, rest=rest)
        case Verb.ONCALL:
            return _on_call(rest)
        case Verb.QUEUE:
            return Command(verb=verb, rest=rest) if len(rest.split()) <= 1 else None
        case Verb.SOLVED | Verb.TICKET | Verb.NEW:
            return Command(verb=verb, rest=rest)
        case _:
            return _on_a_ticket(verb, rest, in_thread=in_thread)


def _on_call(rest: str) -> Command | None:
    """`oncall`, `oncall it`, or `oncall swap [it] [@Kim]`."""
    words = rest.split()
    if words[:1] != [SWAP] and len(words) > 1:
        return None
    return Command(verb=Verb.ONCALL, rest=rest) if len(words) <= MAX_TOKENS_OF_A_SLIP + 1 else None


def _on_knowledge(rest: str) -> Command | None:
    """`kb 42 vpn-drops` is about a ticket, `kb vpn drops` a search."""
    found = _NUMBER.match(rest)
    if found is None:
        return Command(verb=Verb.KB, rest=rest) if rest else None
    return Command(verb=Verb.KB, number=int(found[1]), rest=rest[found.end() :].strip())


def _on_a_ticket(verb: Verb, rest: str, *, in_thread: bool) -> Command | None:
    found = _NUMBER.match(rest)
    number = int(found[1]) if found else None
    after = rest[found.end() :].strip() if found else rest
    if verb in _PROSE and after and number is None and not in_thread:
        return None
    if verb in _TEXT_NEEDED and not after:
        return None
    if after and verb not in _TEXT_NEEDED | _TEXT_ALLOWED:
        return None
    return Command(verb=verb, number=number, rest=after) if _fits(verb, after) else None


def _fits(verb: Verb, after: str) -> bool:
    words = len(after.split())
    match verb:
        case Verb.PRIORITY:
            return after.casefold() in PRIORITY_OF
        case Verb.TRANSFER:
            return words == 1
        case Verb.ASSIGN:
            return words == 1 or (after.startswith("@") and words <= MAX_TOKENS_OF_A_SLIP)
        case Verb.RATE:
            return after in ("good", "bad")
        case _:
            return True


def _nearly(word: str, rest: str, *, in_thread: bool) -> Slip | None:
    """A slip of a verb, where what was meant then reads as a command: `slow laptop` is no `show laptop`."""
    if len(rest.split()) >= MAX_TOKENS_OF_A_SLIP:
        return None
    for verb in TYPED_VERBS:
        near = len(verb) >= SHORTEST_SLIP and OSA.distance(word, str(verb), score_cutoff=1) <= 1
        if near and (_NUMBER.match(rest) or _arguments(verb, rest, in_thread=in_thread)):
            return Slip(word=word, verb=verb, command=f"{verb} {rest}".strip())
    return None


def _unknown(word: str, rest: str) -> Unknown | None:
    return Unknown(word=word) if _NUMBER.fullmatch(rest) else None
