"""Which article answers a message, on small knowledge bases: what is found, answered, barred and explained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.match_cases import (
    BADGE,
    DESK,
    LEAVE,
    VPN,
    FakeEncoder,
    best,
    hashed_words,
    matcher,
    random_vector,
    sample,
    text_matcher,
)
from triage.calibrate import usual_threshold
from triage.knowledge import Article
from triage.match import CONFUSING, Design
from triage.matching import EncoderFailed, Labelled, Match, Verdict
from triage.model import Language


# --- what is found -------------------------------------------------------------------------------
def test_a_small_desk_answers_its_own_phrasings() -> None:
    """Three articles are enough to be useful."""
    match = matcher(*DESK).match("I lost my badge")
    assert (match.verdict, best(match), match.team) == (Verdict.ANSWER, "badge", "facilities")


def test_small_talk_is_ignored() -> None:
    """A greeting gets no article and no ticket."""
    assert matcher(*DESK).match("hi there").verdict is Verdict.IGNORE


def test_the_same_knowledge_base_gives_the_same_match() -> None:
    """Nothing depends on chance or on an earlier question."""
    first, second = matcher(*DESK), matcher(*DESK)
    second.match("something else")
    assert first.match("vpn is lost") == second.match("vpn is lost")


def test_the_order_of_articles_does_not_matter() -> None:
    """A knowledge base is a set, however a storage lists it."""
    first, second = matcher(VPN, BADGE, LEAVE), matcher(LEAVE, VPN, BADGE)
    assert first.match("vpn is lost") == second.match("vpn is lost")


@pytest.mark.parametrize(
    ("text", "article"),
    [
        (
            "Hi all, hope you had a nice weekend. I have been travelling for client meetings since Tuesday. "
            "The quarter is closing and things are hectic. My account is locked after too many tries. Thanks a lot!",
            "account-locked",
        ),
        (
            "안녕하세요. 지난주부터 고객사에 나와 있습니다. 날씨가 많이 더웠고 회의도 길었어요. "
            "VPN이 자꾸 끊겨요. 수고하세요.",
            "vpn-drops",
        ),
        ("大家好。我這個禮拜都在客戶那邊。天氣很熱，會議也很長。VPN 一直斷線。謝謝大家。", "vpn-drops"),
    ],
)
def test_a_long_message_finds_its_question(text: str, article: str) -> None:
    """How it came about does not drown what is asked."""
    assert best(sample().match(text)) == article


def test_what_leads_up_to_a_question_does_not_unsettle_it() -> None:
    """The sentences that ask say how sure the article is; the whole message is less sure."""
    story = "The train was late and it rained. Lunch was nice. The vpn keeps disconnecting. My colleague sends regards."
    windowed, whole = matcher(*DESK), matcher(*DESK, design=Design(windows=False))
    first, second = windowed.match(story).best, whole.match(story).best
    assert first is not None
    assert second is not None
    assert first.article.id == second.article.id == "vpn"
    assert first.confidence > second.confidence


def test_a_title_finds_an_article() -> None:
    """A title is asked like a phrasing, though no phrasing has its words."""
    crypto = Article(id="crypto", title="Quantum certificates", phrasings=("my token is expired",))
    assert best(matcher(*DESK, crypto).match("quantum certificates please")) == "crypto"


def test_a_line_of_the_body_finds_an_article() -> None:
    """What an article explains is what it answers, though no phrasing has its words."""
    body = "Open the portal.\n\nThe turnstile blinks red when the chip is worn out."
    assert best(matcher(VPN, LEAVE, replace(BADGE, body=body)).match("turnstile blinks red")) == "badge"


def test_an_article_without_phrasings_is_found_by_its_body() -> None:
    """Imported pages often have nothing but a body."""
    body = "Bicycles may be parked in the basement.\nShowers are on floor 1."
    page = Article(id="page", title="Notice 12", body=body)
    assert best(matcher(VPN, BADGE, page).match("where can I park my bicycle")) == "page"


def test_a_knowledge_base_of_titles_alone_works() -> None:
    """One phrasing an article leaves nothing to calibrate on; the usual thresholds hold."""
    titles = [Article(id=article.id, title=article.title) for article in DESK]
    assert best(matcher(*titles).match("lost badge")) == "badge"


def test_one_text_an_article_is_learnt_without_a_warning() -> None:
    """scikit-learn wonders whether so many classes of so few texts are none; warnings are errors here."""
    titles = [Article(id=f"article-{number}", title=f"Room {number} on floor {number}") for number in range(30)]
    assert best(matcher(*titles).match("where is room 17")) == "article-17"


def test_the_team_of_the_nearest_article_is_named_only_when_something_is_near() -> None:
    """Strangers are routed by hand."""
    assert matcher(*DESK).match("zebra quilt").team is None


# --- several questions ---------------------------------------------------------------------------
def parts(match: Match) -> list[tuple[str, Verdict, str]]:
    return [(part.text, part.verdict, best(part)) for part in match.parts]


@pytest.mark.parametrize(
    ("text", "articles"),
    [
        ("The vpn keeps disconnecting? And how do I book holiday?", ["vpn-drops", "book-holiday"]),
        ("VPN keeps dropping. Also, I forgot my password", ["vpn-drops", "forgotten-password"]),
        ("1. VPN keeps dropping\n2. I forgot my password", ["vpn-drops", "forgotten-password"]),
        ("VPN이 자꾸 끊겨요? 비밀번호를 잊어버렸는데 어떻게 하나요?", ["vpn-drops", "forgotten-password"]),
        ("VPN이 자꾸 끊겨요. 그리고 비밀번호를 잊어버렸어요", ["vpn-drops", "forgotten-password"]),
        ("- VPN이 자꾸 끊겨요\n- 비밀번호를 잊어버렸어요", ["vpn-drops", "forgotten-password"]),
        ("VPN 一直斷線？忘記密碼怎麼辦？", ["vpn-drops", "forgotten-password"]),
        ("VPN 一直斷線。另外，忘記密碼了。", ["vpn-drops", "forgotten-password"]),
        ("1、VPN 一直斷線\n2、忘記密碼了", ["vpn-drops", "forgotten-password"]),
        ("how do i reset my password and where is my payslip", ["forgotten-password", "find-payslip"]),
        (
            "How do I reset my password? Where is my payslip and when can I park?",
            ["forgotten-password", "find-payslip"],
        ),
        ("비밀번호 재설정은 어떻게 하고 급여명세서는 어디서 보나요?", ["forgotten-password", "find-payslip"]),
        ("我忘記密碼，還有我的識別證不見了", ["forgotten-password", "badge-lost"]),
        ("1. 密碼怎麼重設 2. 薪資單在哪裡看", ["forgotten-password", "find-payslip"]),
    ],
)
def test_each_question_of_a_message_is_matched(text: str, articles: list[str]) -> None:
    """In all three languages, as sentences, with a word for "also", within one sentence, and as lists."""
    assert [best(part) for part in sample().match(text).parts][:2] == articles


def test_each_question_has_its_own_verdict() -> None:
    """What is not known is named beside what is."""
    match = matcher(*DESK).match("1. the vpn keeps disconnecting\n2. I lost my badge\n3. the coffee machine leaks")
    assert [(text, verdict) for text, verdict, _ in parts(match)] == [
        ("the vpn keeps disconnecting", Verdict.ANSWER),
        ("I lost my badge", Verdict.ANSWER),
        ("the coffee machine leaks", Verdict.TICKET),
    ]
    assert all(part.reasons and not part.parts for part in match.parts)


def test_each_question_keeps_the_sentence_that_leads_up_to_it() -> None:
    """An owner who reads a part of a message must understand it."""
    match = matcher(*DESK).match(
        "I am at a client. How do I book holiday? I was robbed yesterday. Where do I get a new access card?"
    )
    assert parts(match) == [
        ("I am at a client. How do I book holiday?", Verdict.ANSWER, "leave"),
        ("I was robbed yesterday. Where do I get a new access card?", Verdict.ANSWER, "badge"),
    ]


def test_of_many_questions_the_last_ones_are_named() -> None:
    """Nothing that was asked is dropped silently, and the time stays bounded."""
    asked = [f"How do I book holiday in month {number}?" for number in range(8)]
    match = matcher(*DESK).match(" ".join([*asked, "Where is the moon today?"]))
    assert (match.parts[-1].text, match.parts[-1].verdict) == ("Where is the moon today?", Verdict.TICKET)


@pytest.mark.parametrize(
    "text",
    [
        "I lost my badge",
        "I lost my badge. It was on the train. What now?",
        "the vpn keeps disconnecting? the vpn keeps disconnecting?",
        "the vpn keeps disconnecting? is the vpn connection unstable?",
        "zebra quilt? purple nonsense?",
        "> I lost my badge?\n> how do I book holiday?\nthe vpn keeps disconnecting",
        "I lost my badge and I was at the station and it was late",
        "the vpn keeps disconnecting and my coffee is cold",
    ],
)
def test_one_question_has_no_parts(text: str) -> None:
    """One question, the same one twice, two of one article, none that is known, others' quoted ones."""
    assert matcher(*DESK).match(text).parts == ()


