"""How the bot proves to Teams who it is, for each type of Azure Bot registration.

Called by `adapter` at composition; nothing is fetched before the first message is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from botframework.connector.auth import AuthenticationConstants, MicrosoftAppCredentials
from botframework.connector.auth.managedidentity_app_credentials import ManagedIdentityAppCredentials

PUBLIC_KEYS = "https://login.botframework.com/v1/.well-known/openidconfiguration"
PUBLIC_ISSUER = "https://api.botframework.com"


class AppType(StrEnum):
    """The kinds of registration; new multi-tenant ones have not been possible since July 2025."""

    SINGLE_TENANT = "SingleTenant"
    USER_ASSIGNED_MSI = "UserAssignedMSI"
    MULTI_TENANT = "MultiTenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The bot's registration, as Azure names its parts."""

    app_id: str = ""
    app_password: str = ""
    app_type: AppType = AppType.SINGLE_TENANT
    tenant_id: str = ""
    unauthenticated: bool = False
    """For local clients only: no tokens either way, and nothing but loopback is spoken to."""
    keys_url: str = PUBLIC_KEYS
    """OpenID metadata of whoever signs the requests to the bot."""
    issuer: str = PUBLIC_ISSUER

    def missing(self) -> tuple[str, ...]:
        """The settings without which the bot cannot start, by the names of their variables."""
        if self.unauthenticated:
            return ()
        needed = {"MicrosoftAppId": self.app_id}
        if self.app_type is not AppType.USER_ASSIGNED_MSI:
            needed["MicrosoftAppPassword"] = self.app_password
        if self.app_type is not AppType.MULTI_TENANT:
            needed["MicrosoftAppTenantId"] = self.tenant_id
        return tuple(name for name, value in needed.items() if not value)


def token_source(settings: Settings) -> Callable[[], str]:
    """Gives the access token, from MSAL's cache where it can; blocks while it is fetched.

    Raises OSError, ValueError or KeyError when Microsoft Entra refuses or cannot be reached.
    """
    scope = AuthenticationConstants.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE
    if settings.app_type is AppType.USER_ASSIGNED_MSI:
        credentials = ManagedIdentityAppCredentials(settings.app_id, scope)
    else:
        tenant = settings.tenant_id if settings.app_type is AppType.SINGLE_TENANT else None
        credentials = MicrosoftAppCredentials(settings.app_id, settings.app_password, tenant, scope)

    def fetch() -> str:
        return str(credentials.get_access_token())

    return fetch
