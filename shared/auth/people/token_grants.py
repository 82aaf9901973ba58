"""The grants of the token endpoint that an application uses for a person: a code, or a refresh token."""

from collections.abc import Mapping

from shared.auth.issuer import OAuthError
from shared.auth.people.provider import PeopleProvider
from shared.auth.people.tokens import TokenAnswer


async def grant_to_person(people: PeopleProvider, form: Mapping[str, str]) -> TokenAnswer:
    """Give tokens for a code or a refresh token; raises OAuthError."""
    if form.get("client_id") != people.portal.id:
        raise OAuthError("invalid_client", "client_id names no application that is registered here")
    if "client_assertion" in form or "client_secret" in form:
        raise OAuthError("invalid_client", "this application is public: it has no secret and no key")
    if form["grant_type"] == "authorization_code":
        _need(form, "code", "redirect_uri", "code_verifier")
        return await people.sessions.exchange_code(form)
    _need(form, "refresh_token")
    return await people.sessions.refresh(form["refresh_token"])


def _need(form: Mapping[str, str], *names: str) -> None:
    missing = [name for name in names if not form.get(name)]
    if missing:
        raise OAuthError("invalid_request", f"{', '.join(missing)} must be sent")
