"""Series as stories: a block of three disciplines, and a missed session that is made up for."""

import pytest

from tests.journeys.stage import nothing_is_left_over, play
from tests.support.clinic import TestClinic


@pytest.mark.timeout(600)
class TestSeries:
    async def test_21_functional_restoration_is_a_block_of_every_working_day(
        self, clinic: TestClinic
    ) -> None:
        await play(clinic, 21)
        names = [event.type for event in await clinic.events()]
        assert names.index("authorization.decided") < names.index("series.booked")
        assert "series.completed" in names
        await nothing_is_left_over(clinic)

    async def test_22_a_missed_session_is_made_up_for_and_what_was_called_off_is_not(
        self, clinic: TestClinic
    ) -> None:
        await play(clinic, 22)
        names = [event.type for event in await clinic.events()]
        assert names.count("appointment.missed") == 1
        assert names.count("appointment.cancelled") == 2
        assert "series.left-short" not in names
        await nothing_is_left_over(clinic)
