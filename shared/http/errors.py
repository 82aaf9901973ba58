"""Refusals and failures as answers: the status says whose fault it is, an OperationOutcome says why.

Invariants:
- Only this file knows which refusal is which status. It imports no FastAPI, so every process can use it.
- The text of a Problem goes to the caller; of an unexpected failure nobody: the caller gets an id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import msgspec
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    Malformed,
    NotFound,
    NotSupported,
    Problem,
    Refusal,
    Stale,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from shared.fhir.reasons import concept
from shared.telemetry.log_throttle import LogThrottle
from shared.telemetry.logging import class_of, logger, place_of

FHIR_JSON = "application/fhir+json"
_throttle = LogThrottle()


class WrongMethod(NotSupported):
    """The path exists, but not with this method (405)."""


class WrongContentType(NotSupported):
    """The body is of a content type that this server does not read (415)."""


class NotAcceptable(NotSupported):
    """What is here cannot be given in the form that the caller accepts (406)."""


_STATUS: Mapping[type[Refusal], int] = {
    Malformed: 400,
    WrongMethod: 405,
    NotAcceptable: 406,
    WrongContentType: 415,
    NotSupported: 400,
    TooLarge: 413,
    Invalid: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Gone: 410,
    Conflict: 409,
    Stale: 412,
    TooMany: 429,
    Unavailable: 503,
}
_HEADERS = {
    401: {"WWW-Authenticate": 'Bearer realm="lumbar"'},
    429: {"Retry-After": "5"},
    503: {"Retry-After": "1"},
}
# A name that nobody resolves, a refused, lost or silent connection, a broken handshake of TLS and a socket
# that its server has taken along are OSErrors.
_TRY_AGAIN = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, PoolTimeout)
# SQLSTATEs of PostgreSQL: 08 connection, 25006 a server that only reads, 25P03 this process stood still,
# 28 and 3D000 a server that lets nobody in, 40 rolled back, 53 resources (connections, the disk), 55P03 a
# lock that is not free, 57 operator (57P03: it starts or stops), 58 the system below; 22 a wrong value.
_TO_TRY_AGAIN = ("08", "25006", "25P03", "28", "3D000", "40", "53", "55P03", "57", "58")
_OF_CONNECTION = (OSError, asyncpg.ClientConfigurationError)
DATA_EXCEPTION = "22"
PROGRAM_LIMIT_EXCEEDED = "54000"
UNIQUE_VIOLATION = "23505"
EXCLUSION_VIOLATION = "23P01"


def status_of(refusal: Refusal) -> int:
    """Tell the HTTP status of a refusal; a kind that nobody named is the caller's (400)."""
    return next((_STATUS[kind] for kind in type(refusal).__mro__ if kind in _STATUS), 400)


def outcome(problems: Sequence[Problem]) -> dict[str, Any]:
    """Write problems as an OperationOutcome."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(problem) for problem in problems]}


def refusal_answer(
    refusal: Refusal, *, request_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer a refusal with every one of its problems; one of ours (503) says under which id it is known."""
    status = status_of(refusal)
    known_as = request_id if isinstance(refusal, Unavailable) else None
    said = {**_HEADERS.get(status, {}), **(headers or {})}
    return _answer(status, refusal.problems, said, known_as=known_as)


def as_refusal(error: Exception) -> Refusal | None:
    """Read an error of the framework or the database as a refusal; None for what nobody expected."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, HTTPException):
        return _refusal_of_framework(error)
    return _refusal_of_database(error)


def failure_answer(error: Exception, *, error_id: str) -> Response:
    """Answer what nobody expected (500) with an id, and log its class and place under the same id."""
    where = place_of(error)
    logger().error(
        "request.failed", error_id=error_id, error=class_of(error), place=where, runbook="ApiErrors"
    )
    problem = Problem(
        text=f"something went wrong here, and it is not your fault; it is logged as {error_id}",
        code="exception",
        severity="fatal",
    )
    return _answer(500, [problem], {}, known_as=error_id)


def _answer(
    status: int, problems: Sequence[Problem], headers: Mapping[str, str], *, known_as: str | None
) -> Response:
    told = outcome(problems) | ({} if known_as is None else {"id": known_as})
    return Response(
        msgspec.json.encode(told),
        status_code=status,
        media_type=FHIR_JSON,
        headers={"Cache-Control": "no-store", **headers},
    )


def _issue(problem: Problem) -> dict[str, Any]:
    issue: dict[str, Any] = {
        "severity": problem.severity,
        "code": problem.code,
        "details": _details(problem),
    }
    if problem.expression is not None:
        issue["expression"] = [problem.expression]
    return issue


def _details(problem: Problem) -> dict[str, Any]:
    if problem.reason is None:
        return {"text": problem.text or problem.code}
    return concept([replace(problem.reason, text=problem.text)], {})


def _log_unavailable(cause: BaseException, error: Exception) -> None:
    """Log once a minute that requests are turned away, and how many were since the last time."""
    found = class_of(cause)
    if (kept := _throttle.allow(found)) is not None:
        where = place_of(error)
        logger().warning(
            "request.unavailable", error=found, place=where, count=kept + 1, runbook="DatabaseUnreachable"
        )


def _refusal_of_framework(error: HTTPException) -> Refusal:
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return WrongMethod(f"this address does not take this method; allowed: {allowed}")
    if error.status_code == 413:
        return TooLarge("the body is over the limit")
    if error.status_code == 404:
        return NotFound("there is nothing at this address")
    return Malformed("the request could not be read")


def _refusal_of_database(error: Exception) -> Refusal | None:
    wrapped = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else None
    cause = wrapped or error
    state = getattr(cause, "sqlstate", None) or ""
    if state in (UNIQUE_VIOLATION, EXCLUSION_VIOLATION):
        return Conflict("somebody else did the same at this moment; read the current state and try again")
    if state.startswith(DATA_EXCEPTION) or _is_of_value(error, cause):
        # Ours to find where it is no strange input: the place is logged, the value is not.
        logger().warning("request.value-refused", error=class_of(error), place=place_of(error))
        return Invalid("a value cannot be kept: a character or a number that the database does not know")
    if state == PROGRAM_LIMIT_EXCEEDED:
        # The edge has missed a text that an index does not take: the place is logged, the text is not.
        logger().warning("request.value-refused", error=class_of(error), place=place_of(error))
        return Invalid(problems=[Problem(text="a text is longer than an index takes", code="too-long")])
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost or isinstance(cause, _TRY_AGAIN) or state.startswith(_TO_TRY_AGAIN):
        _log_unavailable(cause, error)
        return Unavailable("a part that this needs does not answer at the moment; try again")
    return None


def _is_of_value(error: Exception, cause: BaseException) -> bool:
    """Tell whether the driver could not send a value, whichever way it says so."""
    by_driver = isinstance(error, DBAPIError) or isinstance(cause, asyncpg.InterfaceError)
    return by_driver and isinstance(cause, ValueError) and not isinstance(cause, _OF_CONNECTION)
