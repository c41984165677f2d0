"""Everything that comes from outside desk.yaml: credentials, addresses, switches.

The only module that reads the environment; `bot.cli` calls `Settings.load` once and hands the result
on. A flag beats the environment, the environment beats the default. Secrets never print.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from triage.model import Platform

MIN_KEY = 16
"""Characters of DESKBELL_SECRET_KEY below which sessions could be guessed."""


class SettingsError(ValueError):
    """The environment or a flag holds something that cannot be; `sentences` says what, one each."""

    def __init__(self, sentences: tuple[str, ...]):
        super().__init__("\n".join(sentences))
        self.sentences = sentences


def _web_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("must be an address that begins with https:// or http://")
    return text.rstrip("/") + "/"


WebUrl = Annotated[str, AfterValidator(_web_url)]


def _database_url(url: SecretStr) -> SecretStr:
    if urlsplit(url.get_secret_value()).scheme.partition("+")[0] not in ("sqlite", "postgresql", "postgres"):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return url


def _embeddings_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address that begins with https://")
    if parts.username or parts.password:
        raise ValueError("must hold no password: set DESKBELL_EMBEDDINGS_KEY")
    if parts.query or parts.fragment:
        raise ValueError("must hold neither ? nor #")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must begin with https://: people's questions are sent there (http:// only to this machine)")
    return text.rstrip("/").removesuffix("/embeddings")


def _header_value(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value.isascii() or not value.isprintable():
        raise ValueError("must be letters, digits and signs of ASCII, in one line")
    return secret


class Settings(BaseModel):
    """One process's settings, frozen. The alias of a field is the name of its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    slack_bot_token: SecretStr | None = Field(None, alias="SLACK_BOT_TOKEN")
    """`xoxb-…`: posts messages. Slack is on when this and a way to receive events are set."""
    slack_signing_secret: SecretStr | None = Field(None, alias="SLACK_SIGNING_SECRET")
    """Proves that requests to /slack/events come from Slack."""
    slack_app_token: SecretStr | None = Field(None, alias="SLACK_APP_TOKEN")
    """`xapp-…`: receive events by Socket Mode, without a public address."""
    slack_client_id: str | None = Field(None, alias="SLACK_CLIENT_ID")
    """With the client secret: /slack/install, for several workspaces."""
    slack_client_secret: SecretStr | None = Field(None, alias="SLACK_CLIENT_SECRET")
    """Belongs to the client id."""
    slack_api_url: WebUrl = Field("https://slack.com/api/", alias="SLACK_API_URL")
    """Base URL of the Web API, with a slash at its end: GovSlack, proxies, tests."""

    teams_app_id: str | None = Field(None, alias="MicrosoftAppId")
    """Application id of the bot in Microsoft Entra."""
    teams_app_password: SecretStr | None = Field(None, alias="MicrosoftAppPassword")
    """Its client secret; not used by UserAssignedMSI."""
    teams_app_type: Literal["MultiTenant", "SingleTenant", "UserAssignedMSI"] = Field(
        "MultiTenant", alias="MicrosoftAppType"
    )
    """How the bot was registered."""
    teams_tenant_id: str | None = Field(None, alias="MicrosoftAppTenantId")
    """The bot's own tenant; needed by SingleTenant and UserAssignedMSI."""
    teams_unauthenticated: bool = Field(False, alias="DESKBELL_TEAMS_UNAUTHENTICATED")
    """Take Teams messages without a token, from this machine only: for local clients, never for people."""

    database_url: Annotated[SecretStr, AfterValidator(_database_url)] | None = Field(
        None, alias="DESKBELL_DATABASE_URL"
    )
    """`sqlite:///path` or `postgresql://…`; may hold a password. Default: a file in the data folder."""
    config: Path = Field(Path("desk.yaml"), alias="DESKBELL_CONFIG")
    """The desk.yaml."""
    secret_key: SecretStr | None = Field(None, alias="DESKBELL_SECRET_KEY")
    """Signs sessions; without it `serve` shows no pages. Several by comma, the newest first: it signs, all are read."""
    public_url: WebUrl | None = Field(None, alias="DESKBELL_PUBLIC_URL")
    """Where people reach this installation, with a slash at its end."""
    log_format: Literal["text", "json"] = Field("text", alias="DESKBELL_LOG_FORMAT")
    """`text` for people, `json` for machines."""

    encoder: Literal["auto", "bundled", "endpoint", "off"] = Field("auto", alias="DESKBELL_ENCODER")
    """What matches by meaning; `auto`: the address when it is set, else the bundled one when it is installed."""
    embeddings_url: Annotated[str, AfterValidator(_embeddings_url)] | None = Field(
        None, alias="DESKBELL_EMBEDDINGS_URL"
    )
    """Of an API like OpenAI's, the part before /embeddings; every question is sent there."""
    embeddings_model: str | None = Field(None, alias="DESKBELL_EMBEDDINGS_MODEL")
    """As that API calls it."""
    embeddings_key: Annotated[SecretStr, AfterValidator(_header_value)] | None = Field(
        None, alias="DESKBELL_EMBEDDINGS_KEY"
    )
    """Its bearer token, where it wants one."""

    data: Path = Path(".deskbell")
    """Folder of the embedded database; flag --data."""
    host: str = "127.0.0.1"
    """Address to listen on; flag --host."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 3000
    """Port to listen on, 0 for any free one; flag --port."""

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Settings from `environ` (default: the process's own) and flags by field name; a flag of None is not given.

        An empty variable counts as unset. Raises SettingsError with every sentence that applies.
        """
        known = {field.alias for field in cls.model_fields.values() if field.alias}
        given: dict[str, Any] = {
            name: value.strip()
            for name, value in (os.environ if environ is None else environ).items()
            if name in known and value.strip()
        }
        for name, value in overrides.items():
            if value is not None:
                given[cls.model_fields[name].alias or name] = value
        try:
            return cls.model_validate(given)
        except ValidationError as refusal:
            raise SettingsError(tuple(_sentence(error) for error in refusal.errors(include_url=False))) from None

    @model_validator(mode="after")
    def _unauthenticated_stays_here(self) -> Settings:
        if self.teams_unauthenticated and not is_loopback(self.host):
            raise ValueError(
                f"DESKBELL_TEAMS_UNAUTHENTICATED works only on this machine: listen on 127.0.0.1, not on {self.host}"
            )
        return self

    @model_validator(mode="after")
    def _embeddings_are_whole(self) -> Settings:
        if self.encoder == "endpoint" and not self.embeddings_url:
            raise ValueError("DESKBELL_ENCODER=endpoint needs DESKBELL_EMBEDDINGS_URL")
        if self.embeddings_url and not self.embeddings_model:
            raise ValueError("DESKBELL_EMBEDDINGS_URL needs DESKBELL_EMBEDDINGS_MODEL, the model's name there")
        return self

    @property
    def database(self) -> str:
        """The database URL, password included: for the engine, not for logs."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data / 'deskbell.db'}"

    @property
    def slack_mode(self) -> Literal["socket", "http"] | None:
        """How Slack's events arrive, None when Slack is off; Socket Mode when both are possible."""
        if self.why_off(Platform.SLACK):
            return None
        return "socket" if self.slack_app_token else "http"

    @property
    def session_keys(self) -> tuple[str, ...]:
        """What signs sessions, the newest first."""
        text = self.secret_key.get_secret_value() if self.secret_key else ""
        return tuple(key.strip() for key in text.split(",") if key.strip())

    @property
    def teams(self) -> bool:
        return self.why_off(Platform.TEAMS) is None

    @property
    def slack_install(self) -> bool:
        """Whether /slack/install can send people to Slack."""
        return bool(self.slack_client_id and self.slack_client_secret)

    def why_off(self, platform: Platform) -> str | None:
        """Why a platform cannot start, as a sentence that says what to set; None when it can."""
        match platform:
            case Platform.SLACK:
                return self._why_slack_is_off()
            case Platform.TEAMS:
                return self._why_teams_is_off()
            case Platform.WEB:
                return self._why_pages_are_off()

    def complaints(self) -> list[str]:
        """What is only half set: sentences for `serve` and `doctor`; platforms nobody began to set are left out."""
        found = []
        if self._any("slack_bot_token", "slack_signing_secret", "slack_app_token") and (
            reason := self.why_off(Platform.SLACK)
        ):
            found.append(reason)
        if self._any("teams_app_id", "teams_app_password", "teams_tenant_id") and (
            reason := self.why_off(Platform.TEAMS)
        ):
            found.append(reason)
        if self.secret_key and (reason := self.why_off(Platform.WEB)):
            found.append(reason)
        if bool(self.slack_client_id) != bool(self.slack_client_secret):
            missing = "SLACK_CLIENT_SECRET" if self.slack_client_id else "SLACK_CLIENT_ID"
            found.append(f"Installing from /slack/install is off: set {missing} too.")
        if not self.embeddings_url and self._any("embeddings_model", "embeddings_key"):
            found.append("The embeddings address is off: set DESKBELL_EMBEDDINGS_URL too.")
        return found

    def _any(self, *names: str) -> bool:
        return any(getattr(self, name) for name in names)

    def _why_pages_are_off(self) -> str | None:
        if self.session_keys and all(len(key) >= MIN_KEY for key in self.session_keys):
            return None
        return f"Web pages are off: set DESKBELL_SECRET_KEY to {MIN_KEY} or more characters (openssl rand -hex 32)."

    def _why_slack_is_off(self) -> str | None:
        ways = "SLACK_SIGNING_SECRET (events by HTTP) or SLACK_APP_TOKEN (Socket Mode)"
        if not self.slack_bot_token:
            more = "" if self._any("slack_signing_secret", "slack_app_token") else f" and {ways}"
            return f"Slack is off: set SLACK_BOT_TOKEN{more}."
        if not self._any("slack_signing_secret", "slack_app_token"):
            return f"Slack is off: set {ways}."
        if self.slack_bot_token.get_secret_value().startswith(("xapp-", "xoxp-")):
            return "Slack is off: SLACK_BOT_TOKEN must be a bot token (xoxb-…), not an app-level or user token."
        if self.slack_app_token and self.slack_app_token.get_secret_value().startswith("xox"):
            return "Slack is off: SLACK_APP_TOKEN must be an app-level token (xapp-…), not a bot or user token."
        return None

    def _why_teams_is_off(self) -> str | None:
        if self.teams_unauthenticated:
            return None
        needed = {"MicrosoftAppId": self.teams_app_id}
        if self.teams_app_type != "UserAssignedMSI":
            needed["MicrosoftAppPassword"] = "set" if self.teams_app_password else None
        if self.teams_app_type != "MultiTenant":
            needed["MicrosoftAppTenantId"] = self.teams_tenant_id
        missing = [name for name, value in needed.items() if not value]
        return f"Teams is off: set {' and '.join(missing)}." if missing else None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _sentence(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "value_error":
        return f"{name} {error['ctx']['error']}".strip()
    return f"{name}: {error['msg'][:1].lower()}{error['msg'][1:]}"
