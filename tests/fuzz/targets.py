"""One entry point for each parser of outside input. Anything that one raises is a defect.

Slack's payloads are signed, so those of a form nobody knows may be refused by name; everything else is taken from
whoever comes.

`tests.fuzz` imports this module instrumented, so that the fuzzer sees which branches an input took.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from adapters.slack import inbound as slack
from adapters.slack.identity import Bot
from adapters.teams import inbound as teams
from bot import deskfile, sample, scenario
from bot.kbfiles import jsonl, markdown, table, webpage
from bot.kbfiles.form import Defaults, Read, abridged
from bot.kbfiles.reading import read_file
from tests.unit.match_cases import DESK, matcher
from triage.commands import Command, intent_of
from triage.knowledge import Article
from triage.matching import Match, Verdict
from triage.model import Account, Channel, Ignored, Kind, Language, Message, Platform, Sender
from triage.questions import questions
from triage.text import MAX_TEXT, is_small_talk, language_of, normalise, sentences, words

DEFAULTS = Defaults(team="it", audience="company")
_MATCHER = matcher(*DESK)

SEED = Article(
    id="vpn-drops",
    title="VPN 끊김",
    body="# Restart\n\n1. *It* is [here](https://example.com/a)\n\n| a | b |\n|---|---|\n| `c` | d |",
    phrasings=("my vpn | drops", "=vpn", "VPN 一直斷線"),
    against=("vpn price",),
    language=Language.KO,
    team="it",
    audience="team:it",
    tags=("network", "a, b"),
    owner="lee",
    review=date(2027, 2, 15),
    version=3,
)
"""Every field filled, with what a format must escape."""
SAID = (
    "my vpn drops, and how do I book holiday?",
    "안녕하세요! VPN이 자꾸 끊겨요. 출입증도 잃어버렸는데 어떻게 하나요?",
    "VPN 一直斷線。請問怎麼請假？",
    "> quoted\n@kim see https://example.com :+1: 👍\n```\nTraceback\n```\nmy bagde is lost\n-- \nKim",
    "thanks!",
)


def read_markdown(text: str) -> None:
    """Front matter and text; written and read again it is the same article."""
    for article in _read(text, "a.md"):
        assert _read(markdown.write(article), "a.md") == [article]


def read_table(text: str) -> None:
    """CSV, the same."""
    articles = _read(text, "a.csv")
    assert not articles or _read(table.write(articles), "a.csv") == articles


def read_lines(text: str) -> None:
    """JSONL, the same."""
    articles = _read(text, "a.jsonl")
    assert not articles or _read(jsonl.write(articles), "a.jsonl") == articles


def read_webpage(text: str) -> None:
    """HTML, of which the text may change its spelling."""
    for article in _read(text, "a.html"):
        (again,) = _read(webpage.write(article), "a.html")
        assert (again.id, again.language, again.audience) == (article.id, article.language, article.audience)


def read_message(text: str) -> None:
    """What the matcher reads of a message."""
    normal = normalise(text)
    assert len(normal) <= MAX_TEXT
    assert all(sentence.strip() for sentence in sentences(normal))
    assert all(words(normal))
    language_of(text), is_small_talk(text), questions(text)


def match_message(text: str) -> None:
    """A decision with its reasons for whatever is written."""
    match = _MATCHER.match(text)
    for each in (match, *match.parts):
        _check(each)


BOT = Bot(team="T1", user="UBOT", id="BBOT")
UNKNOWN_FORM = (KeyError, TypeError, AttributeError, IndexError)
"""What the readers of signed payloads raise for a form that Slack does not use; answered 503."""


def read_slack(text: str) -> None:
    """Events, commands and presses: a message of Slack's with all its parts, or the reason why not."""
    payload = _object(text)
    for reader in (slack.from_event, slack.from_command, slack.from_action):
        try:
            made = reader(payload, BOT)
        except UNKNOWN_FORM:
            continue
        if isinstance(made, Message):
            assert made.key.startswith("slack:T1:")
            assert made.channel.place == BOT.team
            assert made.sender.account.user != BOT.user or made.kind in (Kind.COMMAND, Kind.BUTTON)


def read_teams(text: str) -> None:
    """Activities: the token proves who posts them, not what they say, so no form at all may hurt."""
    payload = _object(text)
    list(teams.people_in(payload))
    made = teams.to_message(payload)
    assert made.reason if isinstance(made, Ignored) else made.key.startswith("teams:")
    if isinstance(made, Message):
        assert "\0" not in made.text + made.key
        (made.text + made.key + (made.reference or "")).encode()


