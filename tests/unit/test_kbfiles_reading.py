"""Files of articles as people and programs leave them: read right, or refused with line and reason."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kbfiles import reading, textfile
from bot.kbfiles.form import MAX_MESSAGE, MAX_TOLD, Defaults
from bot.kbfiles.reading import Reading, read, read_file
from bot.yamlfile import Severity
from triage.knowledge import Article
from triage.model import Language

HEAD = "id,lang,title,team,audience"
ROW = "vpn,en,VPN drops,it,company"
LINE = {"id": "vpn", "lang": "en", "title": "VPN", "team": "it", "audience": "company"}
IT = Defaults(team="it")


def told(path: Path, defaults: Defaults | None = None) -> list[str]:
    """The errors in a file or folder, by file name."""
    found = read(path, defaults=defaults)
    return [
        str(problem).replace(f"{path.parent}/", "") for problem in found.problems if problem.severity is Severity.ERROR
    ]


def kept(path: Path, text: str | bytes, defaults: Defaults | None = None) -> list[Article]:
    """The articles of a sound file with this text."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    found = read(path, defaults=defaults)
    assert not found.broken, found.problems
    return list(found.articles)


def refused(path: Path, text: str | bytes, defaults: Defaults | None = None) -> list[str]:
    """The errors of a file with this text, of which nothing is taken."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    assert read(path, defaults=defaults).articles == ()
    return told(path, defaults)


# --- CSV ---------------------------------------------------------------------------------------
def test_csv_columns_come_in_any_order_and_case(tmp_path: Path) -> None:
    """Only their names count."""
    text = 'Title,phrasings,AUDIENCE,lang,Team,id\nVPN,"drops\nis down",public,zh-TW,it,vpn\n'
    assert kept(tmp_path / "a.csv", text) == [
        Article(
            id="vpn",
            title="VPN",
            phrasings=("drops", "is down"),
            audience="public",
            language=Language.ZH_HANT,
            team="it",
        )
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("a | b|c", ("a", "b", "c")),
        ('"a|b\nc"', ("a|b", "c")),
        ('"[""a|b"", ""c""]"', ("a|b", "c")),
        ("[vpn] drops", ("[vpn] drops",)),
        ("", ()),
    ],
)
def test_phrasings_of_a_cell(tmp_path: Path, cell: str, expected: tuple[str, ...]) -> None:
    """One a line; else parted by bars; else a JSON list."""
    (article,) = kept(tmp_path / "a.csv", f"{HEAD},phrasings\n{ROW},{cell}\n")
    assert article.phrasings == expected


@pytest.mark.parametrize(
    "raw",
    [
        f"\ufeff{HEAD},body\r\n{ROW},비밀번호\r\n,,,,,\r\n".encode(),
        f"sep=;\r\n{HEAD};body\r\n{ROW};비밀번호\r\n".replace(",", ";").encode(),
        f"{HEAD}\tbody\r\n{ROW}\t비밀번호\r\n".replace(",", "\t").encode("utf-16"),
        f"{HEAD},body,,\r{ROW},비밀번호,,\r".encode(),
    ],
    ids=["utf-8", "semicolons", "unicode text", "old mac"],
)
def test_csv_as_spreadsheets_write_it(tmp_path: Path, raw: bytes) -> None:
    """Marks, delimiters, line ends and empty cells of every Excel."""
    (article,) = kept(tmp_path / "a.csv", raw)
    assert (article.id, article.body) == ("vpn", "비밀번호")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD},titel\n{ROW},x\n", "1: unknown column 'titel': did you mean 'title'?"),
        (f"{HEAD},title\n{ROW},x\n", "1: the column 'title' is here twice; keep one"),
        ("id,lang,title,team\nvpn,en,VPN,it\n", "1: has no column 'audience'"),
        ("", "1: is empty: the first row names the columns"),
        (f"{HEAD}\n{ROW}\n\n{ROW.replace(',en', ',de')}\n", "4: lang: must be 'en', 'ko' or 'zh-Hant', not 'de'"),
        (f"{HEAD}\n{ROW},extra\n", "2: has 6 cells for 5 columns: put cells with a delimiter in quotation marks"),
        (f"{HEAD},\n{ROW},extra\n", "2: the cell 'extra' is in a column without a name"),
        (
            f'{HEAD}\n{ROW}\n"no,end\n',
            "3: the row that begins here cannot be read: a quotation mark is opened and never closed",
        ),
        (f"{HEAD}\n{ROW.replace('VPN drops', '')}\n", "2: title: is missing"),
        (
            f"{HEAD},version\n{ROW},99999999999999999999\n",
            "2: version: must be 1000000 or less, not '99999999999999999999'",
        ),
    ],
)
def test_csv_mistake_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    """And nothing of the file is taken."""
    assert refused(tmp_path / "a.csv", text) == [f"a.csv:{message}"]


def test_rows_after_line_breaks_in_cells_keep_their_line(tmp_path: Path) -> None:
    """A line is what an editor shows."""
    text = f'{HEAD},body\n{ROW},"one\ntwo\nthree"\nx,xx,X,it,company,\n'
    assert refused(tmp_path / "a.csv", text)[0].startswith("a.csv:5: lang: ")


# --- JSONL -------------------------------------------------------------------------------------
def test_jsonl_of_eval_takes_team_and_audience_from_the_command_line(tmp_path: Path) -> None:
    """Its first phrasing is its title when it has none."""
    line = json.dumps({"id": "a", "title": "", "body": "", "phrasings": ["how?", "why?"], "lang": "en"})
    (article,) = kept(tmp_path / "a.jsonl", f"{line}\n\n", IT)
    assert (article.title, article.team, article.audience) == ("how?", "it", "company")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": ', "not valid JSON: expecting value at character 8"),
        ("[" * 100_000, "not valid JSON: it is nested too deeply"),
        ('["vpn"]', 'must be an object: {"id": …, "title": …, "body": …, "phrasings": […], …}'),
        ('{"id": "a", "id": "b"}', "the key 'id' is here twice; keep one"),
        (json.dumps({**LINE, "tag": "x"}), "unknown key 'tag': did you mean 'tags'?"),
        (json.dumps({**LINE, "phrasings": "x"}), "phrasings: must be a list such as [a, b], not 'x'"),
        (json.dumps({**LINE, "phrasings": ["x", " "]}), "phrasings: must not be empty"),
        (
            json.dumps({**LINE, "body": "\ud800"}),
            "body: has a character that is no text (NUL, or half of a pair): remove it",
        ),
        (
            json.dumps({**LINE, "title": "a\0b"}),
            "title: has a character that is no text (NUL, or half of a pair): remove it",
        ),
        (json.dumps({**LINE, "title": "x" * 501}), "title: is too long: 501 characters, at most 500"),
        (json.dumps({**LINE, "body": {}}), "body: must be text, not a mapping"),
    ],
)
def test_jsonl_mistake_is_told_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    """And the sound lines around it are not taken either."""
    text = f"{json.dumps(LINE)}\n{line}\n{json.dumps({**LINE, 'id': 'b'})}\n"
    assert refused(tmp_path / "a.jsonl", text) == [f"a.jsonl:2: {message}"]


def test_warnings_do_not_end_the_reading(tmp_path: Path) -> None:
    """A thousand articles without a title are a thousand articles, and one warning."""
    text = "".join(json.dumps({"id": str(n), "phrasings": ["x y"], "lang": "en"}) + "\n" for n in range(1_000))
    assert len(kept(tmp_path / "a.jsonl", text, IT)) == 1_000
    warnings = [str(problem) for problem in read(tmp_path, defaults=IT).problems if "title: 1" in problem.message]
    assert warnings == [
        f"{tmp_path}/a.jsonl:1: warning: "
        "title: 1,000 articles from here on have none: the first phrasing stands in for it"
    ]


def test_audience_is_not_guessed_beside_a_team(tmp_path: Path) -> None:
    """Only a line without both has the form of eval."""
    line = {key: value for key, value in LINE.items() if key != "audience"}
    assert refused(tmp_path / "a.jsonl", json.dumps(line)) == ["a.jsonl:1: audience: is missing"]


# --- HTML --------------------------------------------------------------------------------------
PAGE = """\
<html lang="en-GB"><head><title>VPN drops</title>
<meta name="deskbell:team" content="it"><meta name="deskbell:audience" content="company">
<meta name="deskbell:tags" content="vpn, wifi"></head>
<body><h1>VPN drops</h1>{}
<ul class="phrasings"><li>my vpn
 drops</li><li>vpn &amp; wifi</li></ul></body></html>
