"""What each sender says of a patient is kept as its own, shown to it alone and offered to the coordinator."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.integration.referral.doors import business_status, located, operate, send, task_of, told, work_of
from tests.support import referrals
from tests.support.clinic import TestClinic

CARD = "8880001112"
CHART = {"system": "https://elm-street.example/chart", "value": "17"}
HOME = {"telecom": [{"system": "phone", "value": "+1-416-555-0101"}]}
MOVED = {
    "telecom": [{"system": "phone", "value": "+1-416-555-0202"}],
    "address": [{"line": ["2 New Street"], "city": "Toronto"}],
}


def about(patient: dict[str, Any], **bundle: Any) -> dict[str, Any]:
    """Make a referral of the person on the card, with these members of the Patient."""
    sent = referrals.bundle(**{"health_card": CARD, **bundle})
    referrals.resource(sent, "Patient").update(patient)
    return sent


async def patient_seen(clinic: TestClinic, patient: str, *, as_: str) -> dict[str, Any]:
    answer = await clinic.as_(as_).get(f"/referral/fhir/Patient/{patient}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def found(clinic: TestClinic, query: str, *, as_: str) -> list[str]:
    answer = await clinic.as_(as_).get(f"/referral/fhir/Patient?{query}")
    assert answer.status_code == 200, answer.text
    return [entry["resource"]["id"] for entry in answer.json().get("entry", [])]


async def offered(clinic: TestClinic) -> list[dict[str, Any]]:
    return await work_of(clinic, "coordinator", "code=update-patient&status=requested")


class TestWhatIsSaidNewly:
    @pytest.mark.parametrize("sender", ["family-practice", "second-practice"])
    async def test_is_that_senders_and_offered_to_the_coordinator_with_its_values(
        self, clinic: TestClinic, sender: str
    ) -> None:
        patient = located(await send(clinic, about(HOME)), "Patient")
        answer = await send(clinic, about(MOVED, programme="chronic-pain"), as_=sender)
        assert located(answer, "Patient") == patient
        assert (await patient_seen(clinic, patient, as_=sender))["telecom"] == MOVED["telecom"]
        assert (await patient_seen(clinic, patient, as_="coordinator"))["telecom"] == HOME["telecom"]
        [work] = await offered(clinic)
        said = work["contained"][0]
        assert (said["telecom"], said["address"]) == (MOVED["telecom"], MOVED["address"])
        assert "name" not in said, "what the clinic knows already is not offered"
        assert work["input"][0]["valueReference"]["reference"] == "#described"
        assert "Patient.telecom" in work["statusReason"]["text"]
        assert "referral.patient-review-needed" in await told(clinic)

    async def test_is_not_shown_to_the_sender_who_said_otherwise(self, clinic: TestClinic) -> None:
        patient = located(await send(clinic, about(HOME)), "Patient")
        await send(clinic, about(MOVED | {"identifier": [CHART, *_card()]}), as_="second-practice")
        seen = await patient_seen(clinic, patient, as_="family-practice")
        assert seen["telecom"] == HOME["telecom"]
        assert not await found(clinic, f"identifier={_token(CHART)}", as_="family-practice")
        for who in ("second-practice", "coordinator"):
            assert await found(clinic, f"identifier={_token(CHART)}", as_=who) == [patient], who

    async def test_in_other_writing_is_nothing_new(self, clinic: TestClinic) -> None:
        await send(clinic, about(HOME))
        same = {"telecom": [{"system": "phone", "use": "home", "value": "+1 (416) 555 0101"}]}
        await send(clinic, about(same, programme="chronic-pain"))
        assert not await offered(clinic)

    async def test_again_is_offered_once_and_more_of_it_in_the_same_task(self, clinic: TestClinic) -> None:
        await send(clinic, about(HOME))
        sent = about(MOVED, programme="chronic-pain", identifier="moved")
        await send(clinic, sent)
        [first] = await offered(clinic)
        referrals.resource(sent, "Patient")["gender"] = "female"
        assert (await send(clinic, sent)).status_code == 200
        [work] = await offered(clinic)
        assert work["id"] == first["id"]
        assert {"telecom", "address", "gender"} <= set(work["contained"][0])
        again = about(MOVED | {"gender": "female"}, programme="workplace-rehabilitation")
        assert (await send(clinic, again)).status_code == 200
        assert len(await offered(clinic)) == 1

    async def test_comes_by_an_answer_too(self, clinic: TestClinic) -> None:
        sent = about(HOME)
        referral = located(await send(clinic, sent))
        patient = referrals.resource(sent, "Patient") | MOVED
        answer = await operate(clinic, "family-practice", referral, "provide-information", patient=patient)
        assert answer.status_code == 200, answer.text
        [work] = await offered(clinic)
        assert work["contained"][0]["telecom"] == MOVED["telecom"]

    async def test_outlives_the_referral_with_which_it_came(self, clinic: TestClinic) -> None:
        await send(clinic, about(HOME))
        referral = located(await send(clinic, about(MOVED, programme="chronic-pain")))
        await operate(clinic, "family-practice", referral, "revoke", reason="sent twice")
        [work] = await offered(clinic)
        done = await clinic.as_("coordinator").put(
            f"/referral/fhir/Task/{work['id']}",
            json=work | {"status": "completed"},
            headers={"If-Match": f'W/"{work["meta"]["versionId"]}"'},
        )
        assert done.status_code == 200, done.text

    async def test_has_versions_that_go_on_from_those_that_the_sender_has_read(
        self, clinic: TestClinic
    ) -> None:
        sent = about({"birthDate": "1980"} | HOME, identifier="one")
        patient = located(await send(clinic, sent), "Patient")
        for change in ({"birthDate": "1980-05-17"}, MOVED):
            referrals.resource(sent, "Patient").update(change)
            assert (await send(clinic, sent)).status_code == 200
        bundle = await clinic.as_("family-practice").get(f"/referral/fhir/Patient/{patient}/_history")
        versions = [entry["resource"]["meta"]["versionId"] for entry in bundle.json()["entry"]]
        assert versions == ["3", "2", "1"]
        first = await clinic.as_("family-practice").get(f"/referral/fhir/Patient/{patient}/_history/1")
        assert (first.json()["birthDate"], first.json()["telecom"]) == ("1980", HOME["telecom"])
        times = [entry["resource"]["meta"]["lastUpdated"] for entry in bundle.json()["entry"]]
        assert times == sorted(times, reverse=True)

    async def test_of_two_at_once_is_both_kept(self, clinic: TestClinic) -> None:
        patient = located(await send(clinic, about(HOME)), "Patient")
        more = [
            {"telecom": [{"system": "phone", "value": f"+1-416-555-03{number:02}"}]} for number in range(6)
        ]
        senders = ["family-practice", "second-practice"] * 3
        answers = await asyncio.gather(
            *(
                send(clinic, about(said, programme="chronic-pain"), as_=who)
                for said, who in zip(more, senders, strict=True)
            )
        )
        assert {located(answer, "Patient") for answer in answers} == {patient}
        for who in ("family-practice", "second-practice"):
            history = await clinic.as_(who).get(f"/referral/fhir/Patient/{patient}/_history")
            seen = [entry["resource"]["meta"]["versionId"] for entry in history.json()["entry"]]
            assert seen == sorted(seen, reverse=True)
            own = {said["telecom"][0]["value"] for said, of in zip(more, senders, strict=True) if of == who}
            assert own <= {part["value"] for part in _telecoms(history)}
        assert len(await offered(clinic)) == 6

    async def test_and_said_as_it_is_known_again_is_offered_no_more(self, clinic: TestClinic) -> None:
        sent = about(HOME, identifier="one")
        await send(clinic, sent)
        referrals.resource(sent, "Patient").update(MOVED)
        await send(clinic, sent)
        assert len(await offered(clinic)) == 1
        referrals.resource(sent, "Patient").update(HOME)
        referrals.resource(sent, "Patient").pop("address")
        await send(clinic, sent)
        assert not await offered(clinic)

    async def test_comes_with_another_name_too(self, clinic: TestClinic) -> None:
        sent = about(HOME, identifier="one")
        await send(clinic, sent)
        referrals.resource(sent, "Patient").update(
            MOVED | {"name": [{"family": "Zimmer", "given": ["Noor"]}]}
        )
        assert (await send(clinic, sent)).status_code == 200
        [work] = await offered(clinic)
        assert work["contained"][0]["telecom"] == MOVED["telecom"]


class TestADeath:
    async def test_that_one_sender_says_is_taken_back_by_no_other(self, clinic: TestClinic) -> None:
        lives = about({"deceasedBoolean": False}, identifier="second")
        patient = located(await send(clinic, lives, as_="second-practice"), "Patient")
        died = about({"deceasedBoolean": True}, identifier="first", programme="chronic-pain")
        assert located(await send(clinic, died), "Patient") == patient
        referrals.resource(lives, "Patient")["gender"] = "female"
        referrals.resource(lives, "ServiceRequest")["note"] = [{"text": "prefers mornings"}]
        assert (await send(clinic, lives, as_="second-practice")).status_code == 200
        assert (await patient_seen(clinic, patient, as_="coordinator"))["deceasedBoolean"] is True
        referrals.resource(died, "Patient")["deceasedBoolean"] = False
        assert (await send(clinic, died)).status_code == 200
        assert (await patient_seen(clinic, patient, as_="coordinator"))["deceasedBoolean"] is False

    async def test_and_an_answer_at_once_wait_for_each_other_without_a_deadlock(
        self, clinic: TestClinic
    ) -> None:
        mine = located(await send(clinic, about({}, identifier="one")))
        theirs = located(await send(clinic, about({}, programme="chronic-pain"), as_="second-practice"))
        patient = referrals.resource(about({}), "Patient")
        for number in range(6):
            phone = {"telecom": [{"system": "phone", "value": f"+1-416-555-05{number:02}"}]}
            died = about({"deceasedBoolean": True}, programme="workplace-rehabilitation")
            answers = await asyncio.gather(
                operate(clinic, "family-practice", mine, "provide-information", p=patient | phone),
                operate(clinic, "second-practice", theirs, "provide-information", p=patient | phone),
                send(clinic, died, as_="second-practice"),
                send(clinic, died),
            )
            assert [answer.status_code for answer in answers] == [200] * 4, [one.text for one in answers]
            back = [part | {"deceasedBoolean": False} for part in (patient,)]
            for who, referral in (("family-practice", mine), ("second-practice", theirs)):
                await operate(clinic, who, referral, "provide-information", p=back[0])


class TestABirthDate:
    async def two_who_know_the_year(self, clinic: TestClinic) -> tuple[str, dict[str, Any]]:
        """Let two senders say 1980, and the first one the day later; give the patient and that sending."""
        sent = about({"birthDate": "1980"}, identifier="first")
        theirs = about({"birthDate": "1980"}, identifier="second", programme="chronic-pain")
        patient = located(await send(clinic, sent), "Patient")
        assert located(await send(clinic, theirs, as_="second-practice"), "Patient") == patient
        referrals.resource(sent, "Patient")["birthDate"] = "1980-05-17"
        assert (await send(clinic, sent)).status_code == 200
        return patient, theirs

    async def test_that_another_sender_has_completed_leaves_ones_own_words_the_same_person(
        self, clinic: TestClinic
    ) -> None:
        patient, _ = await self.two_who_know_the_year(clinic)
        again = about({"birthDate": "1980"}, programme="workplace-rehabilitation")
        answer = await send(clinic, again, as_="second-practice")
        assert located(answer, "Patient") == patient

    @pytest.mark.parametrize("day", ["1980-05-17", "1980-06-01"])
    async def test_of_another_sender_cannot_be_found_out(self, clinic: TestClinic, day: str) -> None:
        patient, theirs = await self.two_who_know_the_year(clinic)
        referral = located(await send(clinic, theirs, as_="second-practice"))
        guess = referrals.resource(theirs, "Patient") | {"birthDate": day}
        answer = await operate(clinic, "second-practice", referral, "provide-information", patient=guess)
        assert answer.status_code == 200, answer.text
        put = about({"birthDate": day}, programme="workplace-rehabilitation")
        token = _token(referrals.resource(put, "Patient")["identifier"][0])
        put["entry"][0]["request"] = {"method": "PUT", "url": f"Patient?identifier={token}"}
        answer = await send(clinic, put, as_="second-practice")
        assert located(answer, "Patient") == patient
        assert answer.json()["entry"][0]["response"]["status"].startswith("200")


class TestWhatIsLong:
    @pytest.mark.parametrize("number", [20, 30, 60])
    async def test_is_taken_of_a_new_patient_whether_the_number_is_known_or_not(
        self, clinic: TestClinic, number: int
    ) -> None:
        await send(clinic, about({}))
        answers = []
        for card in (CARD, "1110001119"):
            sent = about({"name": [{"family": "Guess", "given": ["Ing"]}]}, health_card=card)
            observed = {
                "resourceType": "Observation",
                "status": "final",
                "code": {"text": "pain"},
                "subject": {"reference": sent["entry"][0]["fullUrl"]},
            }
            sent["entry"] += [
                {"resource": observed, "request": {"method": "POST", "url": "Observation"}}
            ] * number
            answers.append(await send(clinic, sent, as_="second-practice"))
        assert [answer.status_code for answer in answers] == [200, 200], [one.text for one in answers]


class TestTheTaskOfTheSender:
    async def test_has_no_new_version_where_nothing_is_said_newly(self, clinic: TestClinic) -> None:
        referral = located(await send(clinic, about({}), as_="second-practice"))
        before = await task_of(clinic, referral, as_="second-practice")
        await send(clinic, about({"deceasedBoolean": True}, programme="chronic-pain"))
        assert await work_of(clinic, "coordinator", f"code=review-referral&focus=ServiceRequest/{referral}")
        assert await task_of(clinic, referral, as_="second-practice") == before


class TestAnIdentifier:
    """A sender finds by what it has stated itself, and learns nothing of numbers that others know."""

    async def test_of_another_sender_names_nobody(self, clinic: TestClinic) -> None:
        await send(clinic, about({"identifier": [CHART, *_card()]}))
        await send(clinic, about({}), as_="second-practice")
        named = referrals.bundle()
        named["entry"] = [entry for entry in named["entry"] if entry["request"]["url"] != "Patient"]
        for entry in named["entry"]:
            for member in ("subject", "beneficiary"):
                if member in entry["resource"]:
                    entry["resource"][member] = {"identifier": CHART}
        theirs = await send(clinic, named, as_="second-practice")
        own = await send(clinic, named)
        assert theirs.status_code == 422
        assert theirs.json()["issue"][0]["expression"] == ["ServiceRequest.subject"]
        assert own.status_code == 200, own.text

    async def test_that_somebody_else_carries_changes_nothing_that_the_sender_sees(
        self, clinic: TestClinic
    ) -> None:
        await send(clinic, about({}))
        known = about({"name": [{"family": "Guess", "given": ["Ing"]}]})
        unknown = about({"name": [{"family": "Guess", "given": ["Ing"]}]}, health_card="1110001112")
        shapes = []
        for sent in (known, unknown):
            answer = await send(clinic, sent, as_="second-practice")
            response = answer.json()["entry"][0]["response"]
            task = await task_of(clinic, located(answer), as_="second-practice")
            shapes.append(
                (
                    response["status"],
                    response["etag"],
                    business_status(task),
                    task["statusReason"]["text"],
                    task["meta"]["versionId"],
                    len(await found(clinic, "family=Guess", as_="second-practice")),
                )
            )
        shapes[1] = (*shapes[1][:-1], shapes[1][-1] - 1)
        assert shapes[0] == shapes[1]
        feed = [
            event["type"]
            for event in await work_of(clinic, "second-practice", "code=resolve-identity,update-patient")
        ]
        assert feed == []

    async def test_and_all_else_of_a_person_referred_by_two_is_not_told_of_the_other(
        self, clinic: TestClinic
    ) -> None:
        await send(clinic, about({}))
        answer = await send(clinic, about({}), as_="second-practice")
        task = await task_of(clinic, located(answer), as_="second-practice")
        assert business_status(task) == "awaiting-review"
        assert task["statusReason"]["text"] == "A person at the clinic looks at the referral."
        assert "duplicate" not in str(task)
        [work] = await work_of(clinic, "coordinator", "code=merge-duplicate&status=requested")
        assert "duplicate-of" in str(work["input"])
        assert "referral.duplicate-suspected" not in await told(clinic)

    async def test_of_a_duplicate_of_ones_own_is_told(self, clinic: TestClinic) -> None:
        await send(clinic, about({}))
        task = await task_of(clinic, located(await send(clinic, about({}))))
        assert business_status(task) == "duplicate-suspected"


class TestACondition:
    """On a Patient it is judged by what this sender has sent before."""

    def conditional(self, method: str, patient: dict[str, Any], **bundle: Any) -> dict[str, Any]:
        sent = about(patient, **{"programme": "chronic-pain", **bundle})
        token = _token(referrals.resource(sent, "Patient")["identifier"][0])
        for entry in sent["entry"]:
            if entry["resource"]["resourceType"] == "Patient":
                entry["request"] = (
                    {"method": "PUT", "url": f"Patient?identifier={token}"}
                    if method == "PUT"
                    else {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier={token}"}
                )
        return sent

    def said(self, answer: httpx.Response) -> tuple[str, str]:
        response = answer.json()["entry"][0]["response"]
        return response["status"].partition(" ")[0], response["etag"]

    async def test_that_is_met_updates_or_leaves_what_the_sender_has_said(self, clinic: TestClinic) -> None:
        patient = located(await send(clinic, about(HOME)), "Patient")
        left = await send(clinic, self.conditional("POST", MOVED))
        assert (located(left, "Patient"), self.said(left)) == (patient, ("200", 'W/"1"'))
        assert (await patient_seen(clinic, patient, as_="family-practice"))["telecom"] == HOME["telecom"]
        [work] = await offered(clinic)
        assert work["contained"][0]["telecom"] == MOVED["telecom"], "what is left is not lost"
        put = await send(clinic, self.conditional("PUT", MOVED, programme="workplace-rehabilitation"))
        assert (located(put, "Patient"), self.said(put)) == (patient, ("200", 'W/"2"'))
        assert (await patient_seen(clinic, patient, as_="family-practice"))["telecom"] == MOVED["telecom"]
        assert len(await offered(clinic)) == 2

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    async def test_that_only_another_sender_meets_is_not_met(self, clinic: TestClinic, method: str) -> None:
        patient = located(await send(clinic, about(HOME)), "Patient")
        answer = await send(clinic, self.conditional(method, MOVED), as_="second-practice")
        assert self.said(answer) == ("201", 'W/"1"')
        assert located(answer, "Patient") == patient, "behind it the clinic knows the person"
        assert (await patient_seen(clinic, patient, as_="second-practice"))["telecom"] == MOVED["telecom"]

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    async def test_does_not_put_a_twin_into_the_record_of_the_other(
        self, clinic: TestClinic, method: str
    ) -> None:
        ada = located(await send(clinic, about({"name": [{"family": "A", "given": ["Ada"]}]})), "Patient")
        twin = {"name": [{"family": "A", "given": ["Beatrice"]}]}
        answer = await send(clinic, self.conditional(method, twin))
        assert located(answer, "Patient") != ada
        assert self.said(answer)[0] == "201"
        assert len(await work_of(clinic, "coordinator", "code=resolve-identity")) == 1

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    async def test_that_several_meet_is_refused_and_nothing_is_written(
        self, clinic: TestClinic, method: str
    ) -> None:
        for given in (["Ada"], ["Beatrice"]):
            await send(clinic, about({"name": [{"family": "A", "given": given}]}))
        before = await told(clinic)
        answer = await send(clinic, self.conditional(method, {"name": [{"family": "A"}]}))
        assert answer.status_code == 412, answer.text
        issue = answer.json()["issue"][0]
        member = "url" if method == "PUT" else "ifNoneExist"
        assert (issue["code"], issue["expression"]) == (
            "multiple-matches",
            [f"Bundle.entry[0].request.{member}"],
        )
        assert await told(clinic) == before

    @pytest.mark.parametrize(
        ("request_of_it", "member"),
        [
            ({"method": "POST", "url": "Patient", "ifNoneExist": "family=Abernathy"}, "ifNoneExist"),
            ({"method": "POST", "url": "Patient", "ifNoneExist": "identifier=17"}, "ifNoneExist"),
            ({"method": "PUT", "url": "Patient?family=Abernathy"}, "url"),
            ({"method": "PUT", "url": "Patient"}, "url"),
            ({"method": "PUT", "url": "Patient/17"}, "url"),
        ],
    )
    async def test_that_is_not_understood_is_refused_by_its_place(
        self, clinic: TestClinic, request_of_it: dict[str, str], member: str
    ) -> None:
        sent = about({})
        sent["entry"][0]["request"] = request_of_it
        answer = await send(clinic, sent)
        assert answer.status_code == 422, answer.text
        assert f"Bundle.entry[0].request.{member}" in answer.json()["issue"][0]["expression"]
        assert await told(clinic) == []

    async def test_is_read_in_its_encoded_writing(self, clinic: TestClinic) -> None:
        patient = located(await send(clinic, about({})), "Patient")
        sent = self.conditional("PUT", MOVED)
        entry = sent["entry"][0]["request"]
        entry["url"] = entry["url"].replace("|", "%7C").replace("://", "%3A%2F%2F")
        answer = await send(clinic, sent)
        assert (located(answer, "Patient"), self.said(answer)[0]) == (patient, "200")


def _card() -> list[dict[str, str]]:
    return [{"system": referrals.HEALTH_CARD, "value": CARD}]


def _token(identifier: dict[str, str]) -> str:
    return f"{identifier['system']}|{identifier['value']}"


def _telecoms(history: httpx.Response) -> list[dict[str, str]]:
    return [part for entry in history.json()["entry"] for part in entry["resource"].get("telecom", [])]
