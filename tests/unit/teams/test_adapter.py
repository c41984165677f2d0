"""The Teams adapter's life: what it needs to begin, and that beginning costs no network."""

from __future__ import annotations

import pytest

from adapters.teams.adapter import TeamsAdapter
from adapters.teams.credentials import AppType, Settings
from triage.model import Message
from triage.ports import Receipt


async def take(message: Message) -> Receipt:
    return Receipt()


def made(settings: Settings) -> TeamsAdapter:
    return TeamsAdapter(settings, take, retry_text=lambda locale: "again", done_text=lambda _: "done")


@pytest.mark.parametrize(
    "settings",
    [
        Settings(app_id="a", app_password="p", tenant_id="t"),
        Settings(app_id="a", tenant_id="t", app_type=AppType.USER_ASSIGNED_MSI),
        Settings(app_id="a", app_password="p", app_type=AppType.MULTI_TENANT),
        Settings(unauthenticated=True),
    ],
    ids=["SingleTenant", "UserAssignedMSI", "MultiTenant", "unauthenticated"],
)
async def test_every_kind_of_registration_can_be_made_offline(settings: Settings) -> None:
    """Nothing is fetched before it is needed; only local mode is ready at once."""
    adapter = made(settings)
    assert adapter.ready is settings.unauthenticated
    await adapter.stop()


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (Settings(), ("MicrosoftAppId", "MicrosoftAppPassword", "MicrosoftAppTenantId")),
        (Settings(app_id="a", app_type=AppType.USER_ASSIGNED_MSI), ("MicrosoftAppTenantId",)),
        (Settings(app_id="a", app_type=AppType.MULTI_TENANT), ("MicrosoftAppPassword",)),
    ],
)
def test_what_is_missing_is_named(settings: Settings, names: tuple[str, ...]) -> None:
    """An admin reads which variables to set."""
    with pytest.raises(ValueError, match=", ".join(names)):
        made(settings)


def test_in_local_mode_there_is_no_link_to_the_bot() -> None:
    """Without a registration there is nothing to link to."""
    assert made(Settings(unauthenticated=True)).port.invitation("tenant") is None
