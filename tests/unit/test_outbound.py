"""Whom the desk calls: a short list, and never an address that an article or a message names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from adapters.slack.blocks import to_blocks
from adapters.teams.cards import activity
from bot.kbfiles.reading import read
from triage.layout import render
from triage.model import Language
from triage.outgoing import Answer

ROOT = Path(__file__).parents[2]

CALLERS = {
    "adapters/slack/adapter.py": "Slack's Web API and Socket Mode",
    "adapters/slack/port.py": "Slack's Web API; a response_url of Slack's own host",
    "adapters/teams/auth.py": "Microsoft's signing keys",
    "adapters/teams/connector.py": "the service URL that Teams' token names",
    "adapters/teams/credentials.py": "Microsoft Entra, for the bot's token",
    "adapters/slack/app.py": "Slack's Web API, through the client it is given",
    "adapters/slack/directory.py": "the same",
    "adapters/slack/errors.py": "nothing: it names the SDK's errors",
    "adapters/slack/identity.py": "Slack's Web API",
    "adapters/encoders/endpoint.py": "the embeddings address in the environment",
    "bot/pulling.py": "git pull of the checkout of articles",
    "bot/cli.py": "this machine: whether its port is taken",
    "bot/doctor.py": "nothing by itself",
    "storage/engine.py": "the database",
}
"""Modules that may open a connection, and to whom."""
NETWORK = (
    *("aiohttp", "httpx", "requests", "urllib.request", "urllib3", "http.client", "ftplib", "smtplib", "socket"),
    *("subprocess", "asyncio.subprocess", "slack_sdk", "slack_bolt", "botframework.connector.auth", "websockets"),
)


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_nobody_else_can_call_anyone() -> None:
    """A module that reaches for the network is named above, with whom it calls."""
    found = {
        str(file.relative_to(ROOT))
        for layer in ("adapters", "bot", "storage", "triage")
        for file in (ROOT / layer).rglob("*.py")
        if any(name == each or name.startswith(f"{each}.") for name in imported(file) for each in NETWORK)
    }
    assert found <= CALLERS.keys()


@pytest.fixture
def bait() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine, and the paths it was asked for."""
    asked: list[str] = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_links_in_articles_are_never_followed(tmp_path: Path, bait: tuple[str, list[str]]) -> None:
    """Not when they are read, in any format, and not when they are laid out for anyone."""
    url, asked = bait
    body = f"![x]({url}/image) [y]({url}/link) <{url}/auto> [r]: {url}/ref <img src='{url}/img'>"
    head = "id: {0}\nlang: en\ntitle: t\nteam: it\naudience: company\n"
    (tmp_path / "a.md").write_text(f"---\n{head.format('a')}---\n{body}\n")
    (tmp_path / "b.csv").write_text(f'id,lang,title,team,audience,body\nb,en,t,it,company,"{body}"\n')
    (tmp_path / "c.html").write_text(
        f"<!DOCTYPE html PUBLIC 'x' '{url}/dtd'><html lang='en'><head><base href='{url}'><title>t</title>"
        f"<link rel='stylesheet' href='{url}/css'><meta name='deskbell:team' content='it'>"
        f"<meta name='deskbell:audience' content='company'><meta http-equiv='refresh' content='0;url={url}/go'></head>"
        f"<body><!ENTITY x SYSTEM '{url}/entity'><img src='{url}/img'><iframe src='{url}/frame'></iframe>"
        f"<script src='{url}/js'></script><a href='{url}/a'>a</a></body></html>"
    )
    found = read(tmp_path)
    assert {article.id for article in found.articles} == {"a", "b", "c"}
    for article in found.articles:
        document = render(Answer(article=article.id, title="t", body=article.body, team="IT"), Language.EN)
        to_blocks(document)
        activity(document, nonce="n")
    assert asked == []
