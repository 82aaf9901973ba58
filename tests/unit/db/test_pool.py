"""Which connections of a pool stay open, on connections that are none."""

import pytest

from shared.db import pool as pools
from shared.db.pool import Pool


class Connection:
    """A connection that counts how many of its kind were opened."""

    opened = 0

    def __init__(self) -> None:
        self.closed = False
        Connection.opened += 1

    def is_closed(self) -> bool:
        return self.closed

    def is_in_transaction(self) -> bool:
        return False

    def terminate(self) -> None:
        self.closed = True


async def connect() -> Connection:
    return Connection()


async def burst(pool: Pool) -> None:
    for connection in [(await pool.take())[0] for _ in range(pool.size)]:
        pool.give_back(connection)


async def test_a_second_burst_finds_the_connections_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "opened", 0)
    pool = Pool(connect, size=10, kept=6)  # type: ignore[arg-type]
    for _ in range(5):
        await burst(pool)
    assert (Connection.opened, pool.idle) == (10, 10)


async def test_what_is_beyond_the_kept_ones_goes_after_a_minute_without_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(pools, "monotonic", lambda: now)
    pool = Pool(connect, size=10, kept=6)  # type: ignore[arg-type]
    await burst(pool)
    now = 61.0
    for _ in range(20):
        pool.give_back((await pool.take())[0])
    assert pool.idle == 6
