"""desk.yaml: a sound file becomes a policy, an unsound one sentences with lines, and nothing ever raises."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bot import deskfile, sample
from bot.deskfile_schema import json_schema, json_schema_text
from bot.yamlfile import Severity
from tests.unit import deskfile_cases, deskfile_promise_cases
from tests.unit.deskfile_cases import DESK, policy_of, read, team
from tests.unit.deskfile_promise_cases import NOTHING_TO_SAY
from triage.calendars import ALWAYS, DatedWindow, Window
from triage.model import Account, Channel, Language, Platform, Priority
from triage.policy import Metric, Targets

TODAY = date(2026, 11, 20)
ERRORS = deskfile_cases.ERRORS + deskfile_promise_cases.ERRORS
WARNINGS = deskfile_cases.WARNINGS + deskfile_promise_cases.WARNINGS


def said(tmp_path: Path, text: str) -> list[str]:
    """The problems as `line: message`."""
    return [str(problem).partition("desk.yaml:")[2] for problem in read(tmp_path, text)[1]]


# --- what a sound file means -------------------------------------------------------------------
def test_sound_desk_has_nothing_to_be_said(tmp_path: Path) -> None:
    """Every key, once, and not a word about it."""
    assert said(tmp_path, DESK) == []


def test_team_is_read_whole(tmp_path: Path) -> None:
    """Every key of a team arrives in the policy."""
    found = policy_of(tmp_path, DESK).teams["it"]
    assert (found.id, found.name, found.agents, found.lead) == ("it", "IT", ("lee", "kim"), "lee")
    assert (found.language, found.restricted, found.allow_guests) == (Language.KO, True, True)
    assert found.terms.warn == ("50%", "-30m")


def test_promises_become_seconds(tmp_path: Path) -> None:
    """A day in a duration has 24 hours."""
    assert policy_of(tmp_path, DESK).teams["it"].terms.targets == {
        Priority.HIGH: Targets(
            seconds={Metric.FIRST_RESPONSE: 3_600, Metric.NEXT_REPLY: 3_600, Metric.RESOLUTION: 95_415},
            hours="calendar",
            pause_on_hold=True,
            reopen="first_only",
        )
    }


def test_hours_become_windows(tmp_path: Path) -> None:
    """Ranges of days, several windows a day, overnight and to midnight."""
    windows = policy_of(tmp_path, DESK).teams["it"].terms.calendar.windows
    hour = 3_600
    assert windows[:2] == (
        Window(day=0, opens=9 * hour, closes=12 * hour + 1_800),
        Window(day=0, opens=13 * hour + 1_800, closes=18 * hour),
    )
    assert windows[8:] == (
        Window(day=4, opens=22 * hour, closes=30 * hour),
        Window(day=6, opens=0, closes=24 * hour),
    )


def test_range_of_days_may_pass_the_weekend(tmp_path: Path) -> None:
    """`sat-mon` is three days."""
    text = team('agents: [lee]\ncalendar: {timezone: UTC, hours: {sat-mon: ["09:00-17:00"]}}')
    windows = policy_of(tmp_path, text).teams["it"].terms.calendar.windows
    assert [window.day for window in windows] == [0, 5, 6]


def test_date_has_hours_of_its_own(tmp_path: Path) -> None:
    """A half-day is written among the hours; the evening before may have run into it."""
    hours = '{mon-fri: ["09:00-17:00", "22:00-06:00"], 2026-12-24: ["06:00-09:00", "10:00-12:30"]}'
    text = team(f"agents: [lee]\ncalendar: {{timezone: UTC, hours: {hours}}}")
    assert policy_of(tmp_path, text).teams["it"].terms.calendar.dated == (
        DatedWindow(on=date(2026, 12, 24), opens=6 * 3_600, closes=9 * 3_600),
        DatedWindow(on=date(2026, 12, 24), opens=10 * 3_600, closes=12 * 3_600 + 1_800),
    )


def test_codes_and_dates_stay_what_was_written(tmp_path: Path) -> None:
    """NO is Norway, a date is a date."""
    assert policy_of(tmp_path, DESK).teams["it"].terms.calendar.holidays == ("2026-12-25", "KR", "GB-ENG", "NO")


def test_slack_id_holds_in_every_listed_place(tmp_path: Path) -> None:
    """One person, two workspaces, one tenant."""
    assert policy_of(tmp_path, DESK).people["lee"].accounts == (
        Account(platform=Platform.SLACK, place="T1", user="U1"),
        Account(platform=Platform.SLACK, place="T2", user="U1"),
        Account(platform=Platform.TEAMS, place="tenant-guid", user="aad-1"),
    )


def test_account_may_name_its_place(tmp_path: Path) -> None:
    """`PLACE/ID` is an account in that place alone."""
    accounts = policy_of(tmp_path, DESK.replace("slack: U2", "slack: T2/U2")).people["kim"].accounts
    assert accounts[0] == Account(platform=Platform.SLACK, place="T2", user="U2")


def test_web_user_lives_in_the_demo_s_place(tmp_path: Path) -> None:
    """The web chat has one place, which needs no listing."""
    policy = policy_of(tmp_path, DESK)
    assert Account(platform=Platform.WEB, place="demo", user="kim") in policy.people["kim"].accounts
    assert (Platform.WEB, "demo") in policy.places


def test_desk_without_web_has_no_web_place(tmp_path: Path) -> None:
    """A place nobody named lets nobody in."""
    assert policy_of(tmp_path, team("agents: [lee]")).places == {(Platform.SLACK, "T1")}


def test_language_tags_of_taiwan_and_hong_kong_are_traditional_chinese(tmp_path: Path) -> None:
    """There is one catalogue for both."""
    assert policy_of(tmp_path, DESK).people["kim"].language is Language.ZH_HANT


def test_channel_belongs_to_the_first_place_unless_it_names_one(tmp_path: Path) -> None:
    """`C1` is in the first workspace, `T2/C2` in the second."""
    channels = policy_of(tmp_path, DESK).teams["it"].help
    assert Channel(platform=Platform.SLACK, place="T1", id="C1") in channels
    assert Channel(platform=Platform.SLACK, place="T2", id="C2") in channels


def test_cards_go_to_the_platform_that_the_file_names_first(tmp_path: Path) -> None:
    """The order of the file decides, not the alphabet."""
    expected = Channel(platform=Platform.TEAMS, place="tenant-guid", id="19:triage@thread.tacv2")
    assert policy_of(tmp_path, DESK).teams["it"].triage_channel == expected


def test_team_that_says_little_gets_defaults(tmp_path: Path) -> None:
    """Its key is its name, English its language, the clock its calendar; empty keys count as left out."""
    found = policy_of(tmp_path, team("agents: [lee]\nlead:\nsla: ~\nwarn: null")).teams["it"]
    assert (found.name, found.language, found.lead) == ("it", Language.EN, None)
    assert found.terms.calendar == ALWAYS


def test_alias_repeats_a_value(tmp_path: Path) -> None:
    """Two teams may share their promises."""
    text = (
        team("agents: [lee]\nsla: &std {high: {resolution: 8h, hours: calendar}}")
        + "  hr:\n    agents: [lee]\n    sla: *std\n"
    )
    teams = policy_of(tmp_path, text).teams
    assert teams["it"].terms.targets == teams["hr"].terms.targets


def test_articles_are_looked_for_beside_the_file(tmp_path: Path) -> None:
    """The folder is relative to desk.yaml, not to where the command was typed."""
    desk, _ = read(tmp_path, DESK.replace("kb/", "articles/"))
    assert desk is not None
    assert desk.kb == tmp_path / "articles"


# --- what is wrong, and on which line ----------------------------------------------------------
@pytest.mark.parametrize(("text", "message"), ERRORS, ids=lambda value: value.partition(": ")[2])
def test_error_says_where_and_what_is_allowed(tmp_path: Path, text: str, message: str) -> None:
    """An unsound file gives no desk, but a sentence an admin can act on."""
    desk, problems = read(tmp_path, text)
    assert desk is None
    assert message in [str(problem).partition("desk.yaml:")[2] for problem in problems]


@pytest.mark.parametrize(("text", "message"), WARNINGS, ids=lambda value: value.partition(": ")[2])
def test_warning_leaves_the_desk_usable(tmp_path: Path, text: str, message: str) -> None:
    """What may be meant is only pointed out."""
    desk, problems = read(tmp_path, text)
    assert desk is not None
    assert [str(problem).partition("desk.yaml:")[2] for problem in problems] == [message]


@pytest.mark.parametrize("text", NOTHING_TO_SAY)
def test_what_may_well_be_meant_is_left_alone(tmp_path: Path, text: str) -> None:
    """A check that cries over sound files is soon not read."""
    assert said(tmp_path, text) == []


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    """A misspelt key does not hide the unknown agent, and lines are in order."""
    text = team("agnts: [lee]\nagents: [zoe]\nsla: {high: {resolution: 1}}\nlead: kim")
    assert [line.partition(":")[0] for line in said(tmp_path, text)] == ["5", "6", "7", "8"]


def test_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    """The first thing anybody sees who starts without a desk.yaml."""
    desk, problems = deskfile.read(tmp_path / "desk.yaml")
    assert desk is None
    assert str(problems[0]) == (
        f"{tmp_path}/desk.yaml:1: cannot be read: no such file or directory; "
        "`deskbell init DIR` writes a sample, --config names another file"
    )


def test_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are found by line."""
    file = tmp_path / "desk.yaml"
    file.write_bytes(b"kb: a\npeople: {l\xe9e: {}}\n")
    _, problems = deskfile.read(file)
    assert str(problems[0]).startswith(f"{file}:2: is not UTF-8 text")