# --- not this ------------------------------------------------------------------------------------
def test_an_article_is_barred_by_what_it_is_not_about() -> None:
    """An owner's "not this" takes the article out of the running, and the reasons say so."""
    barred = replace(VPN, against=("the vpn invoice is unpaid",))
    match = matcher(barred, BADGE, LEAVE).match("the vpn invoice is unpaid")
    assert best(match) != "vpn"
    assert any("“the vpn invoice is unpaid”, which was marked as not this" in reason for reason in match.reasons)


def test_every_article_that_is_not_about_it_is_barred() -> None:
    """Two owners said "not this": neither article is named, however many others are left."""
    question = "the vpn invoice is unpaid"
    bill = Article(id="bill", title="VPN bill", phrasings=("vpn invoice", "pay the vpn bill"), against=(question,))
    match = matcher(replace(VPN, against=(question,)), bill, BADGE, LEAVE).match(question)
    assert {candidate.article.id for candidate in match.top} == {"badge", "leave"}


def test_a_barred_article_alone_is_no_answer() -> None:
    """There is no other to name in its place."""
    match = matcher(replace(VPN, against=("the vpn invoice is unpaid",))).match("the vpn invoice is unpaid")
    assert match.verdict is Verdict.TICKET


def test_a_barred_phrasing_leaves_the_others_alone() -> None:
    """What is nearer to the article's own phrasings is still answered."""
    barred = replace(VPN, against=("the vpn invoice is unpaid",))
    match = matcher(barred, BADGE, LEAVE).match("the vpn keeps disconnecting")
    assert (match.verdict, best(match)) == (Verdict.ANSWER, "vpn")


