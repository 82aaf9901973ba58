"""Where a service asks whether a person's session goes on."""

import httpx

from deploy.settings import Settings
from shared.auth.jwks import JWKS_PATH
from shared.auth.people.live_sessions import SESSION_STATUS_PATH, AskedSessions


def sessions_of_issuer(settings: Settings, *, jwks_url: str, http: httpx.AsyncClient) -> AskedSessions | None:
    """Ask Lumbar's own issuer, where it tells its keys; an issuer elsewhere has no sessions that we know."""
    if settings.issuer != settings.url or not jwks_url.endswith(JWKS_PATH):
        return None
    return AskedSessions(f"{jwks_url.removesuffix(JWKS_PATH)}{SESSION_STATUS_PATH}", http=http)
