"""Settings: flags beat environment beat defaults, secrets never print, half-set platforms say what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.settings import Settings, SettingsError, is_loopback
from triage.model import Platform

SLACK = {"SLACK_BOT_TOKEN": "xoxb-bot", "SLACK_SIGNING_SECRET": "hush"}
TEAMS = {"MicrosoftAppId": "app", "MicrosoftAppPassword": "swordfish"}
KEY = "0123456789abcdef"


def test_nothing_set_is_a_desk_on_defaults() -> None:
    """An empty environment is no error: no platform starts, the database is a file in the data folder."""
    settings = Settings.load({})
    assert (settings.config, settings.host, settings.port) == (Path("desk.yaml"), "127.0.0.1", 3000)
    assert settings.database == "sqlite:///.deskbell/deskbell.db"
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.complaints() == []


def test_environment_beats_default() -> None:
    """A variable is read by the name that stands in the documentation."""
    assert Settings.load({"DESKBELL_CONFIG": "/etc/desk.yaml"}).config == Path("/etc/desk.yaml")


def test_flag_beats_environment() -> None:
    """What was typed last wins."""
    assert Settings.load({"DESKBELL_CONFIG": "a.yaml"}, config=Path("b.yaml")).config == Path("b.yaml")


def test_flag_that_was_not_given_changes_nothing() -> None:
    """None means that nobody typed it."""
    assert Settings.load({"DESKBELL_CONFIG": "a.yaml"}, config=None).config == Path("a.yaml")


def test_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an explicit mapping the process's own variables count."""
    monkeypatch.setenv("DESKBELL_DATABASE_URL", "postgresql://db/desk")
    assert Settings.load().database == "postgresql://db/desk"


def test_empty_variable_is_unset() -> None:
    """`SLACK_BOT_TOKEN=` in a compose file sets nothing."""
    assert Settings.load({"SLACK_BOT_TOKEN": " "}).slack_bot_token is None


def test_variables_of_others_are_left_alone() -> None:
    """PORT or HOST may belong to anything."""
    assert Settings.load({"port": "1", "PORT": "2", "PATH": "/bin"}).port == 3000


def test_secrets_never_print() -> None:
    """Neither repr, str nor a dump shows a token or a password in a database URL."""
    settings = Settings.load(
        SLACK | TEAMS | {"DESKBELL_SECRET_KEY": KEY, "DESKBELL_DATABASE_URL": "postgresql://u:hunter2@db/x"}
    )
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    for secret in ("xoxb-bot", "hush", "swordfish", KEY, "hunter2"):
        assert secret not in shown


def test_settings_cannot_be_changed() -> None:
    """What a process started with is what it runs with."""
    with pytest.raises(ValidationError):
        Settings.load({}).port = 1


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        ({}, None),
        (SLACK, "http"),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}, "socket"),
        (SLACK | {"SLACK_APP_TOKEN": "xapp-1"}, "socket"),
    ],
)
def test_slack_mode_follows_from_what_is_set(environ: dict[str, str], mode: str | None) -> None:
    """An app token means Socket Mode, a signing secret alone means HTTP."""
    assert Settings.load(environ).slack_mode == mode


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        (
            {"SLACK_BOT_TOKEN": "xoxb-1"},
            "Slack is off: set SLACK_SIGNING_SECRET (events by HTTP) or SLACK_APP_TOKEN (Socket Mode).",
        ),
        ({"SLACK_SIGNING_SECRET": "s"}, "Slack is off: set SLACK_BOT_TOKEN."),
        (
            {"SLACK_BOT_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": "s"},
            "Slack is off: SLACK_BOT_TOKEN must be a bot token (xoxb-…), not an app-level or user token.",
        ),
        (
            {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xoxb-1"},
            "Slack is off: SLACK_APP_TOKEN must be an app-level token (xapp-…), not a bot or user token.",
        ),
        ({"MicrosoftAppId": "app"}, "Teams is off: set MicrosoftAppPassword."),
        ({"MicrosoftAppPassword": "p"}, "Teams is off: set MicrosoftAppId."),
        (TEAMS | {"MicrosoftAppType": "SingleTenant"}, "Teams is off: set MicrosoftAppTenantId."),
        (
            {"MicrosoftAppId": "app", "MicrosoftAppType": "UserAssignedMSI"},
            "Teams is off: set MicrosoftAppTenantId.",
        ),
        ({"SLACK_CLIENT_ID": "1.2"}, "Installing from /slack/install is off: set SLACK_CLIENT_SECRET too."),
        ({"SLACK_CLIENT_SECRET": "s"}, "Installing from /slack/install is off: set SLACK_CLIENT_ID too."),
        (
            {"DESKBELL_SECRET_KEY": "short"},
            "Web pages are off: set DESKBELL_SECRET_KEY to 16 or more characters (openssl rand -hex 32).",
        ),
    ],
)
def test_half_set_platform_says_what_is_missing(environ: dict[str, str], complaint: str) -> None:
    """Whoever began to set a platform is told what to set next, and nothing else."""
    assert Settings.load(environ).complaints() == [complaint]


