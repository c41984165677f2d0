"""Articles of the knowledge base (CommonMark, with tables and strikethrough) as Slack's mrkdwn.

Pure; called by `adapters.slack.blocks`. Slack knows no headings, tables or nested lists, so these
become bold lines, rows with bars and indented bullets. Raw HTML is shown as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from adapters.slack.mrkdwn import EDGE, LONGEST_STYLED, Pieces, escape, link, plain, styled

LONGEST_CODE = 2_000
"""Characters of one fenced block; a longer one is continued in the next."""

MARKS = {"strong": "*", "em": "_", "s": "~"}

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def article(text: str) -> Pieces:
    """The whole body, blocks parted by empty lines."""
    return _stacked(SyntaxTreeNode(_parser.parse(text)).children, gap="\n\n")


def _stacked(nodes: Iterable[SyntaxTreeNode], *, gap: str = "\n") -> Pieces:
    pieces: list[str] = []
    for node in nodes:
        block = _block(node)
        if block and pieces:
            pieces += list(gap)
        pieces += block
    return tuple(pieces)


def _block(node: SyntaxTreeNode) -> Pieces:
    match node.type:
        case "paragraph":
            return _inline(node)
        case "heading":
            return styled("*", _words(node).strip())
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "blockquote":
            return _prefixed("> ", "> ", _stacked(node.children))
        case "fence" | "code_block":
            return tuple(_code(node.content))
        case "table":
            return _table(node)
        case "hr":
            return ("———",)
        case _:
            return plain(node.content) if not node.children else _stacked(node.children)


def _list(node: SyntaxTreeNode) -> Pieces:
    pieces: list[str] = []
    first = int(node.attrs.get("start") or 1)
    for number, item in enumerate(node.children, start=first):
        bullet = f"{number}. " if node.type == "ordered_list" else "• "
        if pieces:
            pieces.append("\n")
        pieces += _prefixed(bullet, "    ", _stacked(item.children))
    return tuple(pieces)


def _prefixed(first: str, others: str, pieces: Pieces) -> Pieces:
    return (first, *(part for piece in pieces for part in ((piece, others) if piece == "\n" else (piece,))))


def _table(node: SyntaxTreeNode) -> Pieces:
    pieces: list[str] = []
    for row in (row for part in node.children for row in part.children):
        if pieces:
            pieces.append("\n")
        for index, cell in enumerate(row.children):
            pieces += (" | ",) if index else ()
            pieces += styled("*", _words(cell)) if cell.type == "th" else _inline(cell)
    return tuple(pieces)


def _code(content: str) -> Iterator[str]:
    lines = content.rstrip("\n").replace("```", "ʼʼʼ").split("\n")
    block = ""
    for part in (escape(line[at : at + 500]) for line in lines for at in range(0, max(len(line), 1), 500)):
        if block and len(block) + len(part) > LONGEST_CODE:
            yield f"```\n{block}\n```\n"
            block = ""
        block = f"{block}\n{part}" if block else part
    yield f"```\n{block}\n```"


def _inline(node: SyntaxTreeNode) -> Pieces:
    if node.type != "inline" and node.children:
        return tuple(piece for child in node.children for piece in _inline(child))
    return tuple(piece for child in node.children for piece in _run(child))


def _run(node: SyntaxTreeNode) -> Pieces:
    match node.type:
        case "text":
            return plain(node.content)
        case "softbreak":
            return (" ",)
        case "hardbreak":
            return ("\n",)
        case "code_inline":
            return _inline_code(node.content)
        case "link":
            return link(str(node.attrs.get("href", "")), _words(node))
        case "image":
            return link(str(node.attrs.get("src", "")), node.content)
        case "strong" | "em" | "s":
            return _marked(MARKS[node.type], tuple(piece for child in node.children for piece in _run(child)))
        case _:
            return plain(node.content)


def _marked(mark: str, inner: Pieces) -> Pieces:
    """Markers around runs that may hold others; torn apart they would show, so the whole is one piece."""
    text = "".join(inner)
    if not text.strip() or text != text.strip() or "\n" in text or len(text) > LONGEST_STYLED:
        return inner
    return (f"{EDGE}{mark}{text}{mark}{EDGE}",)


def _inline_code(content: str) -> Pieces:
    text = escape(content.replace("`", "ʼ"))
    if not text.strip() or len(text) > LONGEST_STYLED:
        return plain(content)
    return (f"{EDGE}`{text}`{EDGE}",)


def _words(node: SyntaxTreeNode) -> str:
    """The node's text without any markup."""
    if node.type in ("softbreak", "hardbreak"):
        return " "
    return "".join(_words(child) for child in node.children) if node.children else node.content
