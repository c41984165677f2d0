"""What the matcher reads of a message: its words, stripped of what carries no question.

`triage.features` and `triage.repair` cut normalised text into features and words; `triage.decide`
asks whether a message is a mere thanks or greeting. English, Korean and Traditional Chinese are
treated alike, and every function takes time linear in at most `MAX_RAW` characters.
"""

from __future__ import annotations

import re
import unicodedata

from triage.model import Language

MAX_RAW = 40_000
"""Characters of a message that are looked at, the longest that a platform delivers."""

MAX_TEXT = 4_000
"""Characters of normalised text that are kept."""

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
HANGUL = "\uac00-\ud7a3\u1100-\u11ff"

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_URL = re.compile(r"\b(?:https?://|www\.)\S+")
_MENTION = re.compile(r"(?<!\S)@[\w.-]+")
_SHORTCODE = re.compile(r"(?<![\w:]):[a-z][a-z0-9_+'-]{0,40}:")
_QUOTED = re.compile(r"^(?:>|&gt;).*$", re.MULTILINE)
_QUOTE_MARK = re.compile(r"^(?:>|&gt;)+", re.MULTILINE)
_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r"\s*\n\s*")
_SIGNATURE = re.compile(
    r"\n(?:--+ ?\n|_{5,}|-{3,} ?original message|on [^\n]{5,80} wrote:|sent from my |get outlook for |from: "
    r"|(?:best|kind|warm) regards\b|(?:best|cheers|regards|sincerely|thanks|many thanks|thank you)[,!.]? ?\n"
    r"|나의 iphone에서|[^\n]{1,30} (?:드림|올림)(?:\n|$)|從我的 iphone|寄自我的)"
)

_SENTENCE = re.compile(r"(?<=[.!?;])\s+|[。！？；\n]+|(?<=[가-힣][.!?~])(?=\S)|(?<=[a-z]{2}\?)(?=\S)")
_WORD = re.compile(rf"[{HAN}]+|[{HANGUL}]+|[^\W_{HAN}{HANGUL}]+(?:['’][^\W_{HAN}{HANGUL}]+)*")

_THANKS = """
thanks thank thx ty tysm tks cheers appreciated appreciate 감사 감사합니다 감사해요 감사드립니다 고마워 고마워요 고맙습니다
땡큐 ㄱㅅ 謝謝 謝謝你 謝謝您 感謝 多謝 感恩 謝啦 謝了 3q
"""
_GREETING = """
hi hello hey hiya yo morning afternoon evening bye goodbye ping test 안녕 안녕하세요 안녕하십니까 하이 헬로 반갑습니다 수고하세요
수고하십니다 수고하셨습니다 你好 您好 哈囉 嗨 早 早安 午安 晚安 大家好 再見 掰掰 辛苦了
"""
_FILLER = """
ok okay k great good nice cool perfect awesome super got it that worked works so much very a lot you u all everyone team again
for the your help there yes yep sure fine will do well done guys folks and oh thats that's it's its fixed solved now
네 넵 예 응 좋아요 좋습니다 알겠습니다 알겠어요 정말 너무 많이 덕분에 해결됐어요 해결됐습니다 해결되었습니다 확인했습니다 확인 다들 여러분 모두
잘 됩니다 돼요 도와주셔서 빠른 답변 好 好的 好喔 好啊 可以了 沒問題 收到 了解 知道了 太好了 解決了 大家 你的幫忙 幫忙 很 非常 真的 囉 喔 啊 啦 了
"""


def normalise(text: str) -> str:
    """Folded text without markup, links, mentions, emoji, quotes and signature; lines are kept apart.

    When nothing but quotes is left, the quoted words are kept. At most `MAX_TEXT` characters.
    """
    folded = unicodedata.normalize("NFKC", text[:MAX_RAW]).casefold()
    folded = unicodedata.normalize("NFKC", folded.replace("\r", "\n"))
    visible = "".join(map(_visible, folded))
    for noise in (_CODE, _URL, _MENTION, _SHORTCODE):
        visible = noise.sub(" ", visible)
    own = _tidy(_QUOTED.sub("", visible)) or _tidy(_QUOTE_MARK.sub("", visible))
    return _without_signature(own)[:MAX_TEXT].strip()


def sentences(text: str) -> list[str]:
    """The sentences of normalised text, in order, none of them blank."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def words(text: str) -> list[str]:
    """The runs of one script in normalised text: `vpn이` is two words, `vpn` and `이`."""
    return _WORD.findall(text)


def jamo(word: str) -> str:
    """Hangul syllables as their letters, so that 안돼 and 안되 share most of them."""
    return unicodedata.normalize("NFD", word)


def is_hangul(word: str) -> bool:
    return bool(word) and ("\uac00" <= word[0] <= "\ud7a3" or "\u1100" <= word[0] <= "\u11ff")


def is_han(word: str) -> bool:
    return bool(word) and ("\u3400" <= word[0] <= "\u9fff" or "\uf900" <= word[0] <= "\ufaff")


def language_of(text: str) -> Language:
    """The language a reply should be in; English when no Hangul or Han says otherwise.

    Latin letters weigh a fifth: product names are Latin in every language (`VPN이 안돼요`).
    """
    han = hangul = latin = 0
    for char in normalise(text):
        if is_hangul(char) or "\u3131" <= char <= "\u318e":
            hangul += 1
        elif is_han(char):
            han += 1
        elif char.isalpha():
            latin += 1
    if max(hangul, han) * 5 < latin or not hangul + han:
        return Language.EN
    return Language.KO if hangul * 2 >= han else Language.ZH_HANT