def test_a_barred_phrasing_is_no_other_articles() -> None:
    """Not to be about something says nothing of what another article is about."""
    barred = replace(VPN, against=("I lost my badge",))
    match = matcher(barred, BADGE, LEAVE).match("I lost my badge")
    assert (match.verdict, best(match)) == (Verdict.ANSWER, "badge")


# --- thresholds ----------------------------------------------------------------------------------
def test_more_precision_means_a_higher_threshold() -> None:
    """A stricter desk answers less, and every step counts."""
    thresholds = [matcher(*DESK, precision=precision).match("vpn").answer for precision in (0.8, 0.95, 0.99)]
    assert thresholds[0] < thresholds[1] < thresholds[2]


def test_wrong_answers_that_people_labelled_raise_the_threshold() -> None:
    """Forty questions that look like the vpn's and are answered by nothing."""
    wrong = [Labelled(text=f"the vpn keeps billing account {number}", article=None) for number in range(40)]
    right = [Labelled(text=f"badge {number} lost", article="badge") for number in range(10)]
    assert text_matcher(*DESK, labelled=wrong + right).thresholds.answer > text_matcher(*DESK).thresholds.answer


def test_right_answers_that_people_labelled_never_raise_the_threshold() -> None:
    """A hundred questions that all found their article, surely: most confirmed answers are of that kind."""
    ends = ("since monday", "again", "at home", "at the office", "in the train", "today", "now", "on floor 3")
    said = [(text, article.id) for article in DESK for text in article.phrasings]
    labelled = [Labelled(text=f"{text} {end}", article=id) for text, id in said for end in ends]
    assert text_matcher(*DESK, labelled=labelled).thresholds.answer <= text_matcher(*DESK).thresholds.answer


def test_labelled_questions_that_are_phrasings_teach_nothing() -> None:
    """What the base has word for word is no evidence of what it finds."""
    labelled = [Labelled(text=text.upper(), article="vpn") for text in VPN.phrasings] * 30
    assert text_matcher(*DESK, labelled=labelled).thresholds == text_matcher(*DESK).thresholds


def test_shadowing_phrasings_are_named() -> None:
    """A phrasing that looks like another article's is surely taken for it once hidden."""
    told = tuple(f"{text} today" for text in VPN.phrasings)
    shadow = Article(id="shadow", title="Mail quota", phrasings=(*told, "mailbox is full", "quota of my mail"))
    confusions = text_matcher(*DESK, shadow).confusions()
    assert {frozenset(pair) for *pair, _ in confusions} == {frozenset({"shadow", "vpn"})}
    said = {"shadow": shadow.phrasings, "vpn": VPN.phrasings}
    assert all(phrasing in said[own] for own, _, phrasing in confusions)


def test_every_confusion_was_sure_and_wrong() -> None:
    """Each is backed by a hidden phrasing, and none names an article as its own shadow."""
    matcher = sample()
    wrong = matcher.hidden.inside & ~matcher.hidden.right & (matcher.hidden.confidence >= CONFUSING)
    confusions = matcher.confusions()
    assert len(confusions) == int(wrong.sum()) > 0
    assert all(own != other for own, other, _ in confusions)


