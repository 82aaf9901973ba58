"""The tokens that an application gets for a person: access token, id token, and what it answers with them."""

import hashlib
from datetime import datetime
from typing import Any

from shared.auth.issuer import TOKEN_LIFETIME, Issuer
from shared.auth.people import rules
from shared.auth.people.accounts import fhir_user
from shared.auth.people.models import SignInSession
from shared.clinic import Client

TokenAnswer = dict[str, Any]

_OPENID_SCOPES = "openid fhirUser offline_access"


def token_answer(
    issuer: Issuer,
    session: SignInSession,
    client: Client,
    *,
    refresh_token: str,
    nonce: str | None,
    at: datetime,
) -> TokenAnswer:
    """Sign the tokens of a session that goes on; raises OAuthError where no scope of it is left."""
    person = {
        "sub": subject_here(session, issuer=issuer.base_url),
        "sid": str(session.id),
        "azp": session.application,
    }
    granted = issuer.grant(client, scope=session.scope or None, of_person=person)
    return {
        "access_token": granted.access_token,
        "token_type": "Bearer",
        "expires_in": int(TOKEN_LIFETIME.total_seconds()),
        "id_token": _id_token(issuer, session, client, nonce=nonce),
        "refresh_token": refresh_token,
        "refresh_token_expires_in": int((rules.ends_at(session) - at).total_seconds()),
        "scope": f"{_OPENID_SCOPES} {granted.scope}",
    }


def subject_here(session: SignInSession, *, issuer: str) -> str:
    """Name a person as this issuer does; a subject of an issuer elsewhere is never one of ours."""
    if session.issuer == issuer:
        return session.subject
    named = f"{session.issuer}\n{session.subject}".encode()
    return f"elsewhere:{hashlib.sha256(named).hexdigest()}"


def user_info(session: SignInSession, client: Client, *, issuer: str) -> dict[str, Any]:
    """Say who a person is and as whom they act."""
    return {
        "sub": subject_here(session, issuer=issuer),
        "name": session.name,
        "fhirUser": fhir_user(client),
        "locale": session.locale,
        "party": client.party,
        "client_id": client.id,
    }


def _id_token(issuer: Issuer, session: SignInSession, client: Client, *, nonce: str | None) -> str:
    claims = {
        **user_info(session, client, issuer=issuer.base_url),
        "aud": session.application,
        "sid": str(session.id),
        "auth_time": int(session.machine_began_at.timestamp()),
    }
    return issuer.sign(claims if nonce is None else {**claims, "nonce": nonce})