def test_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    """Editors on Windows write both."""
    file = tmp_path / "desk.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + DESK.replace("\n", "\r\n").encode())
    desk, _ = deskfile.read(file)
    assert desk is not None


def test_check_reads_articles_too(tmp_path: Path) -> None:
    """One command for everything an admin writes."""
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "a.md").write_text("---\nid: a\n---\n", encoding="utf-8")
    (tmp_path / "desk.yaml").write_text(team("agents: [zoe]"), encoding="utf-8")
    files = {problem.file.name for problem in deskfile.check(tmp_path / "desk.yaml", today=TODAY)}
    assert files == {"desk.yaml", "a.md"}


def test_missing_articles_point_to_the_line_that_names_them(tmp_path: Path) -> None:
    """The folder is a word in desk.yaml."""
    (tmp_path / "desk.yaml").write_text("\nkb: articles\n" + team("agents: [lee]"), encoding="utf-8")
    found = [str(problem) for problem in deskfile.check(tmp_path / "desk.yaml", today=TODAY)]
    assert found == [f"{tmp_path}/desk.yaml:2: kb: there is no folder {tmp_path}/articles: make it, or name another"]


def test_the_folder_of_articles_may_be_pulled(tmp_path: Path) -> None:
    """`kb: kb/` says the folder alone, a mapping also how often to pull it."""
    file = tmp_path / "desk.yaml"
    file.write_text("kb: {folder: articles/, pull: 15m}\n" + team("agents: [lee]"), encoding="utf-8")
    desk, _ = deskfile.read(file)
    assert desk is not None
    assert (desk.kb, desk.pull) == (tmp_path / "articles", 900)
    file.write_text("kb: articles/\n" + team("agents: [lee]"), encoding="utf-8")
    desk, _ = deskfile.read(file)
    assert desk is not None
    assert (desk.kb, desk.pull) == (tmp_path / "articles", None)


