"""Who has died is brought to the team, once."""

from typing import Any

from tests.integration.careteam.care import booked, case_of, found
from tests.integration.careteam.events import a_process_request, a_referral
from tests.support.clinic import TestClinic

DIED = {"resourceType": "Patient", "id": "patient-1", "deceasedDateTime": "2026-03-02"}


async def changed(clinic: TestClinic, patient: dict[str, Any], *, version: int = 1) -> None:
    await clinic.publish("patient.changed", focus=patient, key="patient-1", version=version)
    await clinic.settle()


async def test_to_the_next_agenda_of_the_team_and_again_changes_nothing(clinic: TestClinic) -> None:
    await booked(clinic)
    await changed(clinic, DIED)
    case = await case_of(clinic)
    assert "has died" in str(case["reasonCode"])
    await changed(clinic, DIED, version=2)
    again = await case_of(clinic)
    assert again["meta"]["versionId"] == case["meta"]["versionId"]


async def test_not_who_lives_nor_to_a_team_that_has_ended(clinic: TestClinic) -> None:
    await booked(clinic)
    await changed(clinic, {"resourceType": "Patient", "id": "patient-1", "deceasedBoolean": False})
    assert await found(clinic, "Task") == []
    await clinic.publish("referral.closed", focus=a_referral("r1"), carries=[a_process_request("r1")])
    await clinic.settle()
    await changed(clinic, DIED, version=2)
    assert await found(clinic, "Task") == []
