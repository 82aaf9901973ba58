"""The referrer's Task stays true while scheduling and careteam do their part."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM, LUMBAR
from shared.fhir.reasons import concept, reasons_of
from shared.ids import new_text_id
from shared.reasons import Reason
from tests.integration.referral.doors import business_status, located, operate, send, task_of, told
from tests.support import referrals
from tests.support.clinic import TestClinic


class Care:
    """One accepted referral, and what the other services say about it."""

    def __init__(self, clinic: TestClinic, referral: str, patient: str) -> None:
        self.clinic, self.referral, self.patient = clinic, referral, patient

    async def appointment(self, event: str, *, kind: str = "first", **members: Any) -> None:
        appointment = {
            "resourceType": "Appointment",
            "id": new_text_id(),
            "status": "booked",
            "appointmentType": {"coding": [{"system": APPOINTMENT_KIND_SYSTEM, "code": kind}]},
            "basedOn": [{"reference": f"ServiceRequest/{self.referral}"}],
            "start": "2026-03-10T14:00:00Z",
            "end": "2026-03-10T15:00:00Z",
            "participant": [{"actor": {"reference": f"Patient/{self.patient}"}, "status": "accepted"}],
        }
        await self.clinic.publish(event, focus=appointment | members)
        await self.clinic.settle()

    async def guarantee(self, event: str) -> None:
        request = {"reference": f"ServiceRequest/{self.referral}"}
        task = {
            "resourceType": "Task",
            "id": new_text_id(),
            "status": "in-progress",
            "intent": "order",
            "basedOn": [request],
            "focus": request,
            "for": {"reference": f"Patient/{self.patient}"},
        }
        await self.clinic.publish(event, focus=task)
        await self.clinic.settle()

    async def plan(self, event: str, *carries: dict[str, Any], settle: bool = True) -> None:
        plan = {
            "resourceType": "CarePlan",
            "id": new_text_id(),
            "status": "active",
            "intent": "plan",
            "subject": {"reference": f"Patient/{self.patient}"},
            "basedOn": [{"reference": f"ServiceRequest/{self.referral}"}],
        }
        await self.clinic.publish(event, focus=plan, carries=carries)
        if settle:
            await self.clinic.settle()

    async def team(
        self, event: str, *, staying: tuple[str, ...], left: str = "", status: str = "active"
    ) -> None:
        members: list[dict[str, Any]] = [
            {"member": {"reference": f"Practitioner/{member}"}} for member in staying
        ]
        if left:
            gone = {"start": "2026-03-02T13:00:00Z", "end": "2026-03-02T13:00:00Z"}
            members.append({"member": {"reference": f"Practitioner/{left}"}, "period": gone})
        team = {
            "resourceType": "CareTeam",
            "id": new_text_id(),
            "status": status,
            "subject": {"reference": f"Patient/{self.patient}"},
            "identifier": [{"system": f"{LUMBAR}/referral", "value": self.referral}],
            "participant": members,
        }
        await self.clinic.publish(event, focus=team)
        await self.clinic.settle()

    async def task(self) -> dict[str, Any]:
        return await task_of(self.clinic, self.referral)


async def accepted(clinic: TestClinic) -> Care:
    answer = await send(clinic, referrals.bundle())
    return Care(clinic, located(answer), located(answer, "Patient"))


async def test_the_task_follows_from_booking_to_report(clinic: TestClinic) -> None:
    care = await accepted(clinic)
    await care.appointment("appointment.booked")
    task = await care.task()
    assert (task["status"], business_status(task)) == ("in-progress", "booked")
    assert "2026-03-10 10:00" in task["statusReason"]["text"], "the wall clock of Toronto"
    assert reasons_of(task["statusReason"])[0] == replace(
        Reason.of("first-appointment-booked", when=datetime(2026, 3, 10, 14, tzinfo=UTC)),
        text="The first appointment is booked for 2026-03-10 10:00.",
    )
    await care.appointment("appointment.fulfilled", status="fulfilled")
    assert business_status(await care.task()) == "assessed"
    await care.plan("plan.activated")
    assert business_status(await care.task()) == "in-programme"
    pain = {
        "resourceType": "Observation",
        "id": new_text_id(),
        "status": "final",
        "code": {"text": "Pain now <0-10>"},
        "valueInteger": 2,
        "effectiveDateTime": "2026-05-04",
    }
    await care.plan("patient.discharged", pain)
    task = await care.task()
    assert (task["status"], business_status(task)) == ("completed", "discharged")
    assert (await told(clinic))[-2:] == ["patient.discharged", "referral.completed"]
    report = task["output"][0]["valueReference"]["reference"]
    read = await clinic.as_("family-practice").get(f"/referral/fhir/{report}")
    assert read.status_code == 200, read.text
    assert "Pain now &lt;0-10&gt;: 2 (2026-05-04)" in read.json()["section"][1]["text"]["div"]
    request = await clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{care.referral}")
    assert request.json()["status"] == "completed"


@pytest.mark.parametrize(
    ("recorded", "corrected", "state"),
    [
        ("fulfilled", "booked", "booked"),
        ("fulfilled", "arrived", "booked"),
        ("fulfilled", "noshow", "missed"),
        ("missed", "fulfilled", "assessed"),
        ("missed", "booked", "booked"),
        ("missed", "arrived", "booked"),
        ("missed", "checked-in", "booked"),
        ("cancelled", "booked", "booked"),
        ("arrived", "noshow", "missed"),
    ],
)
async def test_what_was_recorded_by_mistake_is_followed_back(
    clinic: TestClinic, recorded: str, corrected: str, state: str
) -> None:
    care = await accepted(clinic)
    await care.appointment("appointment.booked")
    await care.appointment(f"appointment.{recorded}")
    await care.appointment("appointment.corrected", status=corrected)
    task = await care.task()
    assert business_status(task) == state
    assert reasons_of(task["statusReason"])[0].code == "status-corrected"


async def test_a_visit_that_was_not_held_and_is_booked_again_is_followed_to_the_end(
    clinic: TestClinic,
) -> None:
    care = await accepted(clinic)
    await care.appointment("appointment.booked")
    await care.appointment("appointment.fulfilled", status="fulfilled")
    await care.appointment("appointment.corrected", status="noshow")
    await care.appointment("appointment.booked", start="2026-03-12T14:00:00Z")
    assert business_status(await care.task()) == "booked"
    await care.appointment("appointment.fulfilled", status="fulfilled")
    await care.plan("plan.activated")
    assert business_status(await care.task()) == "in-programme"


async def test_a_correction_after_the_care_has_gone_on_takes_nothing_back_and_says_so(
    clinic: TestClinic,
) -> None:
    care = await accepted(clinic)
    await care.appointment("appointment.booked")
    await care.appointment("appointment.fulfilled", status="fulfilled")
    await care.plan("plan.activated")
    await care.appointment("appointment.corrected", status="noshow")
    task = await care.task()
    assert business_status(task) == "in-programme"
    assert [reason.code for reason in reasons_of(task["statusReason"])] == [
        "corrected-too-late",
        "plan-active",
    ]


async def test_a_correction_of_a_session_changes_nothing(clinic: TestClinic) -> None:
    care = await accepted(clinic)
    await care.appointment("appointment.booked")
    before = await care.task()
    await care.appointment("appointment.corrected", kind="session", status="noshow")
    assert await care.task() == before


async def test_a_missed_visit_is_told_and_booked_again(clinic: TestClinic) -> None:
    care = await accepted(clinic)
    await care.appointment("appointment.booked")
    await care.appointment("appointment.missed", status="noshow")
    assert business_status(await care.task()) == "missed"
    await care.appointment("appointment.booked", start="2026-03-12T14:00:00Z")
    assert business_status(await care.task()) == "booked"


async def test_waiting_is_told_with_the_risk(clinic: TestClinic) -> None:
    care = await accepted(clinic)
    await care.appointment("waitlist.joined", status="waitlist", start=None)
    assert business_status(await care.task()) == "waitlisted"
    await care.appointment("appointment.booked")
    await care.appointment("waitlist.left")
    assert business_status(await care.task()) == "booked", "leaving the waitlist after the booking is no step"


async def test_what_is_said_of_the_guarantee_leaves_it_said_when_the_visit_is(clinic: TestClinic) -> None:
    care = await accepted(clinic)
    await care.appointment("appointment.booked")
    for event in ("guarantee.at-risk", "guarantee.breached"):
        await care.guarantee(event)
    words = (await care.task())["statusReason"]["text"]
    assert "2026-03-10 10:00" in words
    assert words.count("promised") == 1, "the newer note takes the place of the older one"
    await care.appointment("appointment.moved", start="2026-03-12T14:00:00Z")
    words = (await care.task())["statusReason"]["text"]
    assert "2026-03-12" in words
    assert "2026-03-10" not in words


async def test_a_foreseen_breach_is_said_until_a_later_plan_takes_it_back(clinic: TestClinic) -> None:
    care = await accepted(clinic)
    await care.guarantee("guarantee.promised")
    promised = (await care.task())["statusReason"]["text"]
    await care.guarantee("guarantee.forecast-breach")
    task = await care.task()
    assert "By the plan of the evening no day in the promised time is free" in task["statusReason"]["text"]
    assert promised in task["statusReason"]["text"]
    assert business_status(task) == "awaiting-booking"
    await care.guarantee("guarantee.forecast-lifted")
    taken_back = await care.task()
    assert taken_back["statusReason"]["text"] == promised
    await care.guarantee("guarantee.forecast-lifted")
    assert (await care.task())["meta"] == taken_back["meta"], "taking back what is not said changes nothing"


async def test_a_session_is_no_first_appointment(clinic: TestClinic) -> None:
    care = await accepted(clinic)
    await care.appointment("appointment.booked")
    await care.appointment("appointment.missed", kind="session", status="noshow")
    assert business_status(await care.task()) == "booked"


async def test_a_plan_that_is_heard_before_the_visit_waits_for_it(clinic: TestClinic) -> None:
    care = await accepted(clinic)
    await care.appointment("appointment.booked")
    await care.plan("plan.activated", settle=False)
    await care.appointment("appointment.fulfilled", status="fulfilled")
    assert business_status(await care.task()) == "in-programme"


async def test_what_comes_after_the_end_changes_nothing(clinic: TestClinic) -> None:
    care = await accepted(clinic)
    await care.appointment("appointment.booked")
    await operate(clinic, "family-practice", care.referral, "revoke", reason="moved away")
    before = (await care.task())["meta"]["versionId"]
    await care.appointment("appointment.cancelled", status="cancelled")
    await care.plan("plan.activated")
    task = await care.task()
    assert (business_status(task), task["meta"]["versionId"]) == ("revoked", before)
    assert (await clinic.read_status())["referral"].held_dead == 0


async def test_the_series_is_told_beside_the_state(clinic: TestClinic) -> None:
    care = await accepted(clinic)
    await clinic.publish("series.booked", focus=_series(care))
    await clinic.settle()
    task = await care.task()
    assert business_status(task) == "accepted"
    assert "The sessions are booked." in task["statusReason"]["text"]


def _series(care: Care) -> dict[str, Any]:
    return {
        "resourceType": "List",
        "id": new_text_id(),
        "status": "current",
        "mode": "snapshot",
        "identifier": [{"system": f"{LUMBAR}/referral", "value": care.referral}],
        "subject": {"reference": f"Patient/{care.patient}"},
    }


async def test_a_clinician_sees_a_referral_from_the_team_on_and_until_they_leave_it(
    clinic: TestClinic,
) -> None:
    care = await accepted(clinic)
    await care.appointment("appointment.booked")
    assert await sees(care, "physiotherapist") == (404, 0), "on the same site, but in no team of the patient"
    await care.team("careteam.formed", staying=("physiotherapist", "physiatrist"))
    assert await sees(care, "physiotherapist") == (200, 1)
    await care.team("careteam.changed", staying=("physiatrist",), left="physiotherapist")
    assert await sees(care, "physiotherapist") == (404, 0)
    assert await sees(care, "physiatrist") == (200, 1)
    await care.team("careteam.changed", staying=(), left="physiatrist", status="inactive")
    assert await sees(care, "physiatrist") == (200, 1), "the team ended; nobody was sent away"


async def sees(care: Care, clinician: str) -> tuple[int, int]:
    there = care.clinic.as_(clinician)
    read = await there.get(f"/referral/fhir/ServiceRequest/{care.referral}")
    found = await there.get("/referral/fhir/Patient")
    return read.status_code, found.json()["total"]


async def test_why_an_appointment_was_cancelled_keeps_the_code_and_sentence_of_who_says_so(
    clinic: TestClinic,
) -> None:
    care = await accepted(clinic)
    away = concept([Reason.of("clinician-away")], {"clinician-away": "the clinician is away"})
    await care.appointment("appointment.cancelled", status="cancelled", cancelationReason=away)
    task = await care.task()
    told = "The first appointment of 2026-03-10 10:00 was cancelled: the clinician is away"
    assert task["statusReason"]["text"] == told
    codes = [reason.code for reason in reasons_of(task["statusReason"])]
    assert codes == ["first-appointment-cancelled", "clinician-away"]
    await care.appointment("appointment.cancelled", status="cancelled")
    assert (await care.task())["statusReason"]["text"].endswith("was cancelled: no reason was given.")