def test_only_a_checkout_can_be_pulled(tmp_path: Path) -> None:
    """`check` says so on the line, before the first pull fails."""
    (tmp_path / "kb").mkdir()
    file = tmp_path / "desk.yaml"
    file.write_text("kb:\n  folder: kb\n  pull: 15m\n" + team("agents: [lee]"), encoding="utf-8")
    found = [str(problem) for problem in deskfile.check(file, today=TODAY)]
    assert found == [f"{file}:3: kb.pull: {tmp_path}/kb is not in a git checkout: leave pull away"]
    (tmp_path / ".git").mkdir()
    assert deskfile.check(file, today=TODAY) == []


# --- nothing raises ----------------------------------------------------------------------------
@settings(deadline=None)
@example("[" * 5_000)
@example('"\\UFFFFFFFF"')
@example("a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" * 3)
@example("%YAML 9.9\n---\na: 1")
@example("people: {'[key]': {name: []}}\nteams: {'[key]': 1}")
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_is_read_without_raising(text: str) -> None:
    """Whatever somebody saved as desk.yaml, the answer is a list of problems."""
    _assert_told(text)


WORDS = st.sampled_from(
    [*"abc", "kb", "it", "lee", "teams", "people", "agents", "slack", "help", "~", "true", "1h", "*x", "&x 1"]
)
VALUES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("kb", "places", "people", "answers", "teams"), VALUES)))
def test_any_structure_is_read_without_raising(tree: dict[str, object]) -> None:
    """The same for well-formed YAML in which nothing is where it should be."""
    _assert_told(json.dumps(tree))


STEPS = st.fixed_dictionaries({}, optional=dict.fromkeys(("notify", "wait", "raise", "reassign", "repeat"), VALUES))
POLICIES = st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "when", "sla", "escalation", "priority"), VALUES))


