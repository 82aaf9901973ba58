"""The addresses of the embedded authorization server, to be mounted at the root of the clinic."""

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.auth.assertion import ASSERTION_TYPE
from shared.auth.forms import read_form
from shared.auth.issuer import TOKEN_LIFETIME, Issuer, OAuthError
from shared.auth.jwks import JWKS_PATH
from shared.auth.keys import ALGORITHMS
from shared.auth.people.discovery import authorization_metadata
from shared.auth.people.provider import PeopleProvider
from shared.auth.people.routes import people_routes
from shared.auth.people.token_grants import grant_to_person
from shared.http.errors import as_refusal, status_of
from shared.telemetry.logging import class_of, logger, place_of

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def create_issuer_app(
    issuer: Issuer, *, services: Iterable[str] = (), people: PeopleProvider | None = None
) -> list[Route]:
    """Give the routes `/auth/token`, `/auth/jwks` and `/.well-known/smart-configuration`, this one also under
    the FHIR base of each service, where SMART App Launch 2.0 has a client look for it; with `people` those by
    which they sign in too.
    """

    async def token(request: Request) -> Response:
        try:
            return JSONResponse(await _granted(issuer, people, request), headers=_NO_STORE)
        except OAuthError as error:
            status = 401 if error.code == "invalid_client" else 400
            return _refused(error.code, str(error), status)
        except Exception as error:
            return _failed(error)

    async def jwks(_: Request) -> Response:
        return JSONResponse({"keys": [_public_key(issuer)]}, headers={"Cache-Control": "max-age=60"})

    async def configuration(_: Request) -> Response:
        return JSONResponse(_configuration(issuer, people))

    return [
        Route("/auth/token", token, methods=["POST"]),
        Route(JWKS_PATH, jwks, methods=["GET"]),
        *(
            Route(f"{base}/.well-known/smart-configuration", configuration, methods=["GET"])
            for base in ("", *(f"/{service}/fhir" for service in services))
        ),
        *(people_routes(people) if people is not None else ()),
    ]


async def _granted(issuer: Issuer, people: PeopleProvider | None, request: Request) -> dict[str, Any]:
    form = await read_form(request)
    grant_type = form.get("grant_type")
    if people is not None and grant_type in ("authorization_code", "refresh_token"):
        return await grant_to_person(people, form)
    if grant_type != "client_credentials":
        others = "" if people is None else "authorization_code, refresh_token and "
        raise OAuthError("unsupported_grant_type", f"only {others}client_credentials is given")
    return await _granted_to_client(issuer, form)


async def _granted_to_client(issuer: Issuer, form: dict[str, str]) -> dict[str, Any]:
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
        raise OAuthError("invalid_request", f"client_assertion and its type {ASSERTION_TYPE} are needed")
    grant = await issuer.exchange(form["client_assertion"], scope=form.get("scope"))
    return {
        "access_token": grant.access_token,
        "token_type": "bearer",
        "expires_in": int(TOKEN_LIFETIME.total_seconds()),
        "scope": grant.scope,
    }


def _failed(error: Exception) -> Response:
    refusal = as_refusal(error)
    status = status_of(refusal) if refusal is not None else 500
    logger().error("token.failed", error=class_of(error), place=place_of(error), status=status)
    if status != 503:
        return _refused("server_error", "try again", status)
    answer = _refused("temporarily_unavailable", "try again", status)
    answer.headers["Retry-After"] = "1"
    return answer


def _public_key(issuer: Issuer) -> dict[str, Any]:
    """Give the key that verifies; an embedded clinic's says so, and no distributed process takes it."""
    return {**issuer.keys.issuer.jwk, **({"lumbar_demo": True} if issuer.demo else {})}


def _refused(code: str, text: str, status: int) -> Response:
    return JSONResponse({"error": code, "error_description": text}, status_code=status, headers=_NO_STORE)


def _configuration(issuer: Issuer, people: PeopleProvider | None) -> dict[str, Any]:
    of_systems = _configuration_of_systems(issuer)
    if people is None:
        return of_systems
    capabilities = [*of_systems["capabilities"], "client-public", "permission-user", "sso-openid-connect"]
    return {**of_systems, **authorization_metadata(issuer.base_url), "capabilities": capabilities}


def _configuration_of_systems(issuer: Issuer) -> dict[str, Any]:
    return {
        "issuer": issuer.base_url,
        "jwks_uri": f"{issuer.base_url}{JWKS_PATH}",
        "token_endpoint": issuer.token_url,
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "scopes_supported": ["system/*.cruds", "user/*.cruds"],
        "capabilities": ["client-confidential-asymmetric", "permission-v2"],
    }
