"""HTML: one article a file, as wikis and other help desks export it.

Called by `bot.kbfiles.reading` and `bot.kbfiles.writing`. What runs or loads something (scripts, frames,
event handlers, `javascript:` links) never reaches the article. Written and read again, an article keeps
every field; only runs of blanks inside a phrasing become one. A page carries the Markdown that its text was
made from, which counts as long as the text still shows it; a text that was edited, or that others wrote, is
turned into Markdown (headings, lists, tables, links, code, emphasis).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup
from bs4.element import Tag
from markdown_it import MarkdownIt
from markdownify import MarkdownConverter

from bot.kbfiles.form import MAX_BODY, Defaults, Read, fields, page
from bot.kbfiles.table import SEPARATORS, entries, listing
from bot.yamlfile import Problem, Source, Tree, Where
from triage.knowledge import Article

PREFIX = "deskbell:"
MARKDOWN = "markdown"
"""The name, after the prefix, of what the text of a page was made from."""
MAX_LENGTH = 2_000_000
"""Characters of one page; a page is one article."""
MAX_ELEMENTS = 50_000
PLACES = {
    "lang": '<html lang="ko"> (or en, or zh-Hant)',
    "title": "<title>VPN drops</title>",
    "team": f'<meta name="{PREFIX}team" content="it">, or import with --team',
    "audience": f'<meta name="{PREFIX}audience" content="company">, or import with --audience',
}
"""How a page names what every article must have; an id it always has."""
LISTS = {"phrasings": "How people ask this", "against": "What people ask that is something else"}

_DROPPED = ["script", "style", "iframe", "frame", "frameset", "object", "embed", "applet", "noscript", "template"]
_DROPPED += ["svg", "math", "canvas", "audio", "video", "button", "input", "select", "textarea"]
_DROPPED += ["link", "meta", "base", "title"]
_SCHEMES = frozenset({"", "http", "https", "mailto", "tel"})
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0]+")
_LANGUAGES = re.compile(r"(en|ko|zh-(?:hant|tw|hk))\b", re.IGNORECASE)
_CODE_LANGUAGE = re.compile(r"language-(\S+)")

_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


class _Converter(MarkdownConverter):
    class Options(MarkdownConverter.DefaultOptions):  # type: ignore[misc,name-defined]
        heading_style = "atx"
        bullets = "-"
        escape_misc = True
        newline_style = "backslash"
        table_infer_header = True

        @staticmethod
        def code_language_callback(pre: Tag) -> str | None:
            code = pre.find("code")
            found = _CODE_LANGUAGE.match(" ".join(code.get_attribute_list("class"))) if isinstance(code, Tag) else None
            return found[1] if found else None


def read(text: str, file: Path, defaults: Defaults) -> Read:
    """The article of a page's text; nothing when there is an error in it.

    Without a `deskbell:id` the name of the file stands for it, without `deskbell:lang` the page's language.
    """
    if len(text) > MAX_LENGTH:
        message = f"is too long for one article: {len(text):,} characters, at most {MAX_LENGTH:,}"
        return [], [Problem(file=file, line=1, message=message)]
    if text.count("<") > MAX_ELEMENTS:
        return [], [
            Problem(file=file, line=1, message=f"has more than {MAX_ELEMENTS:,} tags, too many for one article")
        ]
    try:
        source = _source(_parsed(text), text, file, defaults)
    except (RecursionError, AssertionError, ValueError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return [], [Problem(file=file, line=1, message=f"not valid HTML: {reason}")]
    found, problems = page(source)
    return ([found] if found else []), [_with_place(problem) for problem in problems]


def _with_place(problem: Problem) -> Problem:
    """Of what is missing also where it would stand in a page."""
    key, _, message = problem.message.partition(": ")
    if message != "is missing" or key not in PLACES:
        return problem
    return replace(problem, message=f"{problem.message}: add {PLACES[key]}")


def write(article: Article) -> str:
    """The text of an article's page."""
    given = fields(article)
    given.pop("body", None)
    asked = {name: given.pop(name, []) for name in LISTS}
    title = escape(str(given.pop("title")))
    made_from = {MARKDOWN: article.body} if article.body else {}
    metas = "\n".join(_meta(key, value) for key, value in {**given, **made_from}.items())
    lists = "\n".join(_list(name, value) for name, value in asked.items() if isinstance(value, list) and value)
    return (
        f'<!DOCTYPE html>\n<html lang="{article.language.value}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n{metas}\n</head>\n<body>\n<h1>{title}</h1>\n"
        f"{_markdown.render(article.body)}{lists}\n</body>\n</html>\n"
    )


