"""Which errors pass, and how an error is named without what it says."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.events.failures import is_operational, where_it_failed


class Driver(Exception):
    """An error as the driver's adapter gives it."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("Key (name)=(Roy) is there already")
        self.sqlstate = sqlstate


def of_the_database(sqlstate: str) -> DBAPIError:
    return DBAPIError("INSERT", {}, Driver(sqlstate))


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        FileNotFoundError(),
        TimeoutError(),
        PoolTimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.DeadlockDetectedError(),
        of_the_database("40P01"),
        of_the_database("40001"),
        of_the_database("57P01"),
        of_the_database("08006"),
        of_the_database("53100"),
        DBAPIError("SELECT", {}, Driver("XX000"), connection_invalidated=True),
    ],
)
def test_what_passes_by_itself_is_operational(error: Exception) -> None:
    assert is_operational(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(),
        KeyError("id"),
        asyncpg.UniqueViolationError(),
        of_the_database("23505"),
        IntegrityError("INSERT", {}, Driver("23P01")),
        of_the_database("57014"),
    ],
)
def test_what_the_event_did_is_not(error: Exception) -> None:
    assert not is_operational(error)


def test_an_error_is_operational_when_its_cause_is() -> None:
    error = ValueError()
    error.__cause__ = ConnectionResetError()
    assert is_operational(error)


def test_an_error_is_named_by_class_and_place_only() -> None:
    try:
        raise ValueError("Roy")
    except ValueError as error:
        named = where_it_failed(error)
    assert named.startswith("ValueError at tests/unit/events/test_failures.py:")
    assert "Roy" not in named
