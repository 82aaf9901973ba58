"""Who is referred: the dead, records no longer in use, replaced records, twins on one card."""

from typing import Any

import httpx
import pytest

from tests.integration.referral.doors import business_status, located, operate, send, task_of, told, work_of
from tests.support import referrals
from tests.support.clinic import TestClinic

OLD = {"system": "https://elm-street.example/chart", "value": "old-17"}
NEW = {"system": "https://elm-street.example/chart", "value": "new-17"}


def about(patient: dict[str, Any], **bundle: Any) -> dict[str, Any]:
    sent = referrals.bundle(**bundle)
    referrals.resource(sent, "Patient").update(patient)
    return sent


async def review_of(clinic: TestClinic) -> dict[str, Any]:
    [review] = await work_of(clinic, "coordinator", "code=review-referral&status=requested")
    return review


class TestTheDead:
    @pytest.mark.parametrize(
        "death", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-02-20T10:00:00Z"}], ids=str
    )
    @pytest.mark.parametrize("answers", [{}, {"saddle-anaesthesia": "Y"}], ids=["well", "emergency"])
    async def test_are_booked_nowhere_and_a_person_looks(
        self, clinic: TestClinic, death: dict[str, Any], answers: dict[str, str]
    ) -> None:
        referral = located(await send(clinic, about(death, answers=answers)))
        assert business_status(await task_of(clinic, referral)) == "awaiting-review"
        assert "has died" in (await review_of(clinic))["statusReason"]["text"]
        assert not {"referral.accepted", "appointment.booked"} & set(await told(clinic))

    async def test_who_are_said_to_live_are_referred_as_ever(self, clinic: TestClinic) -> None:
        referral = located(await send(clinic, about({"deceasedBoolean": False})))
        assert business_status(await task_of(clinic, referral)) == "accepted"

    async def test_whose_death_comes_later_are_looked_at_in_every_referral_and_not_booked(
        self,
    ) -> None:
        async with TestClinic() as clinic:
            sent = referrals.bundle(health_card="31", identifier="first")
            first = located(await send(clinic, sent))
            second = located(await send(clinic, referrals.bundle(health_card="31", programme="chronic-pain")))
            await clinic.settle()
            assert business_status(await task_of(clinic, first)) == "booked"
            referrals.resource(sent, "Patient")["deceasedBoolean"] = True
            assert (await send(clinic, sent)).status_code == 200
            assert (await told(clinic)).count("patient.changed") == 1
            reviews = await work_of(clinic, "coordinator", "code=review-referral&status=requested")
            about = {work["focus"]["reference"].rpartition("/")[2] for work in reviews}
            assert about == {first, second}
            booked = await clinic.as_("coordinator").get("/scheduling/fhir/Appointment?status=booked")
            assert booked.json()["total"] == 0
            third = referrals.bundle(health_card="31", programme="rapid-access")
            answer = await send(clinic, third, as_="second-practice")
            task = await task_of(clinic, located(answer), as_="second-practice")
            assert business_status(task) == "awaiting-review"

    async def test_who_were_said_to_have_died_by_mistake_live_again(self, clinic: TestClinic) -> None:
        sent = about({"deceasedBoolean": True}, identifier="alive")
        referral = located(await send(clinic, sent))
        assert business_status(await task_of(clinic, referral)) == "awaiting-review"
        referrals.resource(sent, "Patient")["deceasedBoolean"] = False
        assert (await send(clinic, sent)).status_code == 200
        assert business_status(await task_of(clinic, referral)) == "accepted"
        assert (await told(clinic)).count("patient.changed") == 2


