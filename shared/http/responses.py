"""What a route may answer, for its OpenAPI document: refusals by their classes, successes by what it does.

@router.post("/fhir/Claim/$inquire", responses=refuses(NoMember))
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    NotSupported,
    Problem,
    Refusal,
    Stale,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from shared.http.errors import FHIR_JSON, NotAcceptable, WrongContentType, outcome, status_of
from shared.http.guard import Guard

DATE = "a date or an instant, with `ge`, `gt`, `le`, `lt` before it where wanted"
OUTCOME = {"$ref": "#/components/schemas/OperationOutcome"}
Responses = dict[int | str, dict[str, Any]]


def refuses(*kinds: type[Refusal]) -> Responses:
    """Name the refusals of a route, besides those that every route of its kind has."""
    return describe(kinds)


def query(**parameters: str) -> dict[str, Any]:
    """Describe query parameters that a route reads by itself: `openapi_extra=query(status="...")`."""
    return {"parameters": [parameter(name, text) for name, text in parameters.items()]}


def parameter(name: str, text: str) -> dict[str, Any]:
    """Describe one query parameter."""
    return {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}


def describe(kinds: Sequence[type[Refusal]]) -> Responses:
    """Describe refusals by status, in the words of their docstrings, with an example of each status."""
    found: Responses = {}
    for kind in kinds:
        status = status_of(kind())
        text = f"{kind.__name__}: {(kind.__doc__ or '').strip().splitlines()[0]}"
        if status in found:
            found[status]["description"] += f" {text}"
        else:
            example = outcome([Problem(text=text.partition(": ")[2], code=kind.code)])
            content = {FHIR_JSON: {"schema": OUTCOME, "example": example}}
            found[status] = {"description": text, "content": content}
    return found


def general_refusals(guard: Guard, *, method: str, path: str) -> Responses:
    """Describe what every route of this kind may refuse, whatever it does."""
    kinds: list[type[Refusal]] = [Unavailable]
    if path.startswith("/fhir"):
        kinds.append(NotAcceptable)
    if guard.interaction is not None:
        kinds += [Unauthenticated, Forbidden, NotSupported]
    if "{id}" in path:
        kinds.append(NotFound)
    if method in ("POST", "PUT", "PATCH"):
        kinds += [Malformed, TooLarge, WrongContentType, Invalid]
    if method in ("PUT", "PATCH"):
        kinds += [Conflict, Stale]
    if guard.interaction == "s":
        kinds.append(Invalid)
    return describe(kinds)


_GENERAL: tuple[type[Refusal], ...] = (
    Unavailable,
    Unauthenticated,
    Forbidden,
    NotFound,
    NotAcceptable,
    TooLarge,
    WrongContentType,
    Conflict,
    Stale,
    Invalid,
)
SHARED = {kind.__name__: response for kind in _GENERAL for response in describe([kind]).values()}


def share(responses: Mapping[str, Any]) -> dict[str, Any]:
    """Refer to the descriptions that many routes share instead of repeating them."""
    return {
        status: next(
            (
                {"$ref": f"#/components/responses/{name}"}
                for name, shared in SHARED.items()
                if shared == response
            ),
            response,
        )
        for status, response in responses.items()
    }


def success(guard: Guard, *, path: str) -> Responses:
    """Describe what a route answers where it refuses nothing."""
    if path.endswith("/feed"):
        return {200: {"description": "The feed, as it happens", "content": {"text/event-stream": {}}}}
    if not path.startswith("/fhir"):
        return {200: {"description": "What was asked for", "content": {"application/json": {}}}}
    content = {FHIR_JSON: {"schema": {"$ref": "#/components/schemas/Resource"}}}
    found: Responses = {200: {"description": "What was asked for", "content": content}}
    if guard.interaction == "c" and "$" not in path and path != "/fhir":
        found[201] = {"description": "What was made", "content": content}
    if guard.interaction == "r" and "$" not in path:
        found[304] = {"description": "The caller has this version already (If-None-Match)"}
    return found


def join(*found: Mapping[int | str, Mapping[str, Any]]) -> dict[str, Any]:
    """Put descriptions together by status: who speaks first gives the content, all give their words."""
    joined: dict[str, Any] = {}
    for responses in found:
        for status, response in responses.items():
            known = joined.setdefault(str(status), {**response})
            if response["description"] not in known["description"]:
                known["description"] += f" {response['description']}"
    return dict(sorted(joined.items()))
