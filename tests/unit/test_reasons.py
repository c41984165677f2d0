"""Why a message was matched as it was: the sentences, in the language of the message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tests.unit.match_cases import BADGE, DESK, LEAVE, VPN, matcher, sample
from triage.calibrate import Thresholds
from triage.matching import Candidate, Verdict
from triage.model import Language
from triage.reasons import MAX_SHARED, Explanation, same_things, shared_words

ARTICLES = {article.id: article for article in DESK}


def key_and_values(key: str, language: Language, values: Mapping[str, object]) -> str:
    """In place of the catalogue, so that a test sees which sentence it is and what it names."""
    named = {name: value for name, value in values.items() if name not in ("confidence", "answer", "suggest")}
    return " ".join([key.removeprefix("reason."), *(f"{name}={value}" for name, value in named.items())])


def told(
    verdict: Verdict,
    *,
    top: Sequence[tuple[str, float]] = (("vpn", 0.9), ("badge", 0.0413)),
    closest: Sequence[str] = ("the vpn keeps disconnecting",),
    read: str = "vpn disconnecting",
    repairs: Mapping[str, str] | None = None,
    barred: str | None = None,
    by_meaning: bool = False,
) -> list[str]:
    explanation = Explanation(
        say=key_and_values,
        language=Language.EN,
        top=[Candidate(article=ARTICLES[id], confidence=confidence) for id, confidence in top],
        thresholds=Thresholds(answer=0.8, suggest=0.3),
        closest=closest,
        read=read,
        repairs=repairs or {},
        barred=barred,
        by_meaning=by_meaning,
    )
    return list(explanation.sentences(verdict))


def test_an_explanation_goes_from_the_decision_to_what_would_have_changed_it() -> None:
    """Decision, nearest phrasings, repairs, runner-up, and the other way it could have gone."""
    assert told(
        Verdict.ANSWER,
        closest=("the vpn keeps disconnecting", "vpn connection is unstable", "VPN drops"),
        repairs={"disconecting": "disconnecting"},
    ) == [
        "answer title=VPN drops",
        "closest phrasing=the vpn keeps disconnecting shared=vpn, disconnecting",
        "close phrasing=vpn connection is unstable",
        "close phrasing=VPN drops",
        "repaired written=disconecting meant=disconnecting",
        "runner_up title=Lost badge other=4.1%",
        "otherwise.answer",
    ]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_its_own_sentences(verdict: Verdict) -> None:
    """First what was decided, last what would have changed it."""
    sentences = told(verdict)
    assert sentences[0].startswith(f"{verdict} ")
    assert sentences[-1] == f"otherwise.{verdict}"


def test_small_talk_is_explained_without_articles() -> None:
    """Nobody asked about one."""
    assert told(Verdict.IGNORE) == ["ignore title=VPN drops", "otherwise.ignore"]


@pytest.mark.parametrize(("by_meaning", "said"), [(True, "closest_meaning"), (False, "closest_pieces")])
def test_a_phrasing_without_a_common_word_is_near_otherwise(by_meaning: bool, said: str) -> None:
    """A sentence that named no word in common would look broken; and who matches by words knows no meaning."""
    sentences = told(Verdict.SUGGEST, read="tunnel flaps", by_meaning=by_meaning)
    assert f"{said} phrasing=the vpn keeps disconnecting shared=" in sentences


def test_a_barred_article_is_explained_first() -> None:
    """Who expected it must see at once why it is missing."""
    assert told(Verdict.TICKET, barred="vpn invoice")[1] == "barred phrasing=vpn invoice"


def test_nothing_near_and_no_other_article_leave_their_sentences_out() -> None:
    """An article alone has no runner-up."""
    assert told(Verdict.TICKET, top=[("vpn", 0.1)], closest=()) == ["ticket title=VPN drops", "otherwise.ticket"]


@pytest.mark.parametrize(
    ("message", "phrasing", "shared"),
    [
        ("my vpn drops now", "vpn always drops", ["vpn", "drops"]),
        ("vpn vpn vpn", "vpn", ["vpn"]),
        ("vpns", "vpn", []),
        ("vpn이 자꾸 끊겨요", "자꾸 vpn 연결이 끊겨요", ["vpn", "자꾸", "끊겨요"]),
        ("印表機一直卡紙怎麼辦", "三樓印表機卡紙", ["印表機", "卡紙"]),
        ("我忘記密碼了", "忘記登入密碼", ["忘記", "密碼"]),
        ("密", "密碼", []),
        ("vpn斷線了", "公司vpn一直斷線", ["vpn", "斷線"]),
        ("", "vpn", []),
        ("vpn", "", []),
    ],
)
def test_what_two_texts_share(message: str, phrasing: str, shared: list[str]) -> None:
    """Whole words, and of Chinese runs of two characters and more, in the order of the message."""
    assert shared_words(message, phrasing) == shared


def test_only_a_few_shared_words_are_named() -> None:
    """A sentence stays a sentence."""
    text = "one two three four five six seven eight"
    assert shared_words(text, text) == text.split()[:MAX_SHARED]


@pytest.mark.parametrize(
    ("message", "phrasing", "same"),
    [
        ("비번을 까먹었어요", "forgot my password", [("비번을 까먹었어요", "forgot my password")]),
        ("wifi掛了", "office wi-fi", [("wifi", "wi-fi")]),
        ("my monitor", "three monitors", []),
        ("the visitor's car", "where do visitors park", []),
        ("비밀번호를 잊어버렸어요", "비밀번호를 잊어버렸을 때", []),
        ("筆電好慢", "筆電很慢怎麼辦", [("筆電好慢", "筆電很慢")]),
        ("my monitor", "the badge", []),
        ("", "", []),
    ],
)
def test_things_called_by_two_names_are_named(message: str, phrasing: str, same: list[tuple[str, str]]) -> None:
    """What both call alike, or nearly, is among the words in common already."""
    assert same_things(message, phrasing) == same


def test_a_thing_called_by_another_name_is_a_reason() -> None:
    """Who asks why sees that a synonym made the match."""
    assert not [sentence for sentence in told(Verdict.SUGGEST, read="tunnel flaps") if sentence.startswith("same ")]
    assert "same pairs=cuts out = keeps disconnecting" in told(Verdict.SUGGEST, read="it cuts out")


def test_reasons_name_what_was_found() -> None:
    """Through the real catalogue: article, both thresholds' sides, phrasing, repair, runner-up."""
    match = matcher(*DESK).match("the vpn keeps disconecting")
    assert match.best is not None
    confidence, answer = f"{match.best.confidence:.1%}", f"{match.answer:.1%}"
    first, nearest, *_, last = match.reasons
    assert first == f"The article “VPN drops” answers this with a confidence of {confidence}; an answer needs {answer}."
    assert nearest.startswith("The phrasing nearest to the message is “the vpn keeps disconnecting”; in common: ")
    assert "“disconecting” was read as “disconnecting”." in match.reasons
    assert any(reason.startswith("Next comes “") for reason in match.reasons)
    assert last == f"With a confidence below {answer} the article would only have been suggested."


@pytest.mark.parametrize(
    ("text", "shared"),
    [("VPN 一直斷線", "一直斷線"), ("VPN이 자꾸 끊겨요", "자꾸"), ("VPN keeps dropping", "dropping")],
)
def test_reasons_are_in_the_language_of_the_message(text: str, shared: str) -> None:
    """And name the words in common in it."""
    match = sample().match(text)
    assert shared in match.reasons[1]
    assert all(candidate.article.language is match.language for candidate in match.top)


def test_phrasings_are_quoted_as_their_owner_wrote_them() -> None:
    """Not as they were normalised."""
    written = replace(BADGE, phrasings=("I LOST my Badge (again)!",))
    match = matcher(VPN, LEAVE, written).match("i lost my badge again")
    assert any("“I LOST my Badge (again)!”" in reason for reason in match.reasons)
