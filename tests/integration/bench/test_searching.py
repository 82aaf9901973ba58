"""A page of a search costs the same among many referrals as among few."""

import pytest

from bench import searching
from shared.db import Database

FEW, MANY = 5_000, 40_000
# A tree that is one level deeper is no growth.
_LEVELS = 60


@pytest.mark.timeout(300)
async def test_no_search_looks_at_more_blocks_where_there_are_more_referrals(referral_db: Database) -> None:
    timed = await searching.measure(referral_db, sizes=(FEW, MANY), runs=1)
    few, many = ([one for one in timed if one.rows == rows] for rows in (FEW, MANY))
    assert min(one.blocks for one in timed) > 0
    assert [
        (before.party, before.asked, before.blocks, after.blocks)
        for before, after in zip(few, many, strict=True)
        if after.blocks > 1.5 * before.blocks + _LEVELS
    ] == []
