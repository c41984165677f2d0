"""What the matcher reads of a message: its words, stripped of what carries no question.

`triage.features` and `triage.repair` cut normalised text into features and words; `triage.decide`
asks whether a message is a mere thanks or greeting. English, Korean and Traditional Chinese are
treated alike, and no function looks at more than `MAX_RAW` characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from triage.model import Language

MAX_RAW = 6_000
"""Characters of a message that are looked at; of a longer one its beginning and its end, between which logs stand."""

MAX_TEXT = 1_500
"""Characters of normalised text that are kept."""

MAX_TALK = 120
"""A longer message is never mere small talk."""

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
HANGUL = "\uac00-\ud7a3\u1100-\u11ff"

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_URL = re.compile(r"\b(?:https?://|www\.)\S+")
_MENTION = re.compile(r"(?<!\S)@[\w.-]+")
_SHORTCODE = re.compile(r"(?<![\w:]):[a-z][a-z0-9_+'-]{0,40}:")
_LONE_JAMO = re.compile("[\u1100-\u11ff]+")
_THANKS_SIGN = re.compile(
    "(?:[\\s\ufe0f\U0001f3fb-\U0001f3ff]|👍|🙏|🙌|👌|❤|♥|💯|😊|ㄱㅅ|ㄳ|ㅇㅋ|ㅇㅇ|:(?:\\+1|thumbsup|pray|raised_hands|ok_hand|heart|100|blush):)+"
)
_LAUGHTER = re.compile(r"(?=.*[ㅋㅎ])[\sㅋㅎ~^!.]+")
_LETTER = re.compile("[\u3131-\u318e]")
_PLEASANTRY = re.compile(
    r"""
    \b(?: how\ (?:are\ (?:you|things)|is\ it\ going|do\ you\ do)(?:\ (?:doing|today))*
      | how's\ (?:it\ going|everything|life)
      | (?:i\ )?hope\ (?:you|you're|everyone|everybody|all|this)\b(?:\ (?:finds|you|are|is|all|doing))*\ well
      | have\ a\ (?:nice|good|great|lovely)\ (?:day|evening|weekend|one|week|time) | nice\ to\ meet\ you
      | see\ you(?:\ (?:later|soon|tomorrow|around))? | no\ (?:problem|worries) | (?:who|what)\ are\ you
      | what\ can\ you\ do | testing | test(?:\ [123])* | good\ night | happy\ (?:monday|friday|new\ year)
      | l+o+l+ | (?:ha|he){2,}h? )\b
      | 좋은\ (?:아침|하루|주말|저녁|오후|밤)(?:입니다|이에요|이네요|\ ?(?:되세요|보내세요))?
      | (?:즐거운|행복한)\ (?:하루|주말|명절)\ ?(?:되세요|보내세요) | (?:주말|하루|휴가)\ 잘\ (?:보내세요|보내셨어요)
      | 잘\ (?:지내시죠|지내세요|지내셨어요|지내) | 새해\ 복\ 많이\ 받으세요 | 누구세요 | 테스트(?:입니다|중)?
      | (?:你|您|大家|最近)好嗎 | 祝?你?(?:有個?)?(?:美好|愉快)的一天 | 週末愉快 | 新年快樂 | 早上好 | 下午好 | 晚上好
      | 大家早(?![安上]) | 你是誰 | 你會做什麼 | 測試一?下? | [哈呵]{2,}
    """,
    re.VERBOSE,
)
"""What is said for politeness' sake, or to see who answers."""

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

_DECORATION = frozenset({"So", "Sk", "Cf", "Cc", "Co", "Cs", "Cn"})
_ENGLISH_WORDS = """
a about after all am an and any anyone are as at be been but by can cannot can't could did do does doesn't don't for
from get has have help hello hi how i i'm if in is isn't it its it's just me my need new no not of on or our please
should since so some still that the their them there they this to was we what when where which who why will with won't
would you your
"""
_FOREIGN_WORDS = """
aber al alla als anche ao au aus aux avec avez bei bij bin c'est ce ces che chi ci com come comment como con cosa
cuando cuándo cómo da dal dalla dan dans das dat de del della delle dem den der des deze di dich die dir dit do
donde dos dove du dónde e een ein eine einen einer eines el ella elle em en er es est esta esto estou está están et
eu foi für geen gli habe haben hat hay heb hebben heeft het hij ho hoe i ich ihr ik il in io is isso ist j'ai je
kan kann kein keine la las le les leur lo los ma maar mais mas mein meine meinen meiner mes met meu mi mia mich mij
mijn minha mio mir mis mit mon n'est na naar nach nas ne nel nella nicht niet no noch nog non nos nous num não o
oder of om onde ons op os ou où par para pas pela pelo perché pero peut peux più plus por posso pour pourquoi puede
puedo puis quand quando que questo qui qué sa se sem ser ses si sich sie sin sind son sono soy su suis sul sur sus
te tem tengo tenho um uma un una und une uno uns van você vom von voor votre vous waar wann warum wat we wenn wer
wie wij wir wird wo y ya yo zijn zo zu zum zur
"""
_THANKS = """
thanks thank thx ty tysm tks cheers appreciated 감사 감사합니다 감사해요 감사드립니다 고마워 고마워요 고맙습니다 땡큐
謝謝 感謝 多謝 感恩 謝啦 謝了 3q
ok okay k great good nice cool perfect awesome super noted understood works worked fixed solved resolved
네 넵 예 응 좋아요 좋습니다 알겠습니다 알겠어요 해결됐어요 해결됐습니다 해결되었습니다 확인했습니다 오케이
好 好的 可以了 沒問題 收到 了解 知道了 太好了 解決了 太棒了 好了 修好了 已經好了
"""
_GREETINGS = """
hi hello hey hiya yo bye goodbye 안녕 안녕하세요 안녕하십니까 하이 헬로 반갑습니다 반가워요
수고하세요 수고하십니다 수고하셨습니다 你好 您好 哈囉 嗨 再見 掰掰 辛苦了
"""
_TIMES_OF_DAY = "morning afternoon evening 早 早安 午安 晚安"
_PADDING = """
it that this so very a lot you u all everyone team again for the your help support there yes yep sure fine will do well
done guys folks and oh that's it's is now me much many quick fast got works
정말 너무 많이 덕분에 잘 됩니다 돼요 돼네요 도와주셔서 빠른 답변 다들 여러분 모두 이제 진짜 대단히
你 您 你們 大家 的 幫忙 協助 很 非常 真的 囉 喔 啊 啦 了 你的
"""


class _Visible(dict[int, str]):
    """A `str.translate` table, filled as characters are met: emoji become blanks, invisible ones vanish."""

    def __missing__(self, code: int) -> str:
        self[code] = shown = _shown(chr(code))
        return shown


def _shown(char: str) -> str:
    if char in "\n\t":
        return char
    if "\ufe00" <= char <= "\ufe0f" or unicodedata.category(char) == "Cf":
        return ""
    return " " if unicodedata.category(char) in _DECORATION and char not in "^`" else char


_VISIBLE = _Visible()


@lru_cache(maxsize=64)
def normalise(text: str) -> str:
    """Folded text without markup, links, mentions, emoji, quotes and signature; lines are kept apart.

    When nothing but quotes is left, the quoted words are kept. At most `MAX_TEXT` characters.
    """
    folded = unicodedata.normalize("NFKC", ends(text, MAX_RAW)).casefold()
    folded = unicodedata.normalize("NFKC", folded.replace("\r", "\n"))
    visible = folded.translate(_VISIBLE)
    for noise in (_CODE, _URL, _MENTION, _SHORTCODE, _LONE_JAMO):
        visible = noise.sub(" ", visible)
    own = _tidy(_QUOTED.sub("", visible)) or _tidy(_QUOTE_MARK.sub("", visible))
    return _tidy(ends(_without_signature(own), MAX_TEXT))


def ends(text: str, most: int) -> str:
    """At most so many characters, and a line break between: three quarters from its beginning, one from its end."""
    return text if len(text) <= most else f"{text[: 3 * most // 4]}\n{text[1 - most // 4 :]}"


def sentences(text: str) -> list[str]:
    """The sentences of normalised text, in order, none of them blank."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def words(text: str) -> list[str]:
    """The runs of one script in normalised text: `vpn이` is two words, `vpn` and `이`."""
    return _WORD.findall(text)


def spans(text: str) -> list[tuple[int, int]]:
    """Where the words of normalised text begin and end."""
    return [found.span() for found in _WORD.finditer(text)]


def replace_words(text: str, meant: Mapping[str, str]) -> str:
    """Normalised text with some of its words (as `words` cuts them) put differently."""
    return _WORD.sub(lambda found: meant.get(found[0], found[0]), text) if meant else text


def jamo(word: str) -> str:
    """Hangul syllables as their letters, so that 안돼 and 안되 share most of them."""
    return unicodedata.normalize("NFD", word)


def syllables(letters: str) -> str:
    """The inverse of `jamo`."""
    return unicodedata.normalize("NFC", letters)


def is_hangul(word: str) -> bool:
    return bool(word) and ("\uac00" <= word[0] <= "\ud7a3" or "\u1100" <= word[0] <= "\u11ff")


def is_han(word: str) -> bool:
    return bool(word) and ("\u3400" <= word[0] <= "\u9fff" or "\uf900" <= word[0] <= "\ufaff")


def language_of(text: str) -> Language:
    """The language a reply should be in; English unless Hangul or Han outweigh the Latin letters.

    A Hangul or Han character, or a lone letter of Hangul (ㅠㅠ), weighs three letters. English function words
    weigh double, other Latin words a fifth: product names are Latin in every language (`VPN이 안돼요`).
    """
    hangul, han, latin = 3.0 * len(_LETTER.findall(text[:MAX_TEXT])), 0.0, 0.0
    for word in words(normalise(text) or text[:MAX_TEXT]):
        if is_hangul(word):
            hangul += 3 * len(word)
        elif is_han(word):
            han += 3 * len(word)
        else:
            latin += len(word) * (2 if word in _ENGLISH else 0.2)
    if max(hangul, han) <= latin:
        return Language.EN
    return Language.KO if 2 * hangul >= han else Language.ZH_HANT


def is_english(text: str) -> bool:
    """Whether a text in Latin letters is not more likely German, French, Spanish, Portuguese, Italian or Dutch, nor in
    any other letters: telegrams without a single function word are taken for English.
    """
    found = words(normalise(text) or text[:MAX_TEXT])
    foreign = sum(word in _FOREIGN or not word.replace("’", "'").isascii() for word in found)
    return language_of(text) is Language.EN and (not foreign or foreign < sum(word in _ENGLISH for word in found))


def is_everyday(word: str) -> bool:
    """Whether a Latin word in lower case is one that everybody writes, with its apostrophe or without (`cant`)."""
    return word in _EVERYDAY


def is_thanks(text: str) -> bool:
    """Whether the message merely thanks or confirms ("thanks!", "ok great", "감사합니다", "謝謝", "👍")."""
    if _THANKS_SIGN.fullmatch(text[:MAX_TALK]):
        return True
    return not _asks(text) and _consists_of(text, _THANKING, _THANKING | _GREETING | _PAD)


def is_small_talk(text: str) -> bool:
    """Whether the message merely thanks, confirms, greets or laughs, and so asks for nothing that an article has."""
    polite = _THANKING | _GREETING | _DAYTIME
    if is_thanks(text) or _LAUGHTER.fullmatch(text[:MAX_TALK]):
        return True
    return _consists_of(text, polite - _THANKING if _asks(text) else polite, polite | _PAD, greetings=_PLEASANTRY)


def _asks(text: str) -> bool:
    """Whether it has a question mark: "is it fixed?" is no thanks."""
    return "?" in text or "？" in text


def _consists_of(
    text: str, needed: frozenset[str], allowed: frozenset[str], greetings: re.Pattern[str] | None = None
) -> bool:
    if len(text) > MAX_TALK:
        return False
    has_needed = False
    normal = normalise(text)
    for word in words(greetings.sub(" hello ", normal) if greetings else normal):
        parts = _split(word, allowed)
        if not allowed.issuperset(parts):
            return False
        has_needed = has_needed or not needed.isdisjoint(parts)
    return has_needed


def _split(word: str, known: frozenset[str]) -> list[str]:
    """A run of Han cut greedily into known words, since nothing separates them; other words as they are."""
    if not is_han(word):
        return [word]
    parts: list[str] = []
    while word:
        size = next((n for n in range(min(len(word), 4), 0, -1) if word[:n] in known), len(word))
        parts.append(word[:size])
        word = word[size:]
    return parts


def _tidy(text: str) -> str:
    return _BREAKS.sub("\n", _SPACES.sub(" ", text)).strip()


def _without_signature(text: str) -> str:
    """The text before its signature; the whole text when nothing would be left."""
    found = _SIGNATURE.search(text)
    return text[: found.start()] if found and text[: found.start()].strip() else text


_THANKING = frozenset(_THANKS.split())
_GREETING = frozenset(_GREETINGS.split())
_DAYTIME = frozenset(_TIMES_OF_DAY.split())
_PAD = frozenset(_PADDING.split())
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_FOREIGN = frozenset(_FOREIGN_WORDS.split()) - _ENGLISH
_EVERYDAY = frozenset(word.replace("'", "") for word in _ENGLISH | _THANKING | _GREETING | _DAYTIME | _PAD)