class TestARecord:
    async def test_that_is_no_longer_in_use_is_looked_at_by_a_person(self, clinic: TestClinic) -> None:
        referral = located(await send(clinic, about({"active": False})))
        assert business_status(await task_of(clinic, referral)) == "awaiting-review"
        assert "no longer keeps" in (await review_of(clinic))["statusReason"]["text"]

    async def test_that_was_replaced_is_followed_to_the_one_that_replaced_it(
        self, clinic: TestClinic
    ) -> None:
        first = located(await send(clinic, about({"identifier": [NEW]})), "Patient")
        replaced = {
            "identifier": [OLD],
            "active": False,
            "link": [{"type": "replaced-by", "other": {"identifier": NEW}}],
        }
        answer = await send(clinic, about(replaced, programme="chronic-pain"))
        assert located(answer, "Patient") == first
        assert business_status(await task_of(clinic, located(answer))) == "accepted"

    async def test_that_was_replaced_by_one_that_is_not_known_is_looked_at_by_a_person(
        self, clinic: TestClinic
    ) -> None:
        replaced = {"identifier": [OLD], "link": [{"type": "replaced-by", "other": {"identifier": NEW}}]}
        referral = located(await send(clinic, about(replaced)))
        assert business_status(await task_of(clinic, referral)) == "awaiting-review"
        assert "not known here" in (await review_of(clinic))["statusReason"]["text"]

    async def test_that_was_replaced_by_somebody_elses_is_not_followed(self, clinic: TestClinic) -> None:
        other = about({"identifier": [NEW]}, family="Zimmer", birth_date="1950-01-01")
        first = located(await send(clinic, other, as_="second-practice"), "Patient")
        replaced = {"identifier": [OLD], "link": [{"type": "replaced-by", "other": {"identifier": NEW}}]}
        answer = await send(clinic, about(replaced))
        assert located(answer, "Patient") != first


class TestOneCard:
    def twin(self, given: str | None, **bundle: Any) -> dict[str, Any]:
        name = {"family": "Abernathy", **({"given": [given]} if given else {})}
        return about({"name": [name]}, health_card="5551234567", **bundle)

    async def test_of_twins_is_two_patients_and_the_second_finds_their_own_record_again(
        self, clinic: TestClinic
    ) -> None:
        ada = located(await send(clinic, self.twin("Ada")), "Patient")
        answer = await send(clinic, self.twin("Beatrice"), as_="second-practice")
        beatrice = located(answer, "Patient")
        assert beatrice != ada
        referral = located(answer)
        task = await task_of(clinic, referral, as_="second-practice")
        assert business_status(task) == "accepted", "a person of their own is not kept waiting"
        assert "identity-in-doubt" not in str(task)
        assert "identifier" not in task["statusReason"]["text"]
        [doubt] = await work_of(clinic, "coordinator", "code=resolve-identity&status=requested")
        assert "identifier of the patient belongs" in doubt["statusReason"]["text"]
        assert [given["valueReference"]["reference"] for given in doubt["input"]] == [f"Patient/{ada}"]
        again = await send(clinic, self.twin("Beatrice", programme="chronic-pain"), as_="second-practice")
        assert located(again, "Patient") == beatrice
        assert business_status(await task_of(clinic, located(again), as_="second-practice")) == "accepted"
        first_again = await send(clinic, self.twin("Ada", programme="chronic-pain"))
        assert located(first_again, "Patient") == ada

    @pytest.mark.parametrize("missing", ["given", "family", "birthDate"])
    async def test_with_a_part_of_who_it_is_missing_is_a_person_of_their_own(
        self, clinic: TestClinic, missing: str
    ) -> None:
        first = located(await send(clinic, self.twin("Ada")), "Patient")
        sent = self.twin("Ada", programme="chronic-pain")
        patient = referrals.resource(sent, "Patient")
        if missing == "birthDate":
            patient.pop("birthDate")
        else:
            patient["name"][0].pop(missing)
        answer = await send(clinic, sent, as_="second-practice")
        assert located(answer, "Patient") != first
        everybody = (await clinic.as_("second-practice").get("/referral/fhir/Patient")).json()
        assert [entry["resource"]["id"] for entry in everybody["entry"]] == [located(answer, "Patient")]


