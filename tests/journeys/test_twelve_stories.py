"""The twelve stories, each from its first request to its last event, and what must be true after it."""

import pytest

from deploy.demo.stories import STORIES
from tests.journeys.stage import nothing_is_left_over, play
from tests.support.clinic import TestClinic


async def published(clinic: TestClinic) -> list[str]:
    """Name the events published so far, in order."""
    return [event.type for event in await clinic.events()]


@pytest.mark.timeout(600)
class TestStory:
    async def test_1_routine_referral_is_seen_in_time_and_reported_to_the_referrer(
        self, clinic: TestClinic
    ) -> None:
        await play(clinic, 1)
        names = await published(clinic)
        wanted = [
            "referral.received",
            "referral.triaged",
            "referral.accepted",
            "appointment.booked",
            "careteam.formed",
            "guarantee.met",
            "plan.activated",
            "patient.discharged",
            "referral.completed",
        ]
        assert list(dict.fromkeys(name for name in names if name in wanted)) == wanted
        assert names.count("appointment.booked") == 3, "the first visit, a review, a seat in a group"
        await nothing_is_left_over(clinic)

    async def test_2_emergency_is_never_queued_and_is_escalated_until_acknowledged(
        self, clinic: TestClinic
    ) -> None:
        await play(clinic, 2, days=3)
        names = await published(clinic)
        assert "referral.redirected-to-emergency" in names
        assert names.count("referral.emergency-escalated") == 2
        assert names.index("referral.emergency-acknowledged") > names.index("referral.emergency-escalated")
        assert not [name for name in names if name.startswith(("appointment.", "waitlist."))]
        await nothing_is_left_over(clinic)

    async def test_3_what_is_missing_is_asked_for_and_the_raw_clock_goes_on(self, clinic: TestClinic) -> None:
        await play(clinic, 3, days=21)
        names = await published(clinic)
        assert names.index("referral.information-requested") < names.index("referral.information-provided")
        assert names.index("referral.information-provided") < names.index("referral.accepted")
        await nothing_is_left_over(clinic)

    async def test_4_twelve_sessions_are_booked_inside_the_grant(self, clinic: TestClinic) -> None:
        await play(clinic, 4)
        names = await published(clinic)
        assert names.index("authorization.decided") < names.index("series.booked")
        assert "series.completed" in names
        await nothing_is_left_over(clinic)

    async def test_5_funded_sessions_wait_for_the_approval(self, clinic: TestClinic) -> None:
        await play(clinic, 5)
        names = await published(clinic)
        assert names.index("authorization.pended") < names.index("authorization.decided")
        assert names.index("authorization.decided") < names.index("series.booked")
        await nothing_is_left_over(clinic)

    async def test_6_denial_reaches_referrer_and_coordinator_and_no_funded_session_stands(
        self, clinic: TestClinic
    ) -> None:
        await play(clinic, 6, days=12)
        names = await published(clinic)
        assert "series.booked" not in names
        assert "referral.closed" in names
        await nothing_is_left_over(clinic)

    async def test_7_under_eighteen_is_declined_with_rule_and_element(self, clinic: TestClinic) -> None:
        await play(clinic, 7, days=8)
        names = await published(clinic)
        assert "referral.declined" in names
        assert "referral.accepted" not in names

    async def test_8_sent_again_is_answered_again_and_new_ids_are_merged(self, clinic: TestClinic) -> None:
        await play(clinic, 8, days=10)
        names = await published(clinic)
        assert names.count("referral.received") == 2
        assert names.count("referral.accepted") == 1
        assert names.count("appointment.booked") == 1
        assert "referral.merged" in names
        await nothing_is_left_over(clinic)

    async def test_9_10_and_12_the_evening_gives_the_time_that_is_freed_to_who_is_promised_a_day(
        self, clinic: TestClinic
    ) -> None:
        await play(clinic, 9, 10, 12)
        names = await published(clinic)
        assert names.index("guarantee.promised") < names.index("referral.revoked")
        assert "waitlist.joined" not in names
        assert "guarantee.breached" not in names
        for wanted in ("outcome.off-track", "meeting.case-decided", "action.assigned", "plan.revised"):
            assert wanted in names
        assert "meeting.case-decided" in names[names.index("outcome.off-track") :]
        await nothing_is_left_over(clinic)

    async def test_11_a_missed_visit_is_booked_again_and_the_referrer_told(self, clinic: TestClinic) -> None:
        await play(clinic, 11, days=40)
        names = await published(clinic)
        assert names.count("appointment.booked") == 2
        assert names.count("appointment.missed") == 1
        assert names.index("appointment.arrived") < names.index("appointment.corrected")
        assert names.index("appointment.corrected") < names.index("appointment.missed")
        await nothing_is_left_over(clinic)

    async def test_16_the_doctors_report_reaches_the_team_as_it_is(self, clinic: TestClinic) -> None:
        await play(clinic, 16, days=20)
        names = await published(clinic)
        assert names.index("referral.received") < names.index("referral.information-provided")
        await nothing_is_left_over(clinic)

    async def test_17_what_came_by_fax_is_the_practices_and_what_it_lacked_is_said_by_telephone(
        self, clinic: TestClinic
    ) -> None:
        await play(clinic, 17, days=20)
        names = await published(clinic)
        wanted = ("referral.received", "referral.entered", "referral.information-requested")
        assert list(dict.fromkeys(name for name in names if name in wanted)) == list(wanted)
        assert names.index("referral.information-provided") < names.index("referral.accepted")
        assert "patient.changed" in names
        await nothing_is_left_over(clinic)

    async def test_19_of_a_sick_clinician_a_colleague_takes_one_visit_and_the_rest_is_planned_anew(
        self, clinic: TestClinic
    ) -> None:
        await play(clinic, 19)
        names = await published(clinic)
        assert names.count("appointment.reassigned") == 1
        assert names.index("calendar.conflicts-found") < names.index("calendar.conflicts-resolved")
        assert names.count("guarantee.met") == 2
        await nothing_is_left_over(clinic)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("clinic", ["kafka"], indirect=True)
async def test_all_stories_happen_together_on_kafka_too(clinic: TestClinic) -> None:
    await play(clinic, *STORIES)
    await nothing_is_left_over(clinic)


@pytest.mark.parametrize("number", [4, 5, 6])
async def test_the_other_insurer_learns_nothing_of_an_authorization(clinic: TestClinic, number: int) -> None:
    other = "motor-insurer" if number == 4 else "workplace-insurer"
    await play(clinic, number, days=9, cut_short=True)
    for path in ("/referral/fhir/Claim", "/referral/fhir/ClaimResponse", "/referral/fhir/Task"):
        found = (await clinic.as_(other).get(path)).json()
        assert found["total"] == 0, path
        assert not found.get("entry"), path
