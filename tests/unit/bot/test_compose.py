"""What the composition decides for itself: whose messages are taken at all."""

from __future__ import annotations

import pytest

from bot.compose import tenants_served
from bot.settings import Settings
from triage.model import Platform
from triage.policy import Policy

POLICY = Policy(teams={}, places=frozenset({(Platform.TEAMS, "listed"), (Platform.SLACK, "T1")}))


def served(tenant: str, **more: str) -> bool:
    environment = {"MicrosoftAppId": "app", "MicrosoftAppPassword": "secret", "MicrosoftAppTenantId": "own", **more}
    return tenants_served(Settings.load(environment), POLICY)(tenant)


@pytest.mark.parametrize(
    ("tenant", "taken"), [("own", True), ("listed", True), ("T1", False), ("another", False), ("", False)]
)
@pytest.mark.parametrize("kind", ["SingleTenant", "UserAssignedMSI"])
def test_a_single_tenant_bot_serves_its_own_and_the_listed_tenants(kind: str, tenant: str, taken: bool) -> None:
    """The token does not say which tenant speaks, so the activity's is held against what is known."""
    assert served(tenant, MicrosoftAppType=kind) is taken


@pytest.mark.parametrize("more", [{"MicrosoftAppType": "MultiTenant"}, {"DESKBELL_TEAMS_UNAUTHENTICATED": "1"}])
def test_otherwise_everyone_else_is_a_stranger(more: dict[str, str]) -> None:
    """Heard, and shown what is public."""
    assert served("another", **more)
