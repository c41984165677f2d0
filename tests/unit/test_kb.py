"""The folder of articles: Markdown with front matter in, a knowledge base and sentences with lines out."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import deskfile, kb, sample
from bot.yamlfile import Problem, Severity
from triage.knowledge import Article
from triage.model import Language
from triage.policy import Member, Policy, Team

TODAY = date(2026, 11, 20)
POLICY = Policy(
    teams={"it": Team(id="it", name="IT"), "hr": Team(id="hr", name="HR")},
    people={"lee": Member(id="lee", name="Lee")},
)
VPN = """\
---
id: vpn
lang: en
title: "VPN: connect"
team: it
audience: company
tags: [vpn, remote]
owner: lee
review: 2027-02-15
phrasings:
  - how do i connect
  - vpn is down
  - 'no: really'
---

1. Open the client.

---
2. Log in.
"""


def write(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def read(folder: Path, **files: str) -> tuple[list[Article], list[str]]:
    """Articles and problems of a folder with these files (`en_vpn` is en/vpn.md)."""
    for name, text in files.items():
        write(folder, f"{name.replace('_', '/')}.md", text)
    base, problems = kb.read_folder(folder, policy=POLICY, today=TODAY)
    return list(base.articles), [_relative(problem, folder) for problem in problems]


def _relative(problem: Problem, folder: Path) -> str:
    return str(problem).replace(f"{folder}/", "")


def test_article_is_read_whole(tmp_path: Path) -> None:
    """Front matter becomes fields, what stands below it the body, rules of dashes included."""
    articles, problems = read(tmp_path, en_vpn=VPN)
    assert problems == []
    assert articles == [
        Article(
            id="vpn",
            title="VPN: connect",
            body="1. Open the client.\n\n---\n2. Log in.",
            phrasings=("how do i connect", "vpn is down", "no: really"),
            language=Language.EN,
            team="it",
            audience="company",
            tags=("vpn", "remote"),
            owner="lee",
            review=date(2027, 2, 15),
        )
    ]


def test_words_that_yaml_would_change_stay_words(tmp_path: Path) -> None:
    """`no`, `1.10` and `null-ish` phrasings are what people type."""
    text = VPN.replace("how do i connect", "no").replace("vpn is down", "1.10")
    articles, _ = read(tmp_path, en_vpn=text)
    assert articles[0].phrasings[:2] == ("no", "1.10")


def test_translations_share_an_id(tmp_path: Path) -> None:
    """One article in two languages is no duplicate."""
    articles, problems = read(tmp_path, en_vpn=VPN, ko_vpn=VPN.replace("lang: en", "lang: ko"))
    assert problems == []
    assert {article.language for article in articles} == {Language.EN, Language.KO}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tags:", "tgs:", "7: unknown key 'tgs': did you mean 'tags'?"),
        ('title: "VPN: connect"\n', "", "2: title: is missing"),
        ("audience: company\n", "audience:\n", "6: audience: is missing"),
        ('"VPN: connect"', "VPN: connect", "4: not valid YAML: mapping values are not allowed here"),
        ("lang: en", "lang: de", "3: lang: must be 'en', 'ko' or 'zh-Hant', not 'de'"),
        ("id: vpn", "id: v p n", "2: id: 'v p n' cannot be a key: no spaces and none of : / @ ,"),
        ("id: vpn", "id: vpn\nid: vpn2", "3: the key 'id' is here twice (first on line 2); keep one"),
        ("team: it", "team: itt", "5: team: 'itt' is not a team: did you mean 'it'?"),
        (
            "company",
            "everybody",
            "6: audience: 'everybody' is not an audience: "
            "write public, company, or team: and the key of a team, such as team:hr",
        ),
        ("company", "team:hrr", "6: audience: 'hrr' is not a team: did you mean 'hr'?"),
        ("2027-02-15", "next year", "9: review: 'next year' is not a day: write it like 2027-02-15"),
        ("tags: [vpn, remote]", "tags: vpn", "7: tags: must be a list such as [a, b], not 'vpn'"),
        ("  - vpn is down\n", "  -\n", "12: phrasings: must not be empty"),
        ("owner: lee", "owner: lee\nversion: new", "9: version: must be a whole number, not 'new'"),
        ("owner: lee", "owner: lee\nversion: 0", "9: version: must be 1 or more, not '0'"),
    ],
)
def test_article_with_an_error_is_left_out(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A wrong audience must not publish anything, so nothing is guessed; the line says where to look."""
    articles, problems = read(tmp_path, en_vpn=VPN.replace(old, new, 1))
    assert articles == []
    assert problems == [f"en/vpn.md:{message}"]


