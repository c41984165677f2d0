"""The questions that one message asks. Called by `triage.match`, which matches each on its own."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from triage.text import HAN, MAX_RAW, MAX_TEXT, ends, is_small_talk, normalise, sentences

_MARK = r"[(（]?\d{1,2}[.)、．）](?!\d)|[(（]?[a-h][)）]|[(（]?[一二三四五六七八九十](?:、|[)）])|[①-⑳]"
_ITEM = re.compile(rf"^(?:{_MARK}|[-*•‣])\s*", re.MULTILINE | re.IGNORECASE)
_INLINE = re.compile(rf"(?<![a-z0-9.,:/(（-])(?:{_MARK})(?=\s*\S)", re.IGNORECASE)
_COUNTED = {mark: place for marks in ("abcdefgh", "一二三四五六七八九十") for place, mark in enumerate(marks, start=1)}
_QUOTED = re.compile(r"^[^\S\n]*(?:>|&gt;).*$", re.MULTILINE)
_ASKED = re.compile(rf"？|(?<=[{HAN}])\?")
"""Chinese goes on after a question mark without a blank."""

_SIGHED = re.compile(r"(?<=[ㅠㅜㅋㅎ]{2})\ +|(?<=~)\ +")
"""Korean ends a sentence with it, and no full stop."""

_FURTHER = re.compile(
    r"""
    ^(?: (?: and\ also | also | and\ another\ thing | another\ (?:thing|question) | one\ more\ (?:thing|question)
           | by\ the\ way | btw )\b
       | second(?:ly)?(?=[,:])
       | 그리고 | 또한 | 추가로 | 하나\ 더 | 두\ ?번째로 | 또(?=,)
       | 另外 | 還有(?!沒) | 順便 | 第二(?=[，,、:：]) )
    [,:，、：\s]*""",
    re.IGNORECASE | re.VERBOSE,
)
_PLEA = re.compile(
    r"""
    (?: (?:please\ |so\ |and\ )?
        (?: (?:can|could|would|is\ there)\ (?:any|some)(?:one|body)\ (?:please\ |who\ can\ )?help
          | (?:can|could)\ you\ help )
        (?:\ me)? (?:\ out)? (?:\ with\ (?:this|that|it))?
      | any\ (?:ideas?|help|advice|suggestions?) | anyone | really | why | how\ come | right | ok(?:ay)?
      | what\ now | what\ (?:can|should|do)\ i\ do(?:\ (?:now|first|next))?
      | who\ (?:can|should|do)\ i\ (?:ask|tell|contact|call|talk\ to)
      | is\ (?:this|that|it)\ (?:normal|ok(?:ay)?|possible)
      | 도와주실\ 수\ (?:있나요|있을까요) | 도와주시겠어요 | 어떻게\ (?:하나요|해야\ 하나요|하죠|하면\ 되나요|할까요)
      | 누구(?:한테|에게)\ (?:말해야|물어봐야|연락해야|문의해야)\ (?:하나요|하죠|할까요|되나요)
      | 왜\ (?:그런가요|그럴까요|이러죠) | 가능할까요 | 가능한가요 | 아시는\ 분\ 계신가요
      | (?:請問)? (?: 該?怎麼辦 | 怎麼處理 | [該要可以]*[找問]誰 | 為什麼 | 是嗎 )
      | (?:請問)? (?: 可以 | 可以幫[忙我] | 能幫忙 | 有人知道 | 有人可以幫忙 )嗎 )
    (?:\ please)? \W*""",
    re.IGNORECASE | re.VERBOSE,
)
"""Asks for help with what stands beside it, and for nothing of its own."""

_FURTHER_ON = r"""
    [,;]?\ (?:(?:and|&|\+|plus)\ )?also,?\ | [,;]\ plus\ | [,;]?\ (?:그리고|또한|추가로)\ | (?<=고),\ (?:그리고\ )?
    | [,，、；;]?\s?(?:還有(?!沒)|另外|順便|以及)[,，]?
    """
_AND = r"""
    [,;]?\ (?:and|&|\+|plus)(?:\ then)?\ (?=
        (?: how|where|what|when|who|which|why|can|could|may|is|are|do|does|did|should|will|would|please|i|i'?m|i'?ve
          | i'?d|we|my|our|the|there|need )\b )
    | (?<=고)\ (?!있|싶|나서|계)
    """
_JOINTS = tuple(re.compile(joint, re.IGNORECASE | re.VERBOSE) for joint in (_FURTHER_ON, f"{_FURTHER_ON} | {_AND}"))
"""Where one sentence may go on to another question: by words that say so, then by those that mostly join else."""

MAX_CLAUSES = 4
MIN_LETTERS = 4


def questions(text: str) -> list[str]:
    """The parts of a message that each ask something, with the sentences that lead up to them.

    A part ends with a question mark, or is an item of a list, or begins like a further question. One
    part, or none, when the message does not show that it asks more than once.
    """
    lines = _lined(_own(text))
    items = [item.strip() for item in _ITEM.split(lines) if item and item.strip()]
    if len(_ITEM.findall(lines)) > 1:
        listed = items if _ITEM.match(lines.lstrip()) else items[1:]
        return _distinct(listed)
    said = _said(lines)
    if len(said) < 2:
        return said
    return _distinct(_parts(_telling(said)))


def clauses(text: str) -> list[list[str]]:
    """Ways to part what `questions` takes for one: by its sentences and words such as `also`, then by `and` too.

    Each way has from two clauses to MAX_CLAUSES, which may all ask something, or be one question's. A message that
    is looked at in part only has none: pieces of what was cut would count.
    """
    own = _own(text)
    said = _telling(_said(own)) if len(own) < MAX_TEXT else []
    ways = [_asking([clause for one in said for clause in joint.split(one)]) for joint in _JOINTS]
    return [way for place, way in enumerate(ways) if 1 < len(way) <= MAX_CLAUSES and way not in ways[:place]]


def _said(text: str) -> list[str]:
    return sentences(_SIGHED.sub("\n", _ASKED.sub("?\n", text)))


def _telling(said: list[str]) -> list[str]:
    """Without small talk, which in a message of forty thousand question marks is looked for once."""
    talk = {one for one in set(said) if is_small_talk(one)}
    return [one for one in said if one not in talk]


def _asking(found: list[str]) -> list[str]:
    return _distinct([clause for one in found if not _PLEA.fullmatch(clause := one.strip(" ,，、"))])


def _own(text: str) -> str:
    """Without what it quotes, unless it is all quoted."""
    own = _QUOTED.sub("", ends(text, MAX_RAW))
    return ends(own if own.strip() else text, MAX_TEXT)


def _lined(text: str) -> str:
    """With the items of a list that was written on one line below one another, if they count from one."""
    starts: list[int] = []
    for found in _INLINE.finditer(text):
        if _place(found[0]) == len(starts) + 1:
            starts.append(found.start())
    if len(starts) < 2:
        return text
    return "\n".join(text[start:end] for start, end in pairwise([0, *starts, len(text)]))


def _place(mark: str) -> int:
    """What a mark counts: 2 for `2.`, `(b)`, `二、` and `②`."""
    sign = mark.strip("(（)）.、．").casefold()
    return _COUNTED.get(sign) or int(unicodedata.numeric(sign) if len(sign) == 1 else sign)


def _parts(said: list[str]) -> list[str]:
    """What follows a question belongs to it, unless it leads up to another one."""
    parts: list[str] = []
    current: list[str] = []
    further = False
    for sentence in said:
        if begins := _FURTHER.match(sentence):
            parts = _closed(parts, current, further)
            current, further = [], True
        current.append(sentence[begins.end() :] if begins else sentence)
        if sentence.endswith("?") and not (len(current) == 1 and _PLEA.fullmatch(sentence)):
            parts.append(" ".join(current))
            current, further = [], False
    return _closed(parts, current, further)


def _closed(parts: list[str], current: list[str], further: bool) -> list[str]:
    """The parts with sentences that end in no question: of the last part, unless they began as a further one."""
    if not current:
        return parts
    if parts and not further:
        return [*parts[:-1], " ".join([parts[-1], *current])]
    return [*parts, " ".join(current)]


def _distinct(parts: list[str]) -> list[str]:
    return [part for part in dict.fromkeys(parts) if _asks_anything(part)]


def _asks_anything(part: str) -> bool:
    return sum(map(str.isalnum, normalise(part))) >= MIN_LETTERS
