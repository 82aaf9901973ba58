"""Records of one person are merged by a coordinator, and unmerged where that was wrong."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.integration.referral.doors import business_status, located, operate, send, task_of, told, work_of
from tests.support import referrals
from tests.support.clinic import TestClinic

OTHER_CARD = "9990002222"
CARD = "9990001111"
MISSPELT = {"name": [{"family": "Abernaty", "given": ["Noor"]}]}


def about(patient: dict[str, Any] | None = None, **bundle: Any) -> dict[str, Any]:
    sent = referrals.bundle(**{"health_card": CARD, **bundle})
    referrals.resource(sent, "Patient").update(patient or {})
    return sent


async def patient_operation(
    clinic: TestClinic, patient: str, operation: str, *, as_: str = "coordinator", **values: Any
) -> httpx.Response:
    parameters = [
        {"name": name, ("valueReference" if isinstance(value, dict) else "valueString"): value}
        for name, value in values.items()
    ]
    return await clinic.as_(as_).post(
        f"/referral/fhir/Patient/{patient}/${operation}",
        json={"resourceType": "Parameters", "parameter": parameters},
    )


async def merge(clinic: TestClinic, patient: str, other: str, **values: Any) -> httpx.Response:
    given = {"into": {"reference": f"Patient/{other}"}, "reason": "the name was misspelt"} | values
    return await patient_operation(clinic, patient, "merge", **given)


async def two_records(clinic: TestClinic, **second: Any) -> tuple[str, str]:
    """Let one person get two records, because another practice misspells the name; give them in order."""
    first = located(await send(clinic, about()), "Patient")
    answer = await send(clinic, about(MISSPELT, **second), as_="second-practice")
    return first, located(answer, "Patient")


async def read(clinic: TestClinic, patient: str, *, as_: str = "coordinator") -> dict[str, Any]:
    answer = await clinic.as_(as_).get(f"/referral/fhir/Patient/{patient}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


class TestMerging:
    async def test_links_both_records_and_says_who_did_it_and_why(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        answer = await merge(clinic, second, first)
        assert answer.status_code == 200, answer.text
        replaced, goes_on = await read(clinic, second), await read(clinic, first)
        assert replaced["active"] is False
        assert replaced["link"] == [{"other": {"reference": f"Patient/{first}"}, "type": "replaced-by"}]
        assert goes_on["link"] == [{"other": {"reference": f"Patient/{second}"}, "type": "replaces"}]
        assert "active" not in goes_on
        for patient in (first, second):
            found = await clinic.as_("coordinator").get(f"/referral/fhir/Provenance?patient={patient}")
            said = [
                entry["resource"]
                for entry in found.json()["entry"]
                if entry["resource"]["activity"].get("coding", [{}])[0].get("code") == "merge"
            ]
            assert [one["activity"]["text"] for one in said] == ["the name was misspelt"], patient
            assert {target["reference"].split("/")[1] for target in said[0]["target"]} == {first, second}
        assert (await told(clinic)).count("patient.changed") == 2

    async def test_stands_in_the_audit_of_both_patients(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        await merge(clinic, second, first)
        for patient in (first, second):
            found = await clinic.as_("privacy-officer").get(f"/referral/fhir/AuditEvent?patient={patient}")
            acts = [entry["resource"] for entry in found.json()["entry"]]
            about_whom = [str(act["entity"]) for act in acts if "coordinator" in str(act["agent"])]
            assert any(f"Patient/{second}/_history" in what for what in about_whom), patient

    async def test_is_not_shown_to_the_senders(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        seen_before = [
            await read(clinic, patient, as_=who)
            for patient, who in ((first, "family-practice"), (second, "second-practice"))
        ]
        assert (await merge(clinic, second, first)).status_code == 200
        seen = [
            await read(clinic, patient, as_=who)
            for patient, who in ((first, "family-practice"), (second, "second-practice"))
        ]
        assert seen == seen_before
        for who in ("family-practice", "second-practice"):
            found = await clinic.as_(who).get("/referral/fhir/Provenance?_count=100")
            assert "misspelt" not in found.text

    async def test_leads_what_is_sent_from_then_on_to_the_record_that_goes_on(
        self, clinic: TestClinic
    ) -> None:
        first, second = await two_records(clinic)
        await merge(clinic, second, first)
        for sent in (about(MISSPELT, programme="chronic-pain"), about(programme="workplace-rehabilitation")):
            answer = await send(clinic, sent, as_="second-practice")
            assert located(answer, "Patient") == first
        named = referrals.bundle(programme="motor-vehicle-rehabilitation")
        named["entry"] = [entry for entry in named["entry"] if entry["request"]["url"] != "Patient"]
        for entry in named["entry"]:
            for member in ("subject", "beneficiary"):
                if member in entry["resource"]:
                    entry["resource"][member] = {"reference": f"Patient/{second}"}
        answer = await send(clinic, named, as_="second-practice")
        task = await task_of(clinic, located(answer), as_="second-practice")
        assert task["for"]["reference"].endswith(first)
        assert (await read(clinic, first, as_="second-practice"))["name"][0]["family"] in (
            "Abernaty",
            "Abernathy",
        )

    async def test_asks_about_open_referrals_for_the_same(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        assert not await work_of(clinic, "coordinator", "code=merge-duplicate")
        await merge(clinic, second, first)
        [work] = await work_of(clinic, "coordinator", "code=merge-duplicate&status=requested")
        assert work["for"]["reference"].endswith(second), "the later one is asked about"
        assert "records of the patient were merged" in work["statusReason"]["text"]

    async def test_offers_what_only_the_merged_record_says(self, clinic: TestClinic) -> None:
        first = located(await send(clinic, about()), "Patient")
        moved = MISSPELT | {"telecom": [{"system": "phone", "value": "+1-416-555-0303"}]}
        second = located(await send(clinic, about(moved), as_="second-practice"), "Patient")
        await merge(clinic, second, first)
        [work] = await work_of(clinic, "coordinator", "code=update-patient&status=requested")
        assert work["contained"][0]["telecom"] == moved["telecom"]
        assert work["contained"][0]["name"][0]["family"] == "Abernaty"
        assert "telecom" not in await read(clinic, first), "nothing is taken over unasked"

    async def test_lets_a_duplicate_on_the_other_record_be_found_and_merged(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic, programme="chronic-pain")
        await merge(clinic, second, first)
        answer = await send(clinic, about(programme="chronic-pain"), as_="second-practice")
        duplicate = located(answer)
        assert business_status(await task_of(clinic, duplicate, as_="second-practice")) == (
            "duplicate-suspected"
        )
        [work] = await work_of(
            clinic, "coordinator", f"code=merge-duplicate&focus=ServiceRequest/{duplicate}"
        )
        into = work["input"][0]["valueReference"]
        merged = await operate(clinic, "coordinator", duplicate, "merge", into=into)
        assert merged.status_code == 200, merged.text

    async def test_does_not_make_triage_think_that_a_record_is_out_of_use(self, clinic: TestClinic) -> None:
        first = located(await send(clinic, about()), "Patient")
        sent = about(MISSPELT, answers={"onset-date": None}, programme="rapid-access")
        answer = await send(clinic, sent, as_="second-practice")
        second, referral = located(answer, "Patient"), located(answer)
        await merge(clinic, second, first)
        response = referrals.a_response(f"Patient/{second}")
        provided = await operate(clinic, "second-practice", referral, "provide-information", answers=response)
        assert provided.status_code == 200, provided.text
        rules = str((await task_of(clinic, referral, as_="second-practice"))["input"])
        assert "record-not-in-use" not in rules
        assert "record-replaced" not in rules

    async def test_of_one_who_died_is_known_of_the_other_record_and_gone_with_the_link(
        self, clinic: TestClinic
    ) -> None:
        first, second = await two_records(clinic)
        dead = about(MISSPELT | {"deceasedBoolean": True}, programme="chronic-pain")
        await send(clinic, dead, as_="second-practice")
        await merge(clinic, second, first)
        assert "deceasedBoolean" not in await read(clinic, first), "nothing is rewritten"
        looks = await work_of(clinic, "coordinator", "code=review-referral&status=requested")
        assert [work["statusReason"]["text"] for work in looks if work["for"]["reference"].endswith(first)]
        answer = await send(clinic, about(programme="workplace-rehabilitation"))
        referral = located(answer)
        assert business_status(await task_of(clinic, referral)) == "awaiting-review"
        accepted = await operate(clinic, "coordinator", referral, "accept", reason="let us see")
        assert accepted.status_code == 409
        assert "has died" in accepted.text
        await patient_operation(clinic, second, "unmerge", reason="they are cousins")
        accepted = await operate(clinic, "coordinator", referral, "accept", reason="let us see")
        assert accepted.status_code == 200, accepted.text

    async def test_before_a_death_is_told_in_the_referrals_of_both_records(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        await merge(clinic, second, first)
        await send(clinic, about({"deceasedBoolean": True}, programme="chronic-pain"))
        looks = await work_of(clinic, "coordinator", "code=review-referral&status=requested")
        about_whom = {work["for"]["reference"].rpartition("/")[2] for work in looks}
        assert about_whom == {first, second}


class TestUnmerging:
    async def test_gives_both_records_back_as_they_were(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        before = [await read(clinic, patient) for patient in (first, second)]
        await merge(clinic, second, first)
        answer = await patient_operation(clinic, second, "unmerge", reason="they are cousins")
        assert answer.status_code == 200, answer.text
        after = [await read(clinic, patient) for patient in (first, second)]
        for was, now in zip(before, after, strict=True):
            now.pop("active", None)
            assert {**was, "meta": 0} == {**now, "meta": 0}
            assert int(now["meta"]["versionId"]) == int(was["meta"]["versionId"]) + 2
        again = await send(clinic, about(MISSPELT, programme="chronic-pain"), as_="second-practice")
        assert located(again, "Patient") == second
        found = await clinic.as_("coordinator").get(f"/referral/fhir/Provenance?patient={second}&_count=50")
        assert "they are cousins" in found.text
        assert '"unmerge"' in found.text

    async def test_asks_whose_it_is_that_came_meanwhile(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        await clinic.days(0.1)
        await merge(clinic, second, first)
        answer = await send(clinic, about(MISSPELT, programme="chronic-pain"), as_="second-practice")
        await patient_operation(clinic, second, "unmerge", reason="they are cousins")
        [work] = [
            work
            for work in await work_of(clinic, "coordinator", "code=resolve-identity&status=requested")
            if "merged by mistake" in work["statusReason"]["text"]
        ]
        assert work["focus"]["reference"].endswith(located(answer))
        assert work["input"][0]["valueReference"]["reference"] == f"Patient/{second}"

    async def test_gives_back_what_was_merged_across_the_records(self, clinic: TestClinic) -> None:
        first_referral = located(await send(clinic, about()))
        sent = about(MISSPELT, programme="rapid-access", answers={"cancer-history": "UNK"})
        answer = await send(clinic, sent, as_="second-practice")
        second, referral = located(answer, "Patient"), located(answer)
        first = (await task_of(clinic, first_referral))["for"]["reference"].rpartition("/")[2]
        await merge(clinic, second, first)
        into = {"reference": f"ServiceRequest/{first_referral}"}
        merged = await operate(
            clinic, "coordinator", referral, "merge", into=into, reason="Elm sent it first"
        )
        assert merged.status_code == 200, merged.text
        task = await task_of(clinic, referral, as_="second-practice")
        assert first_referral not in str(task), "what another sender calls its referral is not told"
        assert "2026-03-02" not in task["statusReason"]["text"], "nor when it came"
        await patient_operation(clinic, second, "unmerge", reason="they are cousins")
        task = await task_of(clinic, referral, as_="second-practice")
        assert business_status(task) == "awaiting-review"
        open_work = f"code=review-referral&status=requested&focus=ServiceRequest/{referral}"
        looks = await work_of(clinic, "coordinator", open_work)
        assert "another person, by mistake" in looks[0]["statusReason"]["text"]

    async def test_gives_back_what_the_sender_itself_said_of_the_record(self, clinic: TestClinic) -> None:
        first = located(await send(clinic, about()), "Patient")
        link = [{"other": {"reference": f"Patient/{first}"}, "type": "seealso"}]
        sent = about(MISSPELT | {"active": False, "link": link})
        second = located(await send(clinic, sent, as_="second-practice"), "Patient")
        await merge(clinic, second, first)
        await patient_operation(clinic, second, "unmerge", reason="they are cousins")
        now = await read(clinic, second)
        assert (now["active"], now["link"]) == (False, link)

    async def test_ends_the_tasks_that_the_merge_had_opened(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        assert await work_of(clinic, "coordinator", "code=resolve-identity&status=requested")
        await merge(clinic, second, first)
        assert not await work_of(clinic, "coordinator", "code=resolve-identity&status=requested")
        assert await work_of(clinic, "coordinator", "code=merge-duplicate&status=requested")
        await patient_operation(clinic, second, "unmerge", reason="they are cousins")
        assert not await work_of(clinic, "coordinator", "code=merge-duplicate&status=requested")


class TestSentAgain:
    async def test_what_came_before_the_merge_gets_its_first_answer(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        named = referrals.bundle(programme="chronic-pain", identifier="by-id")
        named["entry"] = [entry for entry in named["entry"] if entry["request"]["url"] != "Patient"]
        for entry in named["entry"]:
            for member in ("subject", "beneficiary"):
                if member in entry["resource"]:
                    entry["resource"][member] = {"reference": f"Patient/{second}"}
        await merge(clinic, second, first)
        answers = [await send(clinic, named, as_="second-practice") for _ in range(2)]
        await patient_operation(clinic, second, "unmerge", reason="they are cousins")
        answers.append(await send(clinic, named, as_="second-practice"))
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert len({answer.text for answer in answers}) == 1

    async def test_an_answer_with_ones_own_patient_is_taken_after_the_merge(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        await merge(clinic, second, first)
        sent = about(MISSPELT, programme="chronic-pain", answers={"onset-date": None, "episode": None})
        referral = located(await send(clinic, sent, as_="second-practice"))
        moved = referrals.resource(sent, "Patient") | {"telecom": [{"system": "phone", "value": "0404"}]}
        answer = await operate(
            clinic,
            "second-practice",
            referral,
            "provide-information",
            patient=moved,
            answers=referrals.a_response(f"Patient/{second}"),
        )
        assert answer.status_code == 200, answer.text
        task = await task_of(clinic, referral, as_="second-practice")
        assert business_status(task) == "accepted", task["statusReason"]


class TestRefusal:
    async def test_says_what_is_wrong_and_writes_nothing(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        third = located(await send(clinic, about(health_card=OTHER_CARD)), "Patient")
        into = "Parameters.parameter.where(name='into')"
        before = await told(clinic)
        nobody = "00000000-0000-4000-8000-000000000000"
        for patient, target, values, status, where in (
            (first, first, {}, 409, into),
            (first, nobody, {}, 404, into),
            (nobody, first, {}, 404, None),
            (first, second, {"reason": " "}, 422, "Parameters.parameter.where(name='reason')"),
            (first, second, {"into": {"reference": "Practitioner/17"}}, 422, into),
        ):
            answer = await merge(clinic, patient, target, **values)
            assert answer.status_code == status, (patient, target, answer.text)
            if where:
                assert answer.json()["issue"][0]["expression"] == [where]
        assert (await patient_operation(clinic, first, "unmerge", reason="why")).status_code == 409
        assert await told(clinic) == before
        assert (await merge(clinic, second, first)).status_code == 200
        for patient, target, sentence in (
            (second, third, "was merged into"),
            (third, second, "was merged into"),
            (first, third, "Other records were merged"),
        ):
            answer = await merge(clinic, patient, target)
            assert answer.status_code == 409, answer.text
            assert sentence in answer.json()["issue"][0]["details"]["text"]
        assert (await merge(clinic, third, first)).status_code == 200

    @pytest.mark.parametrize("party", ["family-practice", "physiatrist", "workplace-insurer", "operator"])
    async def test_of_everybody_but_a_coordinator(self, clinic: TestClinic, party: str) -> None:
        first, second = await two_records(clinic)
        into = {"reference": f"Patient/{first}"}
        answer = await patient_operation(clinic, second, "merge", as_=party, into=into, reason="mine")
        assert answer.status_code in (403, 404)
        assert "patient.changed" not in await told(clinic)

    async def test_of_what_is_not_offered_and_of_nothing_that_is(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        await merge(clinic, second, first)
        for patient, possible in ((first, False), (second, False)):
            address = f"/referral/fhir/Patient/{patient}/$available-actions"
            actions = (await clinic.as_("coordinator").get(address)).json()
            named = {
                next(part["valueCode"] for part in action["part"] if part["name"] == "name"): action["part"]
                for action in actions["parameter"]
            }
            assert {"correct", "merge", "unmerge"} == set(named)
            offered = [part for part in named["merge"] if part["name"] == "available"]
            assert offered[0]["valueBoolean"] is possible


class TestTheSender:
    async def test_learns_no_version_of_the_clinics_by_asking_what_may_be_done(
        self, clinic: TestClinic
    ) -> None:
        first, second = await two_records(clinic)
        address = f"/referral/fhir/Patient/{first}/$available-actions"
        before = await clinic.as_("family-practice").get(address)
        await merge(clinic, second, first)
        after = await clinic.as_("family-practice").get(address)
        assert (before.status_code, after.status_code) == (200, 200)
        for name in ("ETag", "Last-Modified"):
            assert before.headers[name] == after.headers[name], name
        assert before.json() == after.json() == {"resourceType": "Parameters"}


class TestTwoAtOnce:
    async def test_who_merge_each_into_the_other_leave_one_that_goes_on(self, clinic: TestClinic) -> None:
        first, second = await two_records(clinic)
        answers = await asyncio.gather(merge(clinic, first, second), merge(clinic, second, first))
        assert sorted(answer.status_code for answer in answers) == [200, 409]

    async def test_a_referral_that_comes_with_the_merge_is_on_a_record_of_the_person(
        self, clinic: TestClinic
    ) -> None:
        first, second = await two_records(clinic)
        sent = about(MISSPELT, programme="chronic-pain")
        merged, answer = await asyncio.gather(
            merge(clinic, second, first), send(clinic, sent, as_="second-practice")
        )
        if merged.status_code == 409:
            # It came between the look at what is open and the locks: nothing is passed over unasked.
            assert "came at this moment" in merged.text
            merged = await merge(clinic, second, first)
        assert merged.status_code == 200, merged.text
        assert located(answer, "Patient") in (first, second)
