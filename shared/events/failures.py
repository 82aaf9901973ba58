"""Errors as the worker sees them: which are the machine's and pass, and how to name one without a patient.

Invariants:
- An operational error (connection, deadlock, serialization, a server that starts, stops or is full) says
  nothing about the event: the work is repeated, and nothing is held because of it.
- An error is named by its class and the place that raised it, never by its text, which may quote a resource.
"""

import traceback
from pathlib import Path

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_OPERATIONAL_CLASSES = ("08", "53", "58", "57P", "40001", "40P01", "55P03", "25006", "25P03")
_ROOT = Path(__file__).parents[2]


def is_operational(error: BaseException | None) -> bool:
    """Return whether this error, or what caused it, is the machine's and will pass."""
    while error is not None:
        if _is_operational(error):
            return True
        error = error.__cause__
    return False


def is_of_database(error: BaseException | None) -> bool:
    """Return whether it was the database that failed, or did not answer."""
    while error is not None:
        if isinstance(error, (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            return True
        if isinstance(error, OSError) and _raised_by_asyncpg(error):
            return True
        error = error.__cause__
    return False


def where_it_failed(error: BaseException) -> str:
    """Name an error by class and place: `ValueError at services/referral/rules.py:41`."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        frame
        for frame in frames
        if Path(frame.filename).is_relative_to(_ROOT) and ".venv" not in frame.filename
    ]
    if not ours:
        return type(error).__name__
    place = Path(ours[-1].filename).relative_to(_ROOT)
    return f"{type(error).__name__} at {place}:{ours[-1].lineno}"


def _raised_by_asyncpg(error: OSError) -> bool:
    """A refused connection has no class of its own: look who tried to open it."""
    return any("asyncpg" in Path(frame.filename).parts for frame in traceback.extract_tb(error.__traceback__))


def _is_operational(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _passes(getattr(error.orig, "sqlstate", None))
    if isinstance(error, asyncpg.PostgresError):
        return _passes(error.sqlstate)
    return isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError, PoolTimeoutError, OSError))


def _passes(sqlstate: str | None) -> bool:
    return sqlstate is None or sqlstate.startswith(_OPERATIONAL_CLASSES)