"""


def html(tmp_path: Path, body: str) -> Article:
    (article,) = kept(tmp_path / "vpn drops.html", PAGE.format(body))
    return article


def test_html_page_becomes_an_article(tmp_path: Path) -> None:
    """Title, language and id need no marks of ours."""
    article = html(tmp_path, "<p>Restart <b>it</b>.</p>")
    assert article == Article(
        id="vpn-drops",
        title="VPN drops",
        body="Restart **it**.",
        phrasings=("my vpn drops", "vpn & wifi"),
        team="it",
        tags=("vpn", "wifi"),
    )


@pytest.mark.parametrize(
    "body",
    [
        "Safe<script>steal()</script>",
        "<style>p{}</style>Safe<iframe src='https://evil.example'>x</iframe>",
        "<p onclick='steal()'>Safe</p>",
        "<a href='javascript:steal()'>Safe</a>",
        "<a href=' java\tscript:steal()'>Safe</a>",
        "<a href='data:text/html,steal'>Safe</a>",
        "Safe<img src='data:image/png;base64,xx'>",
        "<svg onload='steal()'><script>steal()</script></svg>Safe",
        "<!-- steal -->Safe<template>steal</template>",
        "<form action='https://evil.example'>Safe<input value='steal'></form>",
    ],
)
def test_html_that_runs_or_loads_something_is_dropped(tmp_path: Path, body: str) -> None:
    """The words around it stay."""
    assert html(tmp_path, body).body == "Safe"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PAGE.replace("deskbell:tags", "deskbell:tgs"), "3: unknown key 'tgs': did you mean 'tags'?"),
        (
            PAGE.replace("<title>VPN drops</title>", "").replace("<h1>VPN drops</h1>", ""),
            "1: title: is missing: add <title>VPN drops</title>",
        ),
        (PAGE.replace(' lang="en-GB"', ""), '1: lang: is missing: add <html lang="ko"> (or en, or zh-Hant)'),
        ("\n\n" + PAGE.replace("en-GB", "fr"), "3: lang: must be 'en', 'ko' or 'zh-Hant', not 'fr'"),
        (
            PAGE.replace('name="deskbell:team"', 'name="team"'),
            '1: team: is missing: add <meta name="deskbell:team" content="it">, or import with --team',
        ),
        (PAGE.replace("{}", "<div>" * 5_000), "1: not valid HTML: it is nested too deeply"),
        (
            PAGE.replace("{}", "x" * 2_000_001),
            "1: is too long for one article: 2,000,308 characters, at most 2,000,000",
        ),
    ],
)
def test_html_mistake_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    """And the page is left out."""
    assert refused(tmp_path / "a.html", text) == [f"a.html:{message}"]


# --- any file ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["a.md", "a.csv", "a.jsonl", "a.html"])
@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("id\n비밀".encode("cp949"), '2: is not UTF-8 text: save the file in UTF-8 (in Excel: "CSV UTF-8")'),
        (b"id\nx\0y", "2: holds a NUL byte: it is not a text file, or is damaged"),
        (b"x" * 20_000_001, "1: is larger than 20 MB: cut it into several"),
    ],
)
def test_file_that_is_no_text_is_refused(tmp_path: Path, name: str, raw: bytes, message: str) -> None:
    """Whatever its name promises."""
    assert refused(tmp_path / name, raw) == [f"{name}:{message}"]


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A folder may hold what is no file."""
    os.mkfifo(tmp_path / "a.md")
    assert told(tmp_path / "a.md") == ["a.md:1: is not a file"]