class TestWhatWasNotKnown:
    async def sent(self, clinic: TestClinic, birth_date: str) -> tuple[str, dict[str, Any]]:
        body = referrals.bundle(birth_date=birth_date, health_card="6660001112")
        referral = located(await send(clinic, body))
        assert business_status(await task_of(clinic, referral)) == "information-requested"
        return referral, dict(referrals.resource(body, "Patient"))

    async def test_of_a_birth_date_can_be_given_and_is_written_with_its_provenance(
        self, clinic: TestClinic
    ) -> None:
        referral, patient = await self.sent(clinic, "2008")
        full = patient | {"birthDate": "2008-01-10"}
        answer = await operate(clinic, "family-practice", referral, "provide-information", patient=full)
        assert answer.status_code == 200, answer.text
        task = await task_of(clinic, referral)
        assert business_status(task) == "accepted", task["statusReason"]
        address = f"/referral/fhir/{task['for']['reference'].rpartition('/referral/fhir/')[2]}"
        stored = (await clinic.as_("family-practice").get(address)).json()
        assert (stored["birthDate"], stored["meta"]["versionId"]) == ("2008-01-10", "2")
        provenance = (await clinic.as_("coordinator").get("/referral/fhir/Provenance?_count=50")).json()
        targets = [entry["resource"]["target"][0]["reference"] for entry in provenance["entry"]]
        assert f"Patient/{stored['id']}/_history/2" in targets

    @pytest.mark.parametrize(
        "change", [{"birthDate": "2007-01-10"}, {"name": [{"family": "Zimmer"}]}], ids=str
    )
    async def test_of_somebody_else_is_refused_and_nothing_is_written(
        self, clinic: TestClinic, change: dict[str, Any]
    ) -> None:
        referral, patient = await self.sent(clinic, "2008")
        answer = await operate(
            clinic, "family-practice", referral, "provide-information", patient=patient | change
        )
        assert answer.status_code == 422
        assert answer.json()["issue"][0]["expression"] == ["Parameters.parameter[0].resource"]
        assert "referral.information-provided" not in await told(clinic)

    async def test_of_a_death_is_heard_and_looked_at_by_a_person(self, clinic: TestClinic) -> None:
        referral, patient = await self.sent(clinic, "2008")
        dead = patient | {"deceasedBoolean": True}
        answer = await operate(clinic, "family-practice", referral, "provide-information", patient=dead)
        assert answer.status_code == 200, answer.text
        assert business_status(await task_of(clinic, referral)) == "awaiting-review"
        assert "has died" in (await review_of(clinic))["statusReason"]["text"]


class TestWhatAnotherSenderToldOfThePatient:
    async def both(self, clinic: TestClinic) -> tuple[httpx.Response, str]:
        """Send a patient with telephone and address, and the same person by another practice with less."""
        more = {
            "telecom": [{"system": "phone", "value": "+1-416-555-0199"}],
            "address": [{"line": ["1 Secret Lane"], "city": "Toronto"}],
        }
        first = about(more, health_card="7770001112")
        first_id = located(await send(clinic, first), "Patient")
        answer = await send(clinic, referrals.bundle(health_card="7770001112"), as_="second-practice")
        assert located(answer, "Patient") == first_id
        return answer, first_id

    async def test_is_shown_to_no_other_by_read_search_history_or_include(self, clinic: TestClinic) -> None:
        _, patient = await self.both(clinic)
        other, own = clinic.as_("second-practice"), clinic.as_("family-practice")
        addresses = [
            f"Patient/{patient}",
            "Patient",
            "Patient?family=Abernathy",
            f"Patient/{patient}/_history",
            f"Patient/{patient}/_history/1",
            "ServiceRequest?_include=ServiceRequest:patient",
        ]
        for address in addresses:
            seen = await other.get(f"/referral/fhir/{address}")
            assert seen.status_code == 200, (address, seen.text)
            assert "Abernathy" in seen.text
            assert "7770001112" in seen.text, "what this sender has said itself is shown to it"
            for secret in ("0199", "Secret"):
                assert secret not in seen.text, (address, secret)
        assert "0199" in (await own.get(f"/referral/fhir/Patient/{patient}")).text
        for party in ("coordinator",):
            assert "0199" in (await clinic.as_(party).get(f"/referral/fhir/Patient/{patient}")).text

    async def test_is_not_guessed_from_the_answer_either(self, clinic: TestClinic) -> None:
        answer, _ = await self.both(clinic)
        unknown = await send(clinic, referrals.bundle(), as_="second-practice")
        shapes = []
        for sent in (answer, unknown):
            said = sent.json()["entry"][0]["response"]
            shapes.append(
                (said["status"], said["etag"], said["location"].rpartition("/")[2], said["lastModified"])
            )
        assert shapes[0] == shapes[1]