def test_without_folds_the_usual_threshold_holds() -> None:
    """What an ablation leaves out is out."""
    known = text_matcher(*DESK, design=Design(folds=False))
    assert known.thresholds.answer == pytest.approx(usual_threshold(0.95))
    assert known.confusions() == []


# --- two tiers -----------------------------------------------------------------------------------
def words_and_vectors(encoder: FakeEncoder, phrasings: int = 6) -> tuple[Match, Match]:
    """The same question to the lexical matcher and to a semantic one with this encoder."""
    articles = [
        Article(id=noun, title=f"About the {noun}", phrasings=tuple(f"the {noun} {verb}" for verb in VERBS[:phrasings]))
        for noun in ("vpn", "badge", "printer", "laptop", "salary", "canteen", "parking", "heating")
    ]
    lexical = text_matcher(*articles)
    semantic = matcher(*articles, encoder=encoder, lexical=lexical)
    return lexical.match("the printer is broken"), semantic.match("the printer is broken")


VERBS = ("is broken", "does not work", "fails again", "was changed", "cannot be used", "makes trouble")


def test_an_encoder_that_knows_nothing_is_left_aside() -> None:
    """A language is matched by words where meaning was seen to find less."""
    lexical, semantic = words_and_vectors(FakeEncoder(random_vector))
    assert semantic == lexical


def test_an_encoder_that_helps_is_used() -> None:
    """Where meaning finds as much, it has a say."""
    encoder = FakeEncoder(hashed_words)
    lexical, semantic = words_and_vectors(encoder)
    assert "the printer is broken" in encoder.read
    assert best(semantic) == best(lexical) == "printer"
    assert semantic.top != lexical.top


def test_an_article_without_a_translation_is_found_from_another_language() -> None:
    """English has an encoder of its own here; the one of all languages knows what the Korean words mean."""
    same = {"와이파이 끊김": "the vpn keeps disconnecting"}
    encoder = FakeEncoder(lambda text: hashed_words(same.get(text, text)))
    encoder.specialists = {Language.EN: FakeEncoder(hashed_words, "english")}
    match = matcher(*DESK, encoder=encoder).match("와이파이 끊김")
    assert best(match) == "vpn"
    assert "와이파이 끊김" in encoder.read
    assert match.team == "it"


def test_a_nearest_phrasing_without_a_common_word_is_near_by_its_meaning() -> None:
    """Two phrasings that an encoder puts at one place, in words that differ."""
    same = {"remote access flaps": "the vpn keeps disconnecting"}
    encoder = FakeEncoder(lambda text: hashed_words(same.get(text, text)))
    match = matcher(*DESK, encoder=encoder).match("remote access flaps")
    assert best(match) == "vpn"
    assert "The phrasing nearest to the message, by its meaning, is “the vpn keeps disconnecting”." in match.reasons


def test_an_encoder_that_fails_at_a_question_fails_the_match() -> None:
    """Whoever asked decides to fall back to the lexical matcher."""
    encoder = FakeEncoder(hashed_words)
    semantic = matcher(*DESK, encoder=encoder)
    encoder.down = True
    with pytest.raises(EncoderFailed, match="fake is down"):
        semantic.match("the vpn keeps disconnecting")


def test_an_encoder_that_fails_at_the_articles_makes_no_matcher() -> None:
    """Half a matcher is none."""
    encoder = FakeEncoder(hashed_words)
    encoder.down = True
    with pytest.raises(EncoderFailed):
        matcher(*DESK, encoder=encoder)


def test_a_question_costs_an_encoder_few_texts() -> None:
    """The whole message, and each of at most eight parts."""
    encoder = FakeEncoder(hashed_words)
    semantic = matcher(*DESK, encoder=encoder)
    encoder.read.clear()
    semantic.match(" ".join(f"Why is the vpn {number} lost on floor {number}? It is bad." for number in range(100)))
    assert 2 < len(encoder.read) <= 9


def test_vectors_without_a_direction_do_no_harm() -> None:
    """All zeros: nothing is near by its meaning, and words decide."""
    zeros = FakeEncoder(lambda text: np.zeros(8, np.float32))
    assert best(matcher(*DESK, encoder=zeros).match("I lost my badge")) == "badge"


def test_the_language_of_a_match_is_that_of_the_message() -> None:
    """Whatever language the articles are in."""
    assert matcher(*DESK).match("VPN 一直斷線").language is Language.ZH_HANT
