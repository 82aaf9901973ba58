"""Forms and queries as they come from outside: bounded, and each field once."""

from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

from shared.auth.issuer import OAuthError

_MAX_FORM = 32 * 1024
_MAX_FIELDS = 20


async def read_form(request: Request) -> dict[str, str]:
    """Read the form that a request brings; raises OAuthError for what is none."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_FORM:
                raise OAuthError("invalid_request", "the request is too long")
    except ClientDisconnect:
        raise OAuthError("invalid_request", "the request is no form") from None
    return fields_of(body)


def read_query(request: Request) -> dict[str, str]:
    """Read the query of a request; raises OAuthError where a field stands there twice."""
    return fields_of(request.scope["query_string"])


def fields_of(encoded: bytes) -> dict[str, str]:
    """Read fields that are URL-encoded, each once; raises OAuthError for anything else."""
    try:
        fields = parse_qs(encoded.decode("ascii"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise OAuthError("invalid_request", "the request is no form") from None
    if any(len(values) > 1 for values in fields.values()):
        raise OAuthError("invalid_request", "a field stands there twice")
    return {name: values[0] for name, values in fields.items()}
