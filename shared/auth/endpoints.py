"""The addresses of the embedded authorization server, to be mounted at the root of the clinic."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.auth.assertion import ASSERTION_TYPE
from shared.auth.issuer import TOKEN_LIFETIME, Issuer, OAuthError
from shared.auth.keys import ALGORITHMS
from shared.http.errors import as_refusal, status_of
from shared.telemetry.logging import class_of, logger, place_of

_MAX_FORM = 32 * 1024
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def create_issuer_app(issuer: Issuer, *, services: Iterable[str] = ()) -> list[Route]:
    """Give the routes `/auth/token`, `/auth/jwks` and `/.well-known/smart-configuration`, this one also under
    the FHIR base of each service, where SMART App Launch 2.0 has a client look for it.
    """

    async def token(request: Request) -> Response:
        try:
            return JSONResponse(await _granted(issuer, request), headers=_NO_STORE)
        except OAuthError as error:
            status = 401 if error.code == "invalid_client" else 400
            return _refused(error.code, str(error), status)
        except Exception as error:
            return _failed(error)

    async def jwks(_: Request) -> Response:
        return JSONResponse({"keys": [_public_key(issuer)]}, headers={"Cache-Control": "max-age=60"})

    async def configuration(_: Request) -> Response:
        return JSONResponse(_configuration(issuer))

    return [
        Route("/auth/token", token, methods=["POST"]),
        Route("/auth/jwks", jwks, methods=["GET"]),
        *(
            Route(f"{base}/.well-known/smart-configuration", configuration, methods=["GET"])
            for base in ("", *(f"/{service}/fhir" for service in services))
        ),
    ]


async def _granted(issuer: Issuer, request: Request) -> dict[str, Any]:
    form = await _form(request)
    if form.get("grant_type") != "client_credentials":
        raise OAuthError("unsupported_grant_type", "only client_credentials is given")
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
        raise OAuthError("invalid_request", f"client_assertion and its type {ASSERTION_TYPE} are needed")
    grant = await issuer.exchange(form["client_assertion"], scope=form.get("scope"))
    return {
        "access_token": grant.access_token,
        "token_type": "bearer",
        "expires_in": int(TOKEN_LIFETIME.total_seconds()),
        "scope": grant.scope,
    }


async def _form(request: Request) -> dict[str, str]:
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_FORM:
                raise OAuthError("invalid_request", "the request is too long")
        fields = parse_qs(body.decode("ascii"), max_num_fields=20)
    except (ClientDisconnect, ValueError):
        raise OAuthError("invalid_request", "the request is no form") from None
    if any(len(values) > 1 for values in fields.values()):
        raise OAuthError("invalid_request", "a field stands there twice")
    return {name: values[0] for name, values in fields.items()}


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


def _configuration(issuer: Issuer) -> dict[str, Any]:
    return {
        "issuer": issuer.base_url,
        "jwks_uri": f"{issuer.base_url}/auth/jwks",
        "token_endpoint": issuer.token_url,
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "scopes_supported": ["system/*.cruds", "user/*.cruds"],
        "capabilities": ["client-confidential-asymmetric", "permission-v2"],
    }
