"""Who the bot is in its workspace, as Slack says; asked once at start by `adapters.slack.adapter`.

Everything inbound is judged against it (own posts, mentions of the bot, people of other teams).
"""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """`team` is the workspace the app is installed in, `user` its user id there, `app` the app's id."""

    team: str
    user: str
    id: str | None = None
    app: str | None = None


async def identify(client: AsyncWebClient) -> Bot:
    """`auth.test`, and the app's id where Slack tells it.

    Raises whatever the SDK raises while Slack cannot be asked or refuses the token.
    """
    who = await client.auth_test()
    id = who.get("bot_id")
    return Bot(
        team=str(who.get("team_id") or who["enterprise_id"]),
        user=str(who["user_id"]),
        id=id,
        app=await _app(client, id) if id else None,
    )


async def _app(client: AsyncWebClient, bot: str) -> str | None:
    try:
        found = await client.bots_info(bot=bot)
    except SlackApiError:
        return None
    app = found["bot"].get("app_id")
    return str(app) if app else None
