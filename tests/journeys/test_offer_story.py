"""An offer taken, as a story: a visit is called off, three are asked, the first yes has its time."""

import pytest

from tests.journeys.stage import nothing_is_left_over, play
from tests.support.clinic import TestClinic


@pytest.mark.timeout(600)
async def test_24_a_freed_time_is_taken_by_the_link_of_a_letter(clinic: TestClinic) -> None:
    await play(clinic, 24)
    names = [event.type for event in await clinic.events()]
    assert names.count("offer.accepted") == 1
    assert names.index("offer.made") < names.index("offer.answered") < names.index("offer.accepted")
    await nothing_is_left_over(clinic)
