"""Every night somebody looks for what nobody lets go on, and the coordinator is told of it once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.referral import queries
from tests.integration.referral.doors import located, operate, send, told
from tests.integration.referral.nights import (
    EMERGENCY,
    change,
    heard,
    open_work,
    overdue_events,
    say,
    told_codes,
)
from tests.integration.referral.test_following_care import accepted
from tests.support import referrals
from tests.support.clinic import TestClinic

# The visit of `Care` is on the 10th from 10 to 11 in Toronto; the first look a day later is on the 12th.
BEFORE_THE_LOOK = datetime(2026, 3, 12, 6, 59, tzinfo=UTC)
AFTER_THE_LOOK = datetime(2026, 3, 12, 7, 1, tzinfo=UTC)


class TestAVisitThatNobodyRecords:
    async def test_is_told_in_the_first_night_a_day_after_it_was_over(self, clinic: TestClinic) -> None:
        await heard(await accepted(clinic), "appointment.booked")
        await clinic.at(BEFORE_THE_LOOK)
        assert "referral.overdue" not in await told(clinic)
        await clinic.at(AFTER_THE_LOOK)
        assert await overdue_events(clinic) == 1
        [work] = await open_work(clinic)
        assert work["owner"]["reference"] == f"Organization/{clinic.clinic.id}"
        said = "Nobody has recorded what the first appointment of 2026-03-10 10:00 was."
        assert said in work["statusReason"]["text"]

    async def test_is_told_once_while_the_task_is_open_and_again_where_that_was_completed(
        self, clinic: TestClinic
    ) -> None:
        await heard(await accepted(clinic), "appointment.booked")
        await clinic.at(AFTER_THE_LOOK + timedelta(days=3))
        assert await overdue_events(clinic) == 1
        [work] = await open_work(clinic)
        done = await clinic.as_("coordinator").put(
            f"/referral/fhir/Task/{work['id']}",
            json=work | {"status": "completed"},
            headers={"If-Match": f'W/"{work["meta"]["versionId"]}"'},
        )
        assert done.status_code == 200, done.text
        await clinic.days(1)
        assert await overdue_events(clinic) == 2
        [again] = await open_work(clinic)
        assert again["id"] != work["id"]

    async def test_has_no_task_any_more_after_the_night_in_which_it_is_recorded(
        self, clinic: TestClinic
    ) -> None:
        care = await accepted(clinic)
        await heard(care, "appointment.booked")
        await clinic.at(AFTER_THE_LOOK)
        [work] = await open_work(clinic)
        await heard(care, "appointment.fulfilled")
        await clinic.days(1)
        assert await open_work(clinic) == []
        ended = (await clinic.as_("coordinator").get(f"/referral/fhir/Task/{work['id']}")).json()
        assert (ended["status"], ended["statusReason"]["text"]) == (
            "completed",
            "The referral has gone on: it is assessed.",
        )
        assert await overdue_events(clinic) == 1

    @pytest.mark.parametrize(
        "later", ["appointment.arrived", "guarantee.breached", "series.not-booked"], ids=str
    )
    async def test_is_told_whatever_else_was_said_since_it_was_booked(
        self, clinic: TestClinic, later: str
    ) -> None:
        care = await accepted(clinic)
        await heard(care, "appointment.booked")
        await say(care, later)
        await clinic.at(AFTER_THE_LOOK)
        assert await told_codes(clinic) == ["visit-not-recorded"]

    async def test_is_not_told_of_the_time_from_which_it_was_moved(self, clinic: TestClinic) -> None:
        care = await accepted(clinic)
        await heard(care, "appointment.booked")
        await care.appointment("appointment.moved", start="2026-03-17T14:00:00Z")
        await clinic.at(AFTER_THE_LOOK + timedelta(days=6))
        assert await overdue_events(clinic) == 0
        await clinic.at(AFTER_THE_LOOK + timedelta(days=7))
        assert await told_codes(clinic) == ["visit-not-recorded"]

    async def test_is_told_anew_where_it_is_another_visit(self, clinic: TestClinic) -> None:
        care = await accepted(clinic)
        await heard(care, "appointment.booked")
        await clinic.at(AFTER_THE_LOOK)
        [first] = await open_work(clinic)
        # Between two nights it is moved, and is over for a day in the second of them.
        await care.appointment("appointment.moved", start="2026-03-11T15:30:00Z")
        await change(
            clinic, "UPDATE timer SET due_at = due_at + interval '1 day' WHERE kind = 'nightly-look'"
        )
        await clinic.days(2)
        [second] = await open_work(clinic)
        assert second["id"] != first["id"]
        assert "2026-03-11 11:30" in second["statusReason"]["text"]


class TestWhatStandsTooLong:
    @pytest.mark.parametrize(
        "events",
        [
            (),
            ("appointment.booked", "appointment.missed"),
            ("appointment.booked", "appointment.cancelled"),
            ("waitlist.joined", "waitlist.left"),
        ],
        ids=["accepted", "missed", "cancelled", "awaiting a booking"],
    )
    async def test_where_nothing_is_heard_of_a_booking_it_is_told_after_two_days(
        self, clinic: TestClinic, events: Sequence[str]
    ) -> None:
        await heard(await accepted(clinic), *events)
        await clinic.days(2)
        assert await overdue_events(clinic) == 0
        await clinic.days(1)
        assert await told_codes(clinic) == ["nothing-heard-of-booking"]

    async def test_who_is_on_the_waitlist_is_scheduling_s(self, clinic: TestClinic) -> None:
        await heard(await accepted(clinic), "waitlist.joined")
        await clinic.days(40)
        assert await overdue_events(clinic) == 0

    async def test_a_booking_that_is_heard_ends_it(self, clinic: TestClinic) -> None:
        care = await accepted(clinic)
        await clinic.days(3)
        assert len(await open_work(clinic)) == 1
        await heard(care, "appointment.booked")
        await clinic.days(1)
        assert await open_work(clinic) == []

    async def test_what_was_assessed_has_two_weeks_for_its_plan_whatever_else_is_said(
        self, clinic: TestClinic
    ) -> None:
        care = await accepted(clinic)
        await heard(care, "appointment.booked", "appointment.fulfilled")
        await clinic.days(13)
        await heard(care, "appointment.corrected")
        await care.appointment("appointment.fulfilled")
        await operate(clinic, "coordinator", care.referral, "set-priority", priority="asap", reason="pain")
        await clinic.days(13)
        assert await overdue_events(clinic) == 0, "it was booked again in between, and is assessed anew"
        await operate(clinic, "coordinator", care.referral, "set-priority", priority="urgent", reason="more")
        await clinic.days(2)
        assert await told_codes(clinic) == ["no-plan-active"]

    async def test_a_programme_has_its_weeks_and_two_more(self, clinic: TestClinic) -> None:
        care = await accepted(clinic)
        await heard(care, "appointment.booked", "appointment.fulfilled", "plan.activated")
        async with clinic.databases["referral"].transaction() as tx:
            referral = await queries.referrals.by_id(tx, UUID(care.referral))
        assert referral is not None
        weeks = clinic.clinic.programme(str(referral.programme)).weeks
        began = clinic.clock.now()
        await clinic.at(began + timedelta(weeks=weeks, days=13))
        await say(care, "series.completed")
        assert await overdue_events(clinic) == 0
        await clinic.at(began + timedelta(weeks=weeks, days=15))
        assert await told_codes(clinic) == ["programme-is-over"]
        [work] = await open_work(clinic)
        assert f"its {weeks} weeks are over" in work["statusReason"]["text"]
        await care.plan("patient.discharged")
        assert await open_work(clinic) == []


async def test_what_goes_on_as_it_should_is_never_told(clinic: TestClinic) -> None:
    await send(clinic, referrals.bundle(answers={"night-pain": None}))
    emergency = located(await send(clinic, referrals.bundle(answers=EMERGENCY)))
    await clinic.days(1.2)
    answer = await operate(clinic, "family-practice", emergency, "acknowledge")
    assert answer.status_code == 200, answer.text
    care = await accepted(clinic)
    await heard(care, "appointment.booked")
    await clinic.at(datetime(2026, 3, 10, 15, tzinfo=UTC))
    await heard(care, "appointment.arrived", "appointment.fulfilled")
    await clinic.days(5)
    assert await overdue_events(clinic) == 0
    await clinic.days(8)
    await heard(care, "plan.activated")
    await clinic.days(50)
    await care.plan("patient.discharged")
    await clinic.days(60)
    assert set(await told_codes(clinic)) == {"waits-too-long"}, "the clock of the sender who never answers"