def test_unknown_ending_names_the_known_ones(tmp_path: Path) -> None:
    """Nobody has to guess what can be read."""
    assert refused(tmp_path / "a.xlsx", "x") == [
        "a.xlsx:1: is not a file of articles: its name ends on one of .md, .csv, .jsonl, .html, .htm"
    ]


def test_same_id_twice_in_a_file_names_both_lines(tmp_path: Path) -> None:
    """A file that contradicts itself is not taken at all."""
    line = json.dumps(LINE)
    assert refused(tmp_path / "a.jsonl", f"{line}\n{line}\n") == [
        "a.jsonl:2: id: 'vpn' is already the id of line 1 in the same language"
    ]


def test_hostile_file_is_told_briefly(tmp_path: Path) -> None:
    """A million mistakes, long values and control characters do not flood or steer a terminal."""
    line = json.dumps({**LINE, "lang": "\x1b[2J" + "x" * 10_000})
    problems = refused(tmp_path / "a.jsonl", f"{line}\n" * 1_000)
    assert len(problems) == MAX_TOLD + 1
    assert all(problem.isprintable() and len(problem) < MAX_MESSAGE + 50 for problem in problems)


def test_too_many_articles_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit, told in words."""
    monkeypatch.setattr(reading, "MAX_ARTICLES", 1)
    text = "".join(json.dumps({**LINE, "id": id}) + "\n" for id in "ab")
    assert refused(tmp_path / "a.jsonl", text) == ["a.jsonl:1: too many articles: at most 1 at a time"]


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(textfile.SUFFIXES), st.text(max_size=200) | st.text("<>/a=\"' {}[]:,|\n;-!", max_size=200))
def test_any_text_is_read_without_raising(suffix: str, text: str) -> None:
    """Articles, or problems that say why not."""
    pages, problems = read_file(text, Path(f"a{suffix}"), IT)
    assert all(isinstance(page.article, Article) for page in pages)
    assert pages or problems or not text.strip()


# --- folders -----------------------------------------------------------------------------------
def folder(tmp_path: Path, **texts: str) -> Reading:
    for name, text in texts.items():
        (tmp_path / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return read(tmp_path)


@pytest.mark.parametrize("name", ["README.md", "Contributing.md", "LICENSE.md", "CHANGELOG.md"])
def test_what_a_checkout_says_about_itself_is_no_article(tmp_path: Path, name: str) -> None:
    """Nor a broken one, which would keep the articles that were removed in force."""
    (tmp_path / name).write_text("# Our articles\n\nOne file is one article.\n")
    assert read(tmp_path).problems == ()


def test_a_readme_with_front_matter_is_an_article(tmp_path: Path) -> None:
    """What says that it is one is taken at its word."""
    text = "---\nid: a\nlang: en\ntitle: A\nteam: it\naudience: company\n---\n"
    assert [article.id for article in kept(tmp_path / "README.md", text)] == ["a"]


def test_a_quotation_mark_that_is_never_closed_is_told_where_it_is_opened(tmp_path: Path) -> None:
    """The end of the front matter, where YAML notices, is nothing to look at."""
    text = '---\nid: a\nlang: en\ntitle: "A\nteam: it\naudience: company\n---\nText.'
    assert refused(tmp_path / "a.md", text) == [
        "a.md:4: not valid YAML: while scanning a quoted scalar, found unexpected end of stream"
    ]


def test_broken_file_takes_nothing_from_the_others(tmp_path: Path) -> None:
    """Formats may stand side by side; each file is sound or not by itself."""
    sound, broken = json.dumps(LINE), json.dumps({**LINE, "id": "b"})
    found = folder(tmp_path, a_jsonl=sound, b_jsonl=f"{broken}\n{{", c_csv=f"{HEAD}\n{ROW.replace('vpn', 'c')}\n")
    assert [article.id for article in found.articles] == ["vpn", "c"]
    assert found.broken == {tmp_path / "b.jsonl"}


def test_hidden_files_and_other_files_are_passed_over(tmp_path: Path) -> None:
    """A git checkout is more than its articles."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "a.md").write_text("no article")
    (tmp_path / "notes.txt").write_text("no article")
    assert folder(tmp_path, _a_md="no article") == Reading()


def test_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    """A repository cannot make the desk read the machine's files."""
    inside = tmp_path / "kb"
    inside.mkdir()
    (tmp_path / "secret.jsonl").write_text(json.dumps(LINE))
    (inside / "a.jsonl").symlink_to(tmp_path / "secret.jsonl")
    (inside / "deep").symlink_to(tmp_path)
    found = read(inside)
    assert (found.articles, found.files) == ((), 0)
    assert [str(problem) for problem in found.problems] == [
        f"{inside}/a.jsonl:1: warning: is a link that leads out of the folder: it is not read"
    ]


def test_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    """As Kubernetes mounts files."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "a.jsonl").write_text(json.dumps(LINE))
    (tmp_path / "a.jsonl").symlink_to(Path("..data") / "a.jsonl")
    assert len(read(tmp_path).articles) == 1


def test_progress_is_told_after_each_file(tmp_path: Path) -> None:
    """Files read, files in all, articles so far."""
    said: list[tuple[int, int, int]] = []
    folder(tmp_path, a_jsonl=json.dumps(LINE), b_jsonl="{")
    read(tmp_path, progress=lambda *counts: said.append(counts))
    assert said == [(1, 2, 1), (2, 2, 1)]
