"""Messages: inside the team, about its patient."""

from tests.integration.careteam.care import BASE, a_message, counts, found, one, post, problems, put, seen
from tests.support.clinic import TestClinic


def to(*people: str) -> dict:
    return {"recipient": [{"reference": f"Practitioner/{person}"} for person in people]}


class TestPosting:
    async def test_goes_to_the_whole_team_where_nobody_is_named(self, clinic: TestClinic):
        await seen(clinic, programme="rapid-access", practitioner="physiotherapist")
        answer = await post(clinic, a_message("Please look at the gait"), by="physiotherapist")
        assert answer.status_code == 201, answer.text
        await clinic.settle()
        (event,) = await clinic.events("message.posted")
        assert event.focus["recipient"] == [
            {"reference": "Practitioner/physiatrist", "display": "Adaeze Okafor"}
        ]
        assert event.focus["sender"] == {
            "reference": "Practitioner/physiotherapist",
            "display": "Maja Lindqvist",
        }
        assert event.key == "patient-1"

    async def test_answers_a_message_of_the_same_team(self, clinic: TestClinic):
        await seen(clinic)
        first = (
            await post(clinic, a_message("How is sleep?", **to("psychologist")), by="physiatrist")
        ).json()
        thread = {"inResponseTo": [{"reference": f"Communication/{first['id']}"}]}
        answer = await post(clinic, a_message("Better", **thread), by="psychologist")
        assert answer.status_code == 201, answer.text
        foreign = {"inResponseTo": [{"reference": "Communication/0190a0a0-0000-7000-8000-000000000000"}]}
        refused = await post(clinic, a_message("Better", **foreign), by="psychologist")
        assert (refused.status_code, problems(refused)) == (422, ["Communication.inResponseTo[0]"])

    async def test_to_somebody_outside_the_team_is_refused_and_writes_nothing(self, clinic: TestClinic):
        await seen(clinic, programme="rapid-access", practitioner="physiotherapist")
        before = await counts(clinic)
        message = a_message("Hello", **to("physiatrist", "psychologist"))
        answer = await post(clinic, message, by="physiotherapist")
        assert (answer.status_code, problems(answer)) == (422, ["Communication.recipient[1]"])
        assert await counts(clinic) == before

    async def test_from_somebody_outside_the_team_or_in_anothers_name_is_refused(self, clinic: TestClinic):
        await seen(clinic, programme="rapid-access", practitioner="physiotherapist")
        before = await counts(clinic)
        assert (await post(clinic, a_message("Hello"), by="psychologist")).status_code == 404
        assert (await post(clinic, a_message("Hello"), by="coordinator")).status_code == 403
        forged = a_message(" ", sender={"reference": "Practitioner/physiatrist"})
        answer = await post(clinic, forged, by="physiotherapist")
        assert (answer.status_code, problems(answer)) == (
            422,
            ["Communication.payload.contentString", "Communication.sender"],
        )
        assert await counts(clinic) == before


class TestReading:
    async def test_the_team_and_the_coordinator_of_its_site_read(self, clinic: TestClinic):
        await seen(clinic, programme="rapid-access", practitioner="physiotherapist")
        posted = (await post(clinic, a_message("Hello"), by="physiotherapist")).json()
        assert len(await found(clinic, "Communication?patient=patient-1", by="physiatrist")) == 1
        assert len(await found(clinic, "Communication", by="coordinator")) == 1
        assert await found(clinic, "Communication", by="psychologist") == []
        answer = await clinic.as_("psychologist").get(f"{BASE}/Communication/{posted['id']}")
        assert answer.status_code == 404
        for stranger in ("family-practice", "workplace-insurer"):
            assert await found(clinic, "Communication", by=stranger) == []

    async def test_who_left_the_team_is_not_answered_again(self, clinic: TestClinic):
        await seen(clinic, programme="rapid-access", practitioner="physiotherapist")
        client, headers = clinic.as_("physiotherapist"), {"Idempotency-Key": "one"}
        message = a_message("Hello")
        posted = await client.post(f"{BASE}/Communication", json=message, headers=headers)
        again = await client.post(f"{BASE}/Communication", json=message, headers=headers)
        assert (posted.status_code, again.status_code, again.content) == (201, 201, posted.content)
        team = await one(clinic, "CareTeam?patient=patient-1")
        stay = [
            person
            for person in team["participant"]
            if person["member"]["reference"] != "Practitioner/physiotherapist"
        ]
        assert (await put(clinic, team | {"participant": stay}, by="coordinator")).status_code == 200
        left = await client.post(f"{BASE}/Communication", json=message, headers=headers)
        assert left.status_code == 404
        assert "Hello" not in left.text
