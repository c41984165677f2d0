"""Articles written to a file and read again: nothing is lost, whatever they hold."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot import sample
from bot.kbfiles import jsonl, markdown, table, webpage
from bot.kbfiles.form import Defaults, tidy
from bot.kbfiles.formats import Format
from bot.kbfiles.reading import read
from bot.kbfiles.writing import CannotWrite, format_of, write
from triage.knowledge import Article
from triage.model import Language

NASTY = [
    "=1+1",
    "'=1",
    "''-x",
    "a|b",
    'say "no"',
    "[1]",
    '["a"]',
    "a\nb",
    "- x",
    "null",
    "no: # yes",
    "---",
    "a, b",
    "@x",
]
NASTY += [
    "계정이 잠겼어요",
    "出入證遺失了",
    "\u2028x",
    "x\x85y",
    "\x1b[31mred",
    "🙂",
    "\\n",
    "<b>&amp;",
    "＝1",
    "x\u00a0y",
    "\ufeffx",
]
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=30)
said = (words | st.sampled_from(NASTY)).map(lambda text: tidy(text).strip()).filter(bool)
lines = said.map(lambda text: re.sub(r"\s*\n\s*", " ", text))
bodies = st.lists(words | st.sampled_from([*NASTY, "", "    code", "# head"]), max_size=5).map("\n".join).map(tidy)
ids = st.from_regex(r"[^\s:/@,\0]{1,12}", fullmatch=True).map(str.strip).filter(bool)
articles = st.builds(
    Article,
    id=ids,
    title=lines,
    body=bodies,
    phrasings=st.lists(said, max_size=4).map(tuple),
    against=st.lists(said, max_size=2).map(tuple),
    language=st.sampled_from(Language),
    team=ids,
    audience=st.sampled_from(["public", "company"]) | ids.map("team:{}".format),
    tags=st.lists(lines, max_size=3).map(tuple),
    owner=st.none() | lines,
    review=st.none() | st.dates(date(1000, 1, 1)),
    version=st.integers(1, 1_000_000),
)
several = st.lists(articles, max_size=3, unique_by=lambda article: (article.id, article.language))
NOTHING = Defaults()
RULES = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@settings(deadline=None)
@given(articles)
def test_markdown_keeps_every_field(article: Article) -> None:
    """Front matter is quoted where YAML would read something else."""
    pages, problems = markdown.read(markdown.write(article), Path("a.md"))
    assert problems == []
    assert [page.article for page in pages] == [article]


def test_markdown_quotes_only_what_yaml_would_misread() -> None:
    """So that an export into a checkout shows what changed, not every id."""
    article = Article(id="vpn-drops", title="VPN", phrasings=("no", "a: b"), team="it")
    front = ["id: vpn-drops", "lang: en", "title: VPN", "team: it", "audience: company", "phrasings:"]
    assert markdown.write(article).splitlines()[1:-1] == [*front, '  - "no"', '  - "a: b"']


@settings(deadline=None)
@given(several)
def test_csv_keeps_every_field(kept: list[Article]) -> None:
    """Line breaks, separators, quotes and formulas come back as they were."""
    pages, problems = table.read(table.write(kept).replace("\r\n", "\n"), Path("a.csv"), NOTHING)
    assert problems == []
    assert [page.article for page in pages] == kept


@settings(deadline=None)
@given(several)
def test_jsonl_keeps_every_field(kept: list[Article]) -> None:
    """One line an article, whatever line breaks it holds."""
    pages, problems = jsonl.read(jsonl.write(kept), Path("a.jsonl"), NOTHING)
    assert problems == []
    assert [page.article for page in pages] == kept


def spaced(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()


@settings(deadline=None, max_examples=50)
@given(articles)
def test_html_keeps_every_field(article: Article) -> None:
    """The text to the letter, the rest up to runs of blanks."""
    pages, problems = webpage.read(webpage.write(article), Path("x.html"), NOTHING)
    assert problems == []
    (found,) = (page.article for page in pages)
    for name in ("id", "language", "team", "audience", "review", "version", "body"):
        assert getattr(found, name) == getattr(article, name)
    for name in ("phrasings", "against"):
        assert [*map(spaced, getattr(found, name))] == [*map(spaced, getattr(article, name))]
    assert spaced(found.title) == spaced(article.title)


def test_html_of_the_sample_articles_shows_the_same() -> None:
    """Rendered, the text read back is the text written."""
    for file in sorted((sample.files() / "kb").rglob("*.md"))[::7]:
        (page,), _ = markdown.read(file.read_text(encoding="utf-8"), file)
        (again,), problems = webpage.read(webpage.write(page.article), Path("x.html"), NOTHING)
        assert problems == []
        assert shown(again.article.body) == shown(page.article.body)


@pytest.mark.parametrize(
    "body",
    [
        "# Head\n\n## Sub\n\nText with **bold**, *emphasis*, ~~struck~~ and `code`.",
        "1. one\n2. two\n   - deep\n   - deeper\n3. three",
        "> quoted\n> twice\n\n---\n\nafter",
        "```python\nif a < b:\n    print('*')\n```",
        "    indented code",
        "| a | b |\n|---|---|\n| 1 | 2 \\| 3 |",
        "[link](https://example.com/a_b?c=1&d=2) and ![picture](https://example.com/p.png)",
        "5 * 3 * 2, snake_case_name, <not a tag>, a \\* star, 1\\. no list",
        "line one\\\nline two",
        "비밀번호를 **10번** 틀리면 잠깁니다.\n\n請按**確定**。",
    ],
)
def test_html_keeps_what_markdown_shows(body: str) -> None:
    """Every kind of block and span survives the way there and back, also where the page was edited."""
    article = Article(id="a", title="A", body=body, team="it")
    text = webpage.write(article)
    (page,), problems = webpage.read(text, Path("x.html"), NOTHING)
    assert problems == []
    assert page.article.body == body
    (edited,), problems = webpage.read(text.replace("</body>", "<p>More.</p></body>"), Path("x.html"), NOTHING)
    assert problems == []
    assert shown(edited.article.body) == shown(f"{body}\n\nMore.")


@pytest.mark.parametrize("form", Format)
def test_every_format_is_written_and_read_by_its_name(tmp_path: Path, form: Format) -> None:
    """`kb export` and `kb import` need no more than a path."""
    kept = [Article(id=id, title=id, body="Text.", team="it") for id in ("vpn", "VPN", "..up", ".git", "긴" * 100)]
    path = tmp_path / {"csv": "kb.csv", "jsonl": "kb.jsonl"}.get(form, "kb")
    written = write(kept, path, form)
    assert {file.parent.resolve() for file in written} <= {tmp_path, path / "en"}
    assert sorted(read(path).articles, key=str) == sorted(kept, key=str)


def test_folder_of_an_earlier_export_is_refused(tmp_path: Path) -> None:
    """Articles that are gone would otherwise come back."""
    write([Article(id="a", title="A", team="it")], tmp_path / "kb", Format.MARKDOWN)
    with pytest.raises(CannotWrite, match="not empty"):
        write([Article(id="b", title="B", team="it")], tmp_path / "kb", Format.MARKDOWN)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("kb", Format.MARKDOWN),
        ("a.md", Format.MARKDOWN),
        ("a.CSV", Format.CSV),
        ("a.jsonl", Format.JSONL),
        ("a.htm", Format.HTML),
    ],
)
def test_format_follows_the_name(tmp_path: Path, name: str, form: Format) -> None:
    """A folder is Markdown."""
    assert format_of(tmp_path / name) is form


def test_unknown_ending_names_the_known_ones(tmp_path: Path) -> None:
    """`kb.xlsx` is not silently a folder."""
    with pytest.raises(CannotWrite, match=r"\.jsonl"):
        format_of(tmp_path / "kb.xlsx")


def test_one_file_holds_one_article_of_markdown(tmp_path: Path) -> None:
    """Two in one file could not be read."""
    two = [Article(id=id, title=id, team="it") for id in "ab"]
    write(two[:1], tmp_path / "one.md", Format.MARKDOWN)
    assert len(read(tmp_path / "one.md").articles) == 1
    with pytest.raises(CannotWrite, match="name a folder"):
        write(two, tmp_path / "two.md", Format.MARKDOWN)


def shown(text: str) -> str:
    return re.sub(r"\s+", " ", RULES.render(text))
