"""The knowledge base in force: one matcher an audience, never more than that audience may read."""

from __future__ import annotations

import json

from bot.explain import as_json, as_text, explain
from bot.knowing import EMPLOYEE, OUTSIDER, Knowing, audiences_of
from triage.knowledge import Article, KnowledgeBase
from triage.model import Language
from triage.policy import Member, Policy, Team

ARTICLES = tuple(
    Article(id=id, title=title, team="it", phrasings=(f"{title} please", f"how: {title}", f"about {title}"))
    for id, title in (("vpn", "vpn drops"), ("printer", "printer offline"), ("phone", "new phone"))
)
SECRET = Article(
    id="salary", title="salary correction", team="hr", audience="team:hr", phrasings=("correct a salary", "fix pay")
)
HR = EMPLOYEE | {"team:hr"}
POLICY = Policy(
    teams={"it": Team(id="it", name="IT"), "hr": Team(id="hr", name="HR", agents=("kim",), restricted=True)},
    people={id: Member(id=id, name=id) for id in ("lee", "kim")},
)


def knowing(*articles: Article) -> Knowing:
    return Knowing(KnowledgeBase.of(articles), precision=0.95, audiences=audiences_of(POLICY))


def test_a_team_reads_its_own_articles() -> None:
    """HR finds what only HR may read."""
    desk = knowing(*ARTICLES, SECRET)
    desk.warm()
    best = desk.matcher(HR).match("correct a salary").best
    assert best is not None
    assert best.article.id == "salary"


def test_an_outsider_finds_no_trace_of_a_restricted_article() -> None:
    """Adding a restricted article changes no byte of what `ask --json` prints for an employee."""
    texts = ("correct a salary", "my vpn drops", "slary corection", "new printer for hr")
    without, with_it = knowing(*ARTICLES), knowing(*ARTICLES, SECRET)
    for text in texts:
        before, after = (
            json.dumps(as_json(explain(text, desk, POLICY, team=None, language=None))) for desk in (without, with_it)
        )
        assert after == before


def test_audiences_that_read_the_same_share_a_matcher() -> None:
    """IT has no article of its own here, so its people use the employees' matcher."""
    desk = knowing(*ARTICLES)
    assert desk.matcher(EMPLOYEE | {"team:it"}) is desk.matcher(EMPLOYEE)


def test_until_a_teams_matcher_is_built_its_people_get_the_employees() -> None:
    """A turn never waits for a matcher; what it gets meanwhile knows less, never more."""
    desk = knowing(*ARTICLES, SECRET)
    general = desk.matcher(EMPLOYEE)
    assert desk.matcher(HR) is general
    desk.warm()
    assert desk.matcher(HR) is not general


def test_strangers_read_public_articles_only() -> None:
    """Nothing here is public, so a stranger's knowledge base is empty."""
    assert knowing(*ARTICLES).base(OUTSIDER).articles == ()


def test_json_has_the_fields_of_the_contract() -> None:
    """The object others build on: every field, in these shapes."""
    match = explain("my vpn drops", knowing(*ARTICLES), POLICY, team=None, language=None)
    found = as_json(match)
    assert set(found) == {
        "decision", "article", "confidence", "threshold", "top3", "team", "lang", "reasons", "parts",
    }  # fmt: skip
    assert found["decision"] == "answer"
    assert found["article"] == "vpn"
    assert found["top3"][0]["article"] == "vpn"
    assert found["lang"] == "en"
    assert found["team"] == "it"


def test_a_greeting_is_ignored() -> None:
    """Nothing was asked, so nothing is decided but to ignore it."""
    match = explain("hello!", knowing(*ARTICLES), POLICY, team=None, language=Language.EN)
    assert as_json(match)["decision"] == "ignore"


def test_small_talk_is_ignored_even_where_an_article_has_its_words() -> None:
    """As the chat does it; the reasons speak of what was decided."""
    greeting = Article(id="hello", title="Hello", phrasings=("hello", "hello there"))
    found = as_json(explain("hello!", knowing(*ARTICLES, greeting), POLICY, team=None, language=None))
    assert (found["decision"], found["article"], found["parts"]) == ("ignore", None, [])
    assert found["reasons"][0] == "The message is a greeting, a thank-you or small talk, and asks nothing."


def test_a_blank_message_is_ignored_as_blank() -> None:
    """It is no greeting, and the reasons do not call it one."""
    found = as_json(explain(" \n", knowing(*ARTICLES), POLICY, team=None, language=Language.EN))
    assert (found["decision"], found["top3"], found["reasons"][0]) == ("ignore", [], "The message is empty.")


def test_of_several_questions_each_is_explained_in_sentences() -> None:
    """The parts have the form of the whole, which names the best of each and decides as the chat does."""
    asked = "my vpn drops? and how: new phone?"
    match = explain(asked, knowing(*ARTICLES), POLICY, team=None, language=None)
    found = as_json(match)
    assert [(part["decision"], part["article"]) for part in found["parts"]] == [("answer", "vpn"), ("answer", "phone")]
    assert found["decision"] == "answer"
    assert {each["article"] for each in found["top3"]} == {"vpn", "phone"}
    assert found["confidence"] >= found["threshold"]
    sentences = [*found["reasons"], *(reason for part in found["parts"] for reason in part["reasons"])]
    assert not any(sentence.startswith("[") for sentence in sentences)
    assert all(part.text in as_text(match, POLICY) for part in match.parts)


def test_a_question_left_open_is_no_answer_to_the_whole() -> None:
    """The chat answers what it knows and offers a person for the rest."""
    match = explain("my vpn drops? who feeds the cat?", knowing(*ARTICLES), POLICY, team=None, language=None)
    found = as_json(match)
    assert (found["decision"], found["article"]) == ("suggest", None)