@pytest.mark.parametrize("text", ["", "# VPN\n", "id: vpn\n---\n", "---\nid: vpn\n", "\n---\nid: vpn\n---\n"])
def test_file_without_front_matter_says_what_belongs_there(tmp_path: Path, text: str) -> None:
    """A plain Markdown file is not silently skipped."""
    articles, problems = read(tmp_path, en_vpn=text)
    assert articles == []
    assert problems == [
        "en/vpn.md:1: has no front matter: the file begins with a line ---, then id, lang, title and so on, then ---"
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  - vpn is down\n", "", "10: warning: phrasings: 2 of at least 3: add ways in which people ask this"),
        (
            "2027-02-15",
            "2026-11-19",
            "9: warning: review: was due on 2026-11-19: read the article again and set a new date",
        ),
        ("owner: lee", "owner: eel", "8: warning: owner: 'eel' is not a key under people: did you mean 'lee'?"),
        (VPN[VPN.index("1.") :], "", "4: warning: title: the article has no text"),
    ],
)
def test_warning_keeps_the_article(tmp_path: Path, old: str, new: str, message: str) -> None:
    """What could be better is no reason to stop answering."""
    articles, problems = read(tmp_path, en_vpn=VPN.replace(old, new))
    assert len(articles) == 1
    assert problems == [f"en/vpn.md:{message}"]


def test_review_due_today_is_not_overdue(tmp_path: Path) -> None:
    """There is still time until midnight."""
    assert read(tmp_path, en_vpn=VPN.replace("2027-02-15", "2026-11-20"))[1] == []


def test_same_id_twice_in_a_language_names_both_files(tmp_path: Path) -> None:
    """The first stays, the second is refused."""
    articles, problems = read(tmp_path, en_a=VPN, en_b=VPN.replace("connect", "again"))
    assert [article.title for article in articles] == ["VPN: connect"]
    assert problems == ["en/b.md:2: id: 'vpn' is already the id of en/a.md in the same language"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("team: it", "team: hr", "5: team: is 'hr', but 'it' in en/vpn.md; translations must agree"),
        ("company", "public", "6: audience: is 'public', but 'company' in en/vpn.md; translations must agree"),
    ],
)
def test_translation_for_other_eyes_is_left_out(tmp_path: Path, old: str, new: str, message: str) -> None:
    """The English article decides who may read its translations."""
    korean = VPN.replace("lang: en", "lang: ko").replace(old, new)
    articles, problems = read(tmp_path, en_vpn=VPN, ko_vpn=korean, aa_vpn=VPN.replace("lang: en", "lang: zh-TW"))
    assert [article.language for article in articles] == [Language.ZH_HANT, Language.EN]
    assert problems == [f"ko/vpn.md:{message}"]


def test_lines_are_those_of_the_file_under_windows_too(tmp_path: Path) -> None:
    """A byte order mark and two-character line ends move nothing."""
    (tmp_path / "vpn.md").write_bytes(
        b"\xef\xbb\xbf" + VPN.replace("lang: en", "lang: de").replace("\n", "\r\n").encode()
    )
    assert read(tmp_path)[1] == ["vpn.md:3: lang: must be 'en', 'ko' or 'zh-Hant', not 'de'"]


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    """A desk without its articles would answer nothing."""
    base, problems = kb.read_folder(tmp_path / "kb")
    assert base.articles == ()
    assert str(problems[0]) == f"{tmp_path}/kb:1: the folder of articles does not exist"


def test_teams_and_dates_are_checked_only_when_known(tmp_path: Path) -> None:
    """`kb lint` works on a folder alone."""
    write(tmp_path, "vpn.md", VPN.replace("team: it", "team: any").replace("2027", "1999"))
    base, problems = kb.read_folder(tmp_path)
    assert (len(base.articles), problems) == (1, [])


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=120))
def test_any_front_matter_is_read_without_raising(text: str) -> None:
    """Whatever stands between the lines, the answer is an article or an error."""
    article, problems = kb.read_article(f"---\n{text}\n---\nbody", Path("a.md"))
    assert article is not None or any(problem.severity is Severity.ERROR for problem in problems)


def test_sample_articles_are_sound() -> None:
    """What ships is a model to follow."""
    folder = sample.files()
    desk, _ = deskfile.read(folder / "desk.yaml")
    assert desk is not None
    base, problems = kb.read_folder(desk.kb, policy=desk.policy, today=TODAY)
    assert problems == []
    assert {article.team for article in base.articles} == set(desk.policy.teams)


def test_every_sample_article_is_written_in_english() -> None:
    """A reader of any language finds something."""
    base, _ = kb.read_folder(sample.files() / "kb")
    english = {article.id for article in base.articles if article.language is Language.EN}
    assert english == {article.id for article in base.articles}
