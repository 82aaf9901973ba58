"""Teams: formed by the first booking, changed by a coordinator, ended with the referral."""

from services.careteam.models.rows import EndedReferral
from shared.fhir.reasons import reasons_of
from shared.reasons import Reason
from tests.integration.careteam.care import (
    FIVE,
    a_message,
    active_plan,
    asking,
    booked,
    case_of,
    chair,
    counts,
    deciding,
    found,
    later,
    one,
    open_with,
    post,
    problems,
    put,
    rated,
    seen,
)
from tests.integration.careteam.events import a_process_request, a_referral, an_appointment
from tests.support.clinic import TestClinic
from tests.support.sql import sql


def people(team: dict, *, now: bool = True) -> list[str]:
    return [
        one["member"]["reference"].removeprefix("Practitioner/")
        for one in team["participant"]
        if not (now and "end" in one["period"])
    ]


async def ended(clinic: TestClinic, event: str, referral: str = "r1") -> None:
    await clinic.publish(event, focus=a_referral(referral), carries=[a_process_request(referral)])
    await clinic.settle()


class TestForming:
    async def test_the_first_booking_makes_a_team_of_the_programmes_disciplines(self, clinic: TestClinic):
        await booked(clinic)
        team = await one(clinic, "CareTeam?patient=patient-1", by="psychologist")
        assert sorted(people(team)) == sorted(FIVE)
        assert team["identifier"] == [{"system": "https://lumbar.care/fhir/referral", "value": "r1"}]
        formed = await clinic.events("careteam.formed")
        assert [(event.key, event.version, event.focus["id"]) for event in formed] == [
            ("patient-1", 1, team["id"])
        ]

    async def test_the_same_event_twice_and_a_second_booking_make_one_team(self, clinic: TestClinic):
        await booked(clinic)
        await booked(clinic)
        await one(clinic, "CareTeam")
        assert len(await clinic.events("careteam.formed")) == 1
        assert await clinic.events("careteam.changed") == []

    async def test_a_session_makes_no_team(self, clinic: TestClinic):
        await booked(clinic, kind="session")
        assert await found(clinic, "CareTeam") == []

    async def test_a_booking_with_somebody_else_puts_that_person_in_the_place_of_the_discipline(
        self, clinic: TestClinic
    ):
        await booked(clinic, programme="rapid-access", practitioner="physiotherapist")
        await booked(clinic, programme="rapid-access", practitioner="physiotherapist-2")
        team = await one(clinic, "CareTeam")
        assert people(team) == ["physiatrist", "physiotherapist-2"]
        assert await found(clinic, "CareTeam", by="physiotherapist") == []
        assert len(await clinic.events("careteam.changed")) == 1


async def loads(clinic: TestClinic) -> tuple[dict[str, int], dict[str, int]]:
    """Give what is kept of who is in how many teams, and what counting the teams gives."""
    counting = (
        "SELECT practitioner, count(*) FROM team_member JOIN team ON team.id = team_member.team_id"
        " WHERE team.status = 'active' AND team_member.left_at IS NULL GROUP BY practitioner"
    )
    async with clinic.databases["careteam"].transaction() as tx:
        kept = (await sql(tx, "SELECT practitioner, teams FROM caseload WHERE teams > 0")).all()
        counted = (await sql(tx, counting)).all()
    return {row[0]: row[1] for row in kept}, {row[0]: row[1] for row in counted}


class TestCaseload:
    async def test_is_kept_through_forming_changing_and_ending(self, clinic: TestClinic):
        for referral in ("r1", "r2", "r3"):
            visit = an_appointment(referral, programme="rapid-access", practitioner="physiotherapist")
            await clinic.publish("appointment.booked", focus=visit)
        await clinic.settle()
        await booked(clinic, "r1", programme="rapid-access", practitioner="physiotherapist-2")
        await ended(clinic, "referral.revoked", "r2")

        kept, counted = await loads(clinic)
        assert kept == counted == {"physiatrist": 2, "physiotherapist": 1, "physiotherapist-2": 1}


