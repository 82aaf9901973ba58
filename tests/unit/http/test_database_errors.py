"""Errors of the database as refusals: whose fault it is, whichever way they come."""

import socket
import ssl

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import Conflict, Invalid, Refusal, Unavailable
from shared.http.errors import as_refusal

CASES = [
    pytest.param(asyncpg.UniqueViolationError("twice"), Conflict, id="unique"),
    pytest.param(asyncpg.ExclusionViolationError("overlap"), Conflict, id="exclusion"),
    pytest.param(asyncpg.CharacterNotInRepertoireError("NUL"), Invalid, id="a NUL character"),
    pytest.param(asyncpg.NumericValueOutOfRangeError("big"), Invalid, id="out of range"),
    pytest.param(asyncpg.DeadlockDetectedError("x"), Unavailable, id="deadlock"),
    pytest.param(asyncpg.SerializationError("x"), Unavailable, id="serialization"),
    pytest.param(asyncpg.AdminShutdownError("x"), Unavailable, id="shutdown"),
    pytest.param(asyncpg.TooManyConnectionsError("x"), Unavailable, id="connections"),
    pytest.param(asyncpg.ConnectionDoesNotExistError("x"), Unavailable, id="gone"),
    pytest.param(asyncpg.InterfaceError("connection is closed"), Unavailable, id="closed"),
    pytest.param(ConnectionRefusedError(), Unavailable, id="refused"),
    pytest.param(socket.gaierror(socket.EAI_NONAME, "x"), Unavailable, id="no such host"),
    pytest.param(OSError(101, "Network is unreachable"), Unavailable, id="no way there"),
    pytest.param(PermissionError(), Unavailable, id="no way into its socket"),
    pytest.param(TimeoutError(), Unavailable, id="silent"),
    pytest.param(ssl.SSLError("x"), Unavailable, id="no TLS"),
    pytest.param(ssl.SSLCertVerificationError("x"), Unavailable, id="not trusted"),
    pytest.param(asyncpg.CannotConnectNowError("x"), Unavailable, id="starting"),
    pytest.param(asyncpg.CrashShutdownError("x"), Unavailable, id="crashed"),
    pytest.param(asyncpg.LockNotAvailableError("x"), Unavailable, id="lock"),
    pytest.param(asyncpg.InvalidPasswordError("x"), Unavailable, id="does not let us in"),
    pytest.param(asyncpg.InvalidCatalogNameError("x"), Unavailable, id="has no such database"),
    pytest.param(asyncpg.ClientConfigurationError("x"), Unavailable, id="cannot be connected to"),
    pytest.param(asyncpg.DiskFullError("x"), Unavailable, id="disk full"),
    pytest.param(asyncpg.PostgresIOError("x"), Unavailable, id="disk broken"),
    pytest.param(asyncpg.ReadOnlySQLTransactionError("x"), Unavailable, id="only reads"),
    pytest.param(asyncpg.IdleInTransactionSessionTimeoutError("x"), Unavailable, id="we stood still"),
    pytest.param(asyncpg.ForeignKeyViolationError("x"), None, id="foreign key: ours"),
    pytest.param(asyncpg.CheckViolationError("x"), None, id="check: ours"),
    pytest.param(asyncpg.UndefinedTableError("x"), None, id="no table: ours"),
]


def wrapped(error: Exception) -> DBAPIError:
    """Wrap an error as SQLAlchemy's asyncpg dialect does."""
    original = Exception("translated")
    original.__cause__ = error
    return DBAPIError("SELECT 1", {}, original)


class TestDatabaseErrors:
    @pytest.mark.parametrize(("error", "kind"), CASES)
    def test_are_the_same_refusal_from_the_driver_and_through_sqlalchemy(
        self, error: Exception, kind: type[Refusal] | None
    ) -> None:
        for seen in (error, wrapped(error)):
            refusal = as_refusal(seen)
            assert type(refusal) is (kind or type(None))

    def test_a_value_that_the_driver_cannot_send_is_the_callers(self) -> None:
        error = type("DataError", (asyncpg.InterfaceError, ValueError), {})("too big")
        assert isinstance(as_refusal(wrapped(error)), Invalid)
        assert isinstance(as_refusal(error), Invalid)

    def test_a_pool_without_a_free_connection_may_be_tried_again(self) -> None:
        assert isinstance(as_refusal(PoolTimeout()), Unavailable)

    @pytest.mark.parametrize("error", [RuntimeError("x"), KeyError("x"), ValueError("x")])
    def test_what_nobody_expected_is_no_refusal(self, error: Exception) -> None:
        assert as_refusal(error) is None
