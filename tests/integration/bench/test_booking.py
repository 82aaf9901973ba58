"""The bench of bookings measures what it says: times are found, and of two who want one time one gets it."""

import pytest

from bench import booking
from bench.clinic import EXAMPLE
from shared.clinic import load_clinic
from shared.db import Database


@pytest.mark.timeout(300)
async def test_times_are_found_and_booked_beside_the_claims_alone(scheduling_db: Database) -> None:
    clinic = booking.large(load_clinic(EXAMPLE))
    found = await booking.measure(scheduling_db, clinic, finds=3, bookings=4, weeks=1)
    assert 0 < found.median <= found.p99
    assert 0 < found.ratio < 1
    async with scheduling_db.transaction() as tx:
        booked = await tx.value("SELECT count(*) FROM appointment WHERE status = 'booked'")
    assert booked == 4 * booking.ROUNDS
    assert len(booking.told(found)) == 2
