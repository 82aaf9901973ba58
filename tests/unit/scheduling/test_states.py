"""The life cycle of an appointment."""

import pytest

from services.scheduling.states import AppointmentStatus, may, reachable


class TestAppointmentLife:
    @pytest.mark.parametrize("over", ["fulfilled", "cancelled", "noshow"])
    def test_what_is_over_goes_nowhere(self, over: str) -> None:
        assert reachable(AppointmentStatus(over)) == []

    def test_who_arrived_did_not_miss_it(self) -> None:
        assert not may(AppointmentStatus.ARRIVED, AppointmentStatus.MISSED)
        assert not may(AppointmentStatus.CHECKED_IN, AppointmentStatus.MISSED)

    def test_nobody_is_seen_from_the_waitlist(self) -> None:
        assert reachable(AppointmentStatus.WAITLIST) == ["booked", "cancelled"]