def _meta(key: str, value: object) -> str:
    content = listing(value, SEPARATORS[key]) if isinstance(value, list) else str(value)
    return f'<meta name="{PREFIX}{key}" content="{escape(content)}">'


def _list(name: str, items: list[str]) -> str:
    shown = "\n".join(f"<li>{escape(item).replace(chr(10), '<br>')}</li>" for item in items)
    return f'<ul class="{name}" title="{LISTS[name]}">\n{shown}\n</ul>'


def _parsed(text: str) -> BeautifulSoup:
    """By lxml: the parser of the standard library takes minutes for a file made to hurt it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return BeautifulSoup(text, "lxml")


def _source(soup: BeautifulSoup, text: str, file: Path, defaults: Defaults) -> Source:
    data: dict[str, Tree] = {"id": re.sub(r"[\s:/@,]+", "-", file.stem)}
    lines: dict[Where, int] = {(): 1}
    if language := _attribute(soup.find("html"), "lang").strip():
        known = _LANGUAGES.match(language)
        data["lang"] = known[1] if known else language
        lines["lang",] = text.count("\n", 0, max(text.lower().find("<html"), 0)) + 1
    for key, content in _metas(soup):
        data[key] = [*entries(content, SEPARATORS[key])] if key in SEPARATORS else content
        lines[key,] = text.count("\n", 0, max(text.find(PREFIX + key), 0)) + 1
    defaults.fill(data)
    if title := _title(soup):
        data["title"] = title
    for name in LISTS:
        if items := [*_items(soup, name)]:
            data[name] = [*items]
    data["body"] = _body(soup, title, str(data.pop(MARKDOWN, "")))
    return Source(file=file, data=data, lines=lines)


def _metas(soup: BeautifulSoup) -> Iterator[tuple[str, str]]:
    for meta in soup.find_all("meta"):
        name = _attribute(meta, "name").lower()
        content = _attribute(meta, "content")
        if name.startswith(PREFIX) and content.strip():
            key = name.removeprefix(PREFIX)
            yield key, content if key == MARKDOWN else content.strip()


def _attribute(tag: object, name: str) -> str:
    value = tag.get(name) if isinstance(tag, Tag) else None
    return value if isinstance(value, str) else ""


def _title(soup: BeautifulSoup) -> str:
    for name in ("title", "h1"):
        found = soup.find(name)
        if isinstance(found, Tag) and (text := _said(found)):
            return text
    return ""


def _said(tag: Tag) -> str:
    """The text of an element in one line; `<br>` starts another."""
    for pause in tag.find_all("br"):
        pause.replace_with("\0")
    lines = " ".join(tag.get_text().split()).split("\0")
    return "\n".join(line.strip() for line in lines)


def _items(soup: BeautifulSoup, name: str) -> Iterator[str]:
    """The entries of a list by its class; the list is taken out of the page."""
    for listed in soup.find_all(["ul", "ol"], class_=name):
        yield from (text for item in listed.find_all("li") if (text := _said(item)))
        listed.extract()


def _body(soup: BeautifulSoup, title: str, made_from: str) -> str:
    """The rest of the page as Markdown: what it was made from if that is what it shows."""
    for tag in soup.find_all(_DROPPED):
        tag.extract()
    heading = soup.find("h1")
    if isinstance(heading, Tag) and _said(heading) == title:
        heading.extract()
    for link in soup.find_all("a"):
        if not _is_harmless(_attribute(link, "href")):
            link.unwrap()
    for image in soup.find_all("img"):
        if not _is_harmless(_attribute(image, "src")):
            image.replace_with(_attribute(image, "alt"))
    rest = soup.find("body") or soup
    if 0 < len(made_from) <= MAX_BODY and _looks(rest) == _looks(_parsed(_markdown.render(made_from))):
        return made_from
    text: str = _Converter().convert_soup(rest)
    return text


def _looks(tag: Tag) -> str:
    """The elements and words of a page, however its source is broken into lines."""
    return " ".join((tag.find("body") or tag).decode_contents().split())


def _is_harmless(address: str) -> bool:
    try:
        return urlsplit(_INVISIBLE.sub("", address)).scheme.lower() in _SCHEMES
    except ValueError:
        return False