def read_command(text: str) -> None:
    """What is typed, pressed or said to the bot: a command, a slip, or words."""
    account = Account(platform=Platform.SLACK, place="T1", user="U1")
    channel = Channel(platform=Platform.SLACK, place="T1", id="C1")
    for kind in Kind:
        for thread in (None, "1.1"):
            said = Message(
                key="k", kind=kind, sender=Sender(account=account), channel=channel, id="1", text=text, thread=thread
            )
            intent = intent_of(said)
            assert not isinstance(intent, Command) or intent.number is None or 0 <= intent.number < 10**9


def read_desk(text: str) -> None:
    """desk.yaml: a policy, or what is wrong with it and where."""
    _, _, problems = deskfile.read_form(text, Path("desk.yaml"))
    assert all(problem.line >= 1 for problem in problems)


def read_scenario(text: str) -> None:
    """A scenario of `sla explain`: a timeline that can be followed, or what is wrong with it."""
    with NamedTemporaryFile("w", suffix=".yaml", errors="replace") as file:
        file.write(text)
        file.flush()
        found, problems = scenario.read(Path(file.name))
    assert found is not None or problems


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _check(match: Match) -> None:
    shares = [candidate.confidence for candidate in match.top]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share <= 1 for share in shares)
    assert match.verdict is not Verdict.ANSWER or shares


def _read(text: str, name: str) -> Sequence[Article]:
    """The articles of a file; of one with an error none, and why is told in sentences that can be printed."""
    found: Read = read_file(text, Path(name), DEFAULTS)
    pages, problems = found
    assert all(problem.message.isprintable() for problem in abridged(problems))
    return [page.article for page in pages]


_POST = {"type": "message", "channel": "C1", "user": "U1", "text": "hi <@UBOT> <https://a.b|c>", "ts": "1.1"}
SLACK = (
    {"event": {**_POST, "thread_ts": "1.0", "channel_type": "im", "files": [{"name": "a.txt"}]}},
    {"event": {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "2.1", "message": _POST}},
    {"event": {"type": "message", "subtype": "message_deleted", "channel": "C1", "previous_message": _POST}},
    {"command": "/desk", "trigger_id": "t", "channel_id": "C1", "user_id": "U1", "text": "claim 1"},
    {
        "type": "block_actions",
        "trigger_id": "t",
        "user": {"id": "U1", "team_id": "T1"},
        "container": {"message_ts": "1.1", "channel_id": "C1", "is_ephemeral": True},
        "actions": [{"value": "claim 1"}],
    },
)
_ACTIVITY = {
    "type": "message",
    "id": "1",
    "timestamp": "2026-11-03T09:00:00.123Z",
    "serviceUrl": "https://smba.example/",
    "from": {"id": "29:kim", "name": "Kim", "aadObjectId": "o"},
    "recipient": {"id": "28:bot"},
    "conversation": {"id": "19:a;messageid=1", "conversationType": "channel"},
    "channelData": {"tenant": {"id": "t"}},
    "text": "<at>Bot</at> <b>hi</b> &amp;",
    "textFormat": "xml",
    "entities": [{"type": "mention", "text": "<at>Bot</at>", "mentioned": {"id": "28:bot"}}],
}
_PRESSED = {"action": {"type": "Action.Execute", "data": {"command": "claim 1", "nonce": "n"}}}
TEAMS = (_ACTIVITY, {**_ACTIVITY, "type": "invoke", "name": "adaptiveCard/action", "value": _PRESSED})
SCENARIO = """\
calendar: {timezone: Europe/London, hours: {mon-fri: ["09:00-17:00"]}, holidays: ["2026-12-25", GB-ENG]}
policies: {high: {first_response: 1h, resolution: 8h, hours: business, pause_on_hold: false, reopen: exclude}}
warn: ["50%", "-30m"]
events:
  - {at: "2026-03-06T16:30", do: open, priority: high}
  - {at: "2026-03-06T16:45", do: pending}
  - {at: "2026-03-09T09:15", do: message}
until: "2026-03-10T12:00"
"""
COMMANDS = (
    "claim 42",
    "/desk assign #7 @Kim",
    "note: hi",
    "priority 1 긴급",
    "oncall swap it @Kim",
    "human!",
    "clam 4",
)

TARGETS: dict[str, tuple[Callable[[str], None], Sequence[str]]] = {
    "markdown": (read_markdown, [markdown.write(SEED)]),
    "csv": (read_table, [table.write([SEED])]),
    "jsonl": (read_lines, [jsonl.write([SEED])]),
    "html": (read_webpage, [webpage.write(SEED)]),
    "text": (read_message, SAID),
    "matcher": (match_message, SAID),
    "slack": (read_slack, [json.dumps(payload) for payload in SLACK]),
    "teams": (read_teams, [json.dumps(activity) for activity in TEAMS]),
    "commands": (read_command, COMMANDS),
    "desk": (read_desk, [(sample.files() / "desk.yaml").read_text()]),
    "scenario": (read_scenario, [SCENARIO]),
}
"""By the name that `make fuzz` gives them; each with texts to start from."""
