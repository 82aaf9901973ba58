"""Whatever careteam writes would pass its own border."""

from shared.fhir.check import receive
from tests.integration.careteam.care import (
    BASE,
    FIVE,
    a_message,
    asking,
    chair,
    deciding,
    later,
    one,
    open_with,
    oswestry,
    post,
    put,
    rated,
    with_a_case,
)
from tests.support.clinic import TestClinic
from tests.support.history import versions_of
from tests.support.sql import sql


async def a_whole_course(clinic: TestClinic) -> None:
    case = await with_a_case(clinic)
    await rated(clinic, 7)
    await post(clinic, oswestry(*[3] * 9), by="psychologist")
    await post(clinic, a_message("Please look at the gait"), by="psychologist")
    meeting = await open_with(clinic, *FIVE)
    asked = asking("psychologist", "Lead it", later(clinic, days=14))
    await chair(clinic, meeting, "decide", *deciding(case, "Graded activity", asked))
    await chair(clinic, meeting, "close")
    await chair(clinic, meeting, "sign-minutes")
    await clinic.days(10)
    await rated(clinic, 2)
    await post(clinic, oswestry(*[1] * 10), by="psychologist")
    plan = await one(clinic, "CarePlan")
    done = plan | {"status": "completed", "note": [{"text": "Back at work"}]}
    assert (await put(clinic, done, by="physiatrist")).status_code == 200


async def test_every_version_of_every_resource_is_valid(clinic: TestClinic):
    await a_whole_course(clinic)
    async with clinic.databases["careteam"].transaction() as tx:
        every = await versions_of(clinic.databases["careteam"])
        written = (await sql(tx, f"SELECT type, body FROM ({every}) AS every")).all()
    assert {kind for kind, _ in written} == {
        "Appointment",
        "CarePlan",
        "CareTeam",
        "Communication",
        "Composition",
        "Goal",
        "Observation",
        "Provenance",
        "QuestionnaireResponse",
        "Task",
    }
    for _, body in written:
        await receive(bytes(body))
    questionnaire = await clinic.as_("psychologist").get(f"{BASE}/Questionnaire/oswestry")
    await receive(questionnaire.content)