class TestEnding:
    async def test_a_booking_that_is_heard_after_the_end_forms_no_team(self, clinic: TestClinic):
        await ended(clinic, "referral.revoked")
        await booked(clinic)
        assert await found(clinic, "CareTeam") == []
        assert await clinic.events("careteam.formed") == []

    async def test_everything_open_ends_with_a_revoked_referral(self, clinic: TestClinic):
        await seen(clinic)
        await active_plan(clinic)
        await rated(clinic, 7)
        case = await case_of(clinic)
        await open_with(clinic, *FIVE)
        meeting = await one(clinic, "Appointment?status=arrived")
        asked = asking("psychologist", "Call the employer", later(clinic, days=9))
        assert (await chair(clinic, meeting, "decide", *deciding(case, "Go on", asked))).status_code == 200
        await ended(clinic, "referral.revoked")

        team = await one(clinic, "CareTeam")
        assert (team["status"], people(team)) == ("inactive", [])
        assert (await one(clinic, "CarePlan"))["status"] == "revoked"
        assert {goal["lifecycleStatus"] for goal in await found(clinic, "Goal")} == {"cancelled"}
        action = await one(clinic, "Task?code=action")
        assert (action["status"], action["statusReason"]["text"]) == (
            "cancelled",
            "The referral was revoked.",
        )
        assert [reason.code for reason in reasons_of(action["statusReason"])] == ["referral-revoked"]
        changed = await clinic.events("careteam.changed")
        assert [event.focus["status"] for event in changed] == ["inactive"]
        async with clinic.databases["careteam"].transaction() as tx:
            left = (
                await sql(tx, "SELECT kind FROM timer WHERE kind IN ('outcome-review', 'action-overdue')")
            ).all()
        assert left == []

    async def test_the_case_is_dropped_from_the_agenda(self, clinic: TestClinic):
        await seen(clinic)
        await active_plan(clinic)
        case = await case_of(clinic)
        await ended(clinic, "referral.closed")
        dropped = await one(clinic, f"Task?_id={case['id']}")
        assert dropped["status"] == "cancelled"
        assert dropped["businessStatus"]["coding"][0]["code"] == "dropped"

    async def test_the_end_is_told_once_however_often_it_is_heard(self, clinic: TestClinic):
        await seen(clinic)
        for event in ("referral.closed", "referral.revoked"):
            await ended(clinic, event)
        assert len(await clinic.events("careteam.changed")) == 1
        async with clinic.databases["careteam"].transaction() as tx:
            kept = await tx.row(EndedReferral, "SELECT * FROM ended_referral WHERE referral_id = $1", "r1")
        assert kept is not None
        assert kept.reasons == [Reason.of("referral-closed")]

    async def test_a_visit_whose_booking_was_never_heard_forms_the_team_too(self, clinic: TestClinic):
        await clinic.publish("appointment.fulfilled", focus=an_appointment("r1", status="fulfilled"))
        await clinic.publish("appointment.booked", focus=an_appointment("r1"))
        await clinic.settle()
        assert (await one(clinic, "CarePlan"))["status"] == "draft"
        assert len(await clinic.events("careteam.formed")) == 1

    async def test_who_was_in_the_team_until_the_end_still_reads_but_writes_nothing(self, clinic: TestClinic):
        await seen(clinic)
        plan = await active_plan(clinic)
        await ended(clinic, "referral.revoked")
        revoked = await one(clinic, f"CarePlan?_id={plan['id']}", by="psychologist")
        before = await counts(clinic)
        assert (await put(clinic, revoked | {"status": "active"}, by="psychologist")).status_code == 409
        assert (await post(clinic, a_message("Hello"), by="psychologist")).status_code == 409
        assert await counts(clinic) == before


class TestChanging:
    async def without(self, clinic: TestClinic, person: str) -> dict:
        team = await one(clinic, "CareTeam")
        staying = [
            one for one in team["participant"] if one["member"]["reference"] != f"Practitioner/{person}"
        ]
        answer = await put(clinic, team | {"participant": staying}, by="coordinator")
        assert answer.status_code == 200, answer.text
        await clinic.settle()
        changed: dict = answer.json()
        return changed

    async def test_who_is_taken_off_the_team_sees_nothing_of_it_at_once(self, clinic: TestClinic):
        await seen(clinic)
        plan = await active_plan(clinic)
        case = await case_of(clinic)
        await open_with(clinic, *FIVE)
        assert await found(clinic, "Task", by="psychologist") != []
        team = await self.without(clinic, "psychologist")
        assert "psychologist" not in people(team)
        for search in ("CareTeam", "CarePlan", "Goal", "Task", "Communication", "Observation"):
            assert await found(clinic, search, by="psychologist") == []
        for address in (f"CarePlan/{plan['id']}", f"CarePlan/{plan['id']}/_history", f"Task/{case['id']}"):
            answer = await clinic.as_("psychologist").get(f"/careteam/fhir/{address}")
            assert answer.status_code == 404
        assert (await post(clinic, a_message("Hello"), by="psychologist")).status_code == 404

    async def test_open_actions_go_to_who_stays(self, clinic: TestClinic):
        await seen(clinic)
        await active_plan(clinic)
        case = await case_of(clinic)
        meeting = await open_with(clinic, *FIVE)
        asked = asking("psychologist", "Call the employer", later(clinic, days=9))
        await chair(clinic, meeting, "decide", *deciding(case, "Go on", asked))
        await self.without(clinic, "psychologist")
        action = await one(clinic, "Task?code=action")
        assert action["owner"] == {"reference": "Practitioner/pain-physician", "display": "Claire Moreau"}
        assigned = await clinic.events("action.assigned")
        assert [event.focus["owner"]["reference"] for event in assigned] == [
            "Practitioner/psychologist",
            "Practitioner/pain-physician",
        ]

    async def test_only_people_of_the_clinic_in_their_own_discipline_come_in(self, clinic: TestClinic):
        await booked(clinic)
        team = await one(clinic, "CareTeam")
        stranger = {"member": {"reference": "Practitioner/nobody"}}
        mistaken = team["participant"][0] | {"member": {"reference": "Practitioner/physiotherapist-2"}}
        before = await counts(clinic)
        answer = await put(clinic, team | {"participant": [stranger, mistaken]}, by="coordinator")
        assert answer.status_code == 422
        assert problems(answer) == ["CareTeam.participant[0].member", "CareTeam.participant[1].member"]
        assert await counts(clinic) == before

    async def test_a_member_does_not_change_the_team(self, clinic: TestClinic):
        await booked(clinic)
        team = await one(clinic, "CareTeam")
        assert (await put(clinic, team, by="psychologist")).status_code == 403