def test_unset_platform_has_a_reason_but_no_complaint() -> None:
    """`serve` says why a platform did not start; nobody is scolded for not using it."""
    settings = Settings.load({})
    assert settings.why_off(Platform.TEAMS) == "Teams is off: set MicrosoftAppId and MicrosoftAppPassword."
    assert settings.complaints() == []


def test_fully_set_platforms_are_on() -> None:
    """Everything there: nothing to say."""
    settings = Settings.load(SLACK | TEAMS | {"DESKBELL_SECRET_KEY": KEY})
    assert [settings.why_off(platform) for platform in Platform] == [None, None, None]
    assert settings.teams


def test_the_key_of_sessions_can_be_changed() -> None:
    """Several by comma, the newest first; a short one among them is told."""
    settings = Settings.load({"DESKBELL_SECRET_KEY": f"{KEY}n, {KEY}o,"})
    assert settings.session_keys == (f"{KEY}n", f"{KEY}o")
    assert settings.why_off(Platform.WEB) is None
    assert Settings.load({"DESKBELL_SECRET_KEY": f"{KEY},short"}).why_off(Platform.WEB) is not None
    assert Settings.load({}).session_keys == ()


def test_managed_identity_needs_no_password() -> None:
    """There is no password to have."""
    environ = {"MicrosoftAppId": "app", "MicrosoftAppType": "UserAssignedMSI", "MicrosoftAppTenantId": "t"}
    assert Settings.load(environ).teams


def test_unauthenticated_teams_needs_no_credentials_on_loopback() -> None:
    """Local clients send no token."""
    assert Settings.load({"DESKBELL_TEAMS_UNAUTHENTICATED": "1"}, host="::1").teams


def test_unauthenticated_teams_refuses_to_listen_elsewhere() -> None:
    """Without tokens, nobody but this machine may reach the endpoint."""
    with pytest.raises(SettingsError, match=r"listen on 127.0.0.1, not on 0.0.0.0"):
        Settings.load({"DESKBELL_TEAMS_UNAUTHENTICATED": "1"}, host="0.0.0.0")


@pytest.mark.parametrize(
    ("host", "own"),
    [
        *((host, True) for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "10.0.0.1", "example.com", "localhost.example.com")),
    ],
)
def test_loopback(host: str, own: bool) -> None:
    """Only addresses that no other machine can reach."""
    assert is_loopback(host) is own


def test_base_urls_end_with_a_slash() -> None:
    """So that a path can be put behind them."""
    settings = Settings.load(
        {"SLACK_API_URL": "http://127.0.0.1:9/api", "DESKBELL_PUBLIC_URL": "https://desk.example/"}
    )
    assert settings.slack_api_url == "http://127.0.0.1:9/api/"
    assert settings.public_url == "https://desk.example/"


def test_every_wrong_value_is_named_at_once() -> None:
    """One run tells all there is to repair."""
    with pytest.raises(SettingsError) as refusal:
        Settings.load({"SLACK_API_URL": "slack.com", "DESKBELL_LOG_FORMAT": "xml"}, port=70_000)
    assert [sentence.split()[0].rstrip(":") for sentence in refusal.value.sentences] == [
        "SLACK_API_URL",
        "DESKBELL_LOG_FORMAT",
        "port",
    ]
