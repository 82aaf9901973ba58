"""The client's half of SMART Backend Services: an assertion signed with its own key, changed for a token."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt

from shared.auth.keys import SigningKey, load_client_key
from shared.clock import machine_now
from shared.ids import new_text_id

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME = timedelta(minutes=4)


class TokenRefused(Exception):
    """The authorization server gave no token; the text is its error in one line."""


def token_url(base_url: str) -> str:
    """Tell the address of the token endpoint of a clinic."""
    return f"{base_url}/auth/token"


def client_assertion(
    client_id: str, key: SigningKey, token_url: str, *, lifetime: timedelta = LIFETIME
) -> str:
    """Sign an assertion for one token request."""
    now = machine_now()
    claims: dict[str, Any] = {
        "iss": client_id,
        "sub": client_id,
        "aud": token_url,
        "iat": now,
        "exp": now + lifetime,
        "jti": new_text_id(),
    }
    return jwt.encode(claims, key.private, algorithm=key.algorithm, headers={"kid": key.kid})


def token_request(assertion: str, *, scope: str | None = None) -> dict[str, str]:
    """Write the form of a token request."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    return form if scope is None else {**form, "scope": scope}


async def fetch_token(
    base_url: str, client_id: str, keys_dir: Path, *, http: httpx.AsyncClient | None = None
) -> str:
    """Get an access token as this client; raises TokenRefused, KeyFileError or httpx.HTTPError."""
    address = token_url(base_url)
    form = token_request(client_assertion(client_id, load_client_key(keys_dir, client_id), address))
    if http is not None:
        return _token_in(await http.post(address, data=form))
    async with httpx.AsyncClient(timeout=10) as own:
        return _token_in(await own.post(address, data=form))


def _token_in(answer: httpx.Response) -> str:
    content = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    if answer.status_code != 200:
        said = content.get("error_description", "no reason given")
        raise TokenRefused(f"{content.get('error', answer.status_code)}: {said}")
    token: str = content["access_token"]
    return token
