"""The limits under which every connection of ours works."""

import asyncpg
import pytest

from shared.errors import Unavailable
from shared.http.errors import as_refusal
from tests.conftest import MakeDatabase
from tests.support.toy import Base


async def test_a_page_by_an_index_is_hardly_dearer_than_the_next_one(make_database: MakeDatabase) -> None:
    database = await make_database(Base.metadata)
    [row] = await database.fetch("SHOW random_page_cost")
    assert row[0] == "1.1"


@pytest.mark.parametrize("limit", ["statement_timeout", "idle_in_transaction_session_timeout"])
async def test_nothing_stands_still_for_longer_than_a_minute(make_database: MakeDatabase, limit: str) -> None:
    database = await make_database(Base.metadata)
    [row] = await database.fetch(f"SHOW {limit}")
    assert row[0] == "1min"


def test_who_waited_too_long_is_told_to_try_again() -> None:
    assert isinstance(as_refusal(asyncpg.QueryCanceledError("statement timeout")), Unavailable)