@settings(deadline=None)
@given(st.lists(STEPS, max_size=4), st.lists(POLICIES, max_size=3), VALUES)
def test_any_chain_policy_and_rota_is_read_without_raising(steps: object, policies: object, rota: object) -> None:
    """Chains, conditions and rotas of wild forms, in a desk that is otherwise sound."""
    entries = {"agents": ["lee"], "escalation": {"steps": steps}, "policies": policies, "oncall": rota}
    _assert_told(json.dumps({"people": {"lee": {"quiet": rota}}, "teams": {"it": entries}}))


@settings(deadline=None)
@given(st.integers(0, len(DESK)), st.integers(0, 40), st.text("{}[]:,-&*\"' \n#0a", max_size=4))
def test_damaged_desk_is_read_without_raising(start: int, length: int, patch: str) -> None:
    """A good file after a slip of the hand is read, or told about."""
    _assert_told(DESK[:start] + patch + DESK[start + length :])


def _assert_told(text: str) -> None:
    file = Path("desk.yaml")
    form, _, problems = deskfile.read_form(text, file)
    assert (form is not None) or any(problem.severity is Severity.ERROR for problem in problems)
    assert all(1 <= problem.line <= text.count("\n") + 2 for problem in problems)


# --- the sample and the schema -----------------------------------------------------------------
def test_sample_desk_is_sound() -> None:
    """Only its placeholder ids wait for an admin."""
    problems = deskfile.check(sample.files() / "desk.yaml", today=TODAY)
    assert [problem.message.partition(" and every")[0] for problem in problems] == ["places.slack: 'T00SAMPLE'"]


def test_sample_teams_promise_something_for_every_priority() -> None:
    """Whoever starts from the sample starts with clocks."""
    desk, _ = deskfile.read(sample.files() / "desk.yaml")
    assert desk is not None
    teams = desk.policy.teams.values()
    promised = [terms.targets for team in teams for terms in (team.terms, *(rule.terms for rule in team.rules))]
    assert all(set(targets) == set(Priority) for targets in promised)


def test_sample_is_copied(tmp_path: Path) -> None:
    """What `init` writes is as sound as the sample itself."""
    written, kept = sample.write_sample(tmp_path / "new" / "desk")
    assert (tmp_path / "new" / "desk" / "desk.yaml") in written
    assert not kept
    desk, _ = deskfile.read(tmp_path / "new" / "desk" / "desk.yaml")
    assert desk is not None
    assert any(desk.kb.rglob("*.md"))


def test_sample_never_overwrites(tmp_path: Path) -> None:
    """What is there stays, the rest is added."""
    (tmp_path / "desk.yaml").write_text("mine", encoding="utf-8")
    written, kept = sample.write_sample(tmp_path)
    assert kept == [tmp_path / "desk.yaml"]
    assert (tmp_path / "desk.yaml").read_text(encoding="utf-8") == "mine"
    assert tmp_path / "desk.schema.json" in written


def test_schema_file_is_in_step() -> None:
    """Write `bot.deskfile_schema.json_schema_text()` to bot/sample/desk.schema.json after a change of the models."""
    assert (sample.files() / "desk.schema.json").read_text(encoding="utf-8") == json_schema_text()


@pytest.mark.parametrize(
    "text",
    [
        DESK,
        DESK.replace("kb: kb/", "kb: {folder: kb/, pull: 15m}"),
        (sample.files() / "desk.yaml").read_text(encoding="utf-8"),
    ],
)
def test_schema_accepts_what_the_program_accepts(text: str) -> None:
    """An editor does not underline a sound file."""
    tree = json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))
    validator = jsonschema.Draft202012Validator(json_schema())
    # Language tags such as zh-TW are read, but editors offer only the three of the catalogue.
    assert [error.message for error in validator.iter_errors(tree) if "zh-TW" not in error.message] == []


@pytest.mark.parametrize(
    "text",
    [
        team("agnts: []"),
        team("sla: {hig: {}}"),
        team("warn: ['30m']"),
        team("escalation: {steps: [{wait: 1m, notify: lead}]}"),
        team("escalation: {steps: [{raise: low}]}"),
        team("oncall: {people: []}"),
        team("policies: [{name: a, sla: {}}]"),
        team("agents: []", "{lee: {quiet: ['20-08']}}"),
        "kb: x",
        "kb: {pul: 1m}\n" + team("agents: []"),
    ],
)
def test_schema_refuses_what_the_program_refuses(text: str) -> None:
    """An editor shows the mistake before `check` does."""
    tree = YAML(typ="safe", pure=True).load(text)
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(tree)
