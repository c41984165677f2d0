"""What `kb lint` finds in articles that are sound by themselves, and where it says they stand."""

from __future__ import annotations

import json
from pathlib import Path

from bot.kbfiles.lint import lint
from bot.kbfiles.reading import read
from triage.knowledge import Article, KnowledgeBase
from triage.model import Language
from triage.shadows import CROWD, Finding, Kind, findings

VPN = ("how do i connect to the vpn from home", "vpn client asks for a code", "tunnel keeps dropping")
WIFI = ("wifi password for guests", "no wireless in the meeting room", "laptop does not see the network")


def article(id: str, *phrasings: str, body: str = "", **fields: object) -> Article:
    return Article(id=id, title=id, phrasings=phrasings, body=body or f"About {id}.", team="it", **fields)  # type: ignore[arg-type]


def found(*articles: Article) -> list[Finding]:
    return findings(KnowledgeBase.of(articles))


def test_distinct_articles_have_no_findings() -> None:
    """Lint is silent where there is nothing to do."""
    assert found(article("vpn", *VPN), article("wifi", *WIFI)) == []


def test_translations_may_share_phrasings() -> None:
    """Product names are the same in every language, and it is the same article."""
    assert (
        found(article("vpn", "VPN"), article("vpn", "VPN", "터널", language=Language.KO), article("wifi", *WIFI)) == []
    )


def test_shared_phrasing_is_named_once_for_two_articles() -> None:
    """Case and width make no difference; the first is the example."""
    (only,) = found(article("vpn", "VPN drops", "no vpn", *VPN), article("wifi", "vpn drops", "No VPN", *WIFI))
    assert (only.kind, only.article, only.other) == (Kind.SHARED, ("wifi", Language.EN), ("vpn", Language.EN))
    assert (only.phrasing, only.theirs, only.count) == ("vpn drops", "VPN drops", 2)


def test_nearly_the_same_phrasing_is_found_in_every_language() -> None:
    """A slip, another order, one word more."""
    pairs = [
        ("how do i connect to the vpn from home", "how do I conect to the vpn from home"),
        ("wifi password for our guests", "password for our guests wifi"),
        ("출입증을 잃어버렸는데 어떻게 하나요", "출입증을 잃어버렷는데 어떻게 하나요"),
        ("我的出入證昨天晚上遺失了怎麼辦", "我的出入證昨天晚上遺失了該怎麼辦"),
    ]
    for mine, theirs in pairs:
        (only,) = found(article("a", mine), article("b", theirs))
        assert (only.kind, only.phrasing, only.theirs) == (Kind.NEAR, theirs, mine)


def test_short_phrasing_inside_a_long_one_is_no_shadow() -> None:
    """Every question about the VPN holds the word."""
    assert found(article("a", "vpn"), article("b", "vpn is slow when i join a call from home")) == []


def test_articles_that_say_the_same_are_copies() -> None:
    """Two ids for one text."""
    one, two = (
        article("a", "x one", body="Same."),
        Article(id="b", title="A", phrasings=("y two",), body="Same.", team="it"),
    )
    assert [finding.kind for finding in found(one, two)] == [Kind.COPY]


def test_translation_that_was_never_made_is_told() -> None:
    """The same words under two languages."""
    english, korean = (article("a", *VPN, language=language) for language in (Language.EN, Language.KO))
    assert [finding.kind for finding in found(english, korean, article("b", *WIFI))] == [Kind.UNTRANSLATED]


def test_empty_and_single_knowledge_bases_are_told() -> None:
    """Both are sound, and neither can answer well."""
    assert [finding.kind for finding in found()] == [Kind.EMPTY]
    assert [finding.kind for finding in found(article("a", *VPN))] == [Kind.ALONE]


def test_one_phrasing_thousands_of_times_is_told_once() -> None:
    """And so is that there are too many."""
    crowded = article("a", *["VPN drops"] * (CROWD + 1))
    repeated, crowd = found(crowded, article("b", *WIFI))
    assert (repeated.kind, repeated.phrasing, repeated.count) == (Kind.REPEATED, "VPN drops", CROWD + 1)
    assert (crowd.kind, crowd.count) == (Kind.CROWDED, CROWD + 1)


def test_phrasing_without_words_is_told() -> None:
    """Nothing could ever match it."""
    (only,) = found(article("a", "👍", "https://example.com", *VPN), article("b", *WIFI))
    assert (only.kind, only.phrasing, only.count) == (Kind.WORDLESS, "👍", 2)


def test_phrasing_that_is_also_against_is_told() -> None:
    """An article cannot both be asked by a question and not."""
    (only,) = found(article("a", "Reset my VPN", against=("reset my vpn",)), article("b", *WIFI))
    assert (only.kind, only.phrasing) == (Kind.CONTRADICTED, "Reset my VPN")


def test_confusions_of_the_matcher_are_told_by_pair() -> None:
    """The first phrasing is the example."""
    base = KnowledgeBase.of([article("vpn", *VPN), article("wifi", *WIFI)])
    (only,) = findings(base, [("vpn", "wifi", VPN[1]), ("vpn", "wifi", VPN[2])])
    assert (only.kind, only.phrasing, only.other, only.count) == (Kind.CONFUSED, VPN[1], ("wifi", Language.EN), 2)


# --- where it says so --------------------------------------------------------------------------
def test_finding_stands_at_the_line_of_its_phrasing(tmp_path: Path) -> None:
    """An editor jumps there."""
    for id in ("a", "b"):
        lines = "".join(f"  - {text} {id}\n" for text in ("open the north gate", "lend a bike", "empty stapler"))
        head = f"id: {id}\nlang: en\ntitle: {id}\nteam: it\naudience: public\nphrasings:\n{lines}"
        (tmp_path / f"{id}.md").write_text(f"---\n{head}  - where is the printer\n---\n{id}\n")
    assert [str(problem) for problem in lint(read(tmp_path), tmp_path) if "printer" in problem.message] == [
        f"{tmp_path}/b.md:11: warning: phrasings.b: 'where is the printer' is a phrasing of 'a' ({tmp_path}/a.md) too: "
        "keep it where it is answered"
    ]


def test_finding_in_a_file_of_many_names_line_and_id(tmp_path: Path) -> None:
    """One line is one article there."""
    file = tmp_path / "kb.jsonl"
    head = {"lang": "en", "team": "it", "audience": "public", "body": "Text."}
    lines = [{"id": "a", "title": "A", "phrasings": VPN, **head}, {"id": "b", "title": "B", "phrasings": VPN, **head}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [str(problem) for problem in lint(read(file), file)] == [
        f"{file}:2: warning: phrasings.b: '{VPN[0]}' is a phrasing of 'a' too (and 2 more): "
        "keep it where it is answered"
    ]


def test_empty_folder_is_told_by_its_name(tmp_path: Path) -> None:
    """There is no line to point to."""
    assert [str(problem) for problem in lint(read(tmp_path), tmp_path)] == [
        f"{tmp_path}:1: warning: there is no article: every question becomes a ticket"
    ]
