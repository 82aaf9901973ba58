"""Referrer and clinic speak about a referral: each question has a turn, a clock and an answer."""

from typing import Any

import pytest

from tests.integration.referral.doors import business_status, located, operate, send, task_of, told, work_of
from tests.integration.referral.test_senders import referral_of
from tests.support import referrals
from tests.support.clinic import BASE_URL, TestClinic
from tests.support.senders import erec

REFERRER, COORDINATOR = "family-practice", "coordinator"
UNSAID = {"reference": "Communication/0b9d2f5e-6c1a-7e43-8f2b-1a3c5d7e9f01"}


async def accepted(clinic: TestClinic) -> str:
    return located(await send(clinic, referrals.bundle(identifier="r-1")))


async def says(clinic: TestClinic, as_: str, referral: str, text: str, **more: Any) -> None:
    answer = await operate(clinic, as_, referral, "send-communication", text=text, **more)
    assert answer.status_code == 200, answer.text


async def open_tasks(clinic: TestClinic, as_: str, code: str) -> list[dict[str, Any]]:
    return await work_of(clinic, as_, f"code={code}&status=requested")


async def said_about(clinic: TestClinic, as_: str) -> list[dict[str, Any]]:
    answer = await clinic.as_(as_).get("/referral/fhir/Communication")
    return [entry["resource"] for entry in answer.json().get("entry", [])]


async def _accepted_by_message(clinic: TestClinic) -> str:
    """Accept what Ocean has sent: a person of the clinic names the programme."""
    referral = referral_of(await send(clinic, erec.message(number="r-1", code={"text": "Back pain"})))
    asked = await operate(clinic, COORDINATOR, referral, "accept", reason="fits", programme="chronic-pain")
    assert asked.status_code == 200, asked.text
    return referral


def _said_by_message(**changes: Any) -> dict[str, Any]:
    """Write a message of the referrer with another Communication; a member that is None is left out."""
    sent = erec.communication(number="r-1", text="Is there parking?")
    (entry,) = [one for one in sent["entry"] if one["resource"]["resourceType"] == "Communication"]
    said = entry["resource"] | changes
    entry["resource"] = {name: value for name, value in said.items() if value is not None}
    return sent


class TestAQuestionOfTheReferrer:
    async def test_is_the_clinics_turn_and_ends_with_the_answer(self, clinic: TestClinic) -> None:
        referral = await accepted(clinic)
        await says(clinic, REFERRER, referral, "Shall she stop the blood thinner?")
        (task,) = await open_tasks(clinic, COORDINATOR, "answer-referrer")
        assert "Shall she stop the blood thinner?" in task["statusReason"]["text"]
        assert task["restriction"]["period"]["end"].startswith("2026-03-03T13:00")
        await says(clinic, COORDINATOR, referral, "No, she shall not.")
        assert await open_tasks(clinic, COORDINATOR, "answer-referrer") == []
        assert await open_tasks(clinic, REFERRER, "answer-clinic") == []
        heard = await told(clinic)
        assert heard[-2:] == ["referral.referrer-wrote", "referral.clinic-wrote"]
        for reader in (REFERRER, COORDINATOR):
            said = await said_about(clinic, reader)
            assert {one["payload"][0]["contentString"] for one in said} == {
                "Shall she stop the blood thinner?",
                "No, she shall not.",
            }

    async def test_does_not_move_the_referral(self, clinic: TestClinic) -> None:
        referral = await accepted(clinic)
        before = await task_of(clinic, referral)
        await says(clinic, REFERRER, referral, "Is there parking?")
        assert await task_of(clinic, referral) == before

    async def test_that_nobody_answers_is_told_the_coordinator_at_night(self, clinic: TestClinic) -> None:
        referral = await accepted(clinic)
        await says(clinic, REFERRER, referral, "Is there parking?")
        await clinic.days(1.8)
        (overdue,) = await open_tasks(clinic, COORDINATOR, "overdue-referral")
        assert "is not answered" in overdue["statusReason"]["text"]
        await says(clinic, COORDINATOR, referral, "Yes.")
        await clinic.days(1)
        assert "is not answered" not in str(await open_tasks(clinic, COORDINATOR, "overdue-referral"))

    async def test_while_something_is_asked_of_it_is_the_answer(self, clinic: TestClinic) -> None:
        referral = located(await send(clinic, referrals.bundle(answers={"night-pain": None})))
        await says(clinic, REFERRER, referral, "There is none at night.")
        assert "referral.information-provided" in await told(clinic)
        assert await open_tasks(clinic, COORDINATOR, "answer-referrer") == []

    async def test_of_another_practice_is_not_there(self, clinic: TestClinic) -> None:
        referral = await accepted(clinic)
        heard = await told(clinic)
        answer = await operate(clinic, "second-practice", referral, "send-communication", text="Who is it?")
        assert answer.status_code == 404
        assert await told(clinic) == heard
        assert await said_about(clinic, "second-practice") == []


class TestAQuestionOfTheClinic:
    async def test_is_the_referrers_turn_and_ends_with_the_answer(self, clinic: TestClinic) -> None:
        referral = await accepted(clinic)
        await says(clinic, COORDINATOR, referral, "Which pharmacy?")
        (task,) = await open_tasks(clinic, REFERRER, "answer-clinic")
        assert task["owner"] == {
            "reference": "Organization/family-practice",
            "display": "Elm Street Family Practice",
        }
        (question,) = await said_about(clinic, REFERRER)
        await says(
            clinic,
            REFERRER,
            referral,
            "The one at the corner.",
            **{"in-response-to": {"reference": f"Communication/{question['id']}"}},
        )
        assert await open_tasks(clinic, REFERRER, "answer-clinic") == []
        assert await open_tasks(clinic, COORDINATOR, "answer-referrer") == []

    async def test_is_answered_by_a_message_too(self, clinic: TestClinic) -> None:
        referral = await _accepted_by_message(clinic)
        await says(clinic, COORDINATOR, referral, "Which pharmacy?")
        answer = await send(clinic, erec.communication(number="r-1", text="The one at the corner"))
        assert answer.status_code == 200, answer.text
        assert await open_tasks(clinic, REFERRER, "answer-clinic") == []
        assert (await told(clinic))[-1] == "referral.referrer-wrote"

    @pytest.mark.parametrize(
        ("said", "state"),
        [
            ({"night-pain": None}, "information-requested"),
            ({"chronic-multisite-pain": "Y"}, "declined"),
        ],
    )
    async def test_ends_with_the_answer_also_where_the_referral_waits(
        self, clinic: TestClinic, said: dict[str, str | None], state: str
    ) -> None:
        referral = located(await send(clinic, referrals.bundle(answers=said)))
        assert business_status(await task_of(clinic, referral)) == state
        await says(clinic, COORDINATOR, referral, "Which pharmacy?")
        (question,) = await said_about(clinic, REFERRER)
        elsewhere = {"reference": "Communication/0b9d2f5e-6c1a-7e43-8f2b-1a3c5d7e9f01"}
        refused = await operate(
            clinic, REFERRER, referral, "send-communication", text="x", **{"in-response-to": elsewhere}
        )
        assert refused.status_code == 422, refused.text
        assert len(await open_tasks(clinic, REFERRER, "answer-clinic")) == 1
        asked = {"in-response-to": {"reference": f"Communication/{question['id']}"}}
        await says(clinic, REFERRER, referral, "The one at the corner.", **asked)
        assert await open_tasks(clinic, REFERRER, "answer-clinic") == []
        await clinic.days(20)
        assert "is not answered" not in str(await open_tasks(clinic, COORDINATOR, "overdue-referral"))

    async def test_reaches_who_was_merged_nowhere(self, clinic: TestClinic) -> None:
        first = located(await send(clinic, referrals.bundle(health_card="1234509876")))
        second = located(await send(clinic, referrals.bundle(health_card="1234509876")))
        merged = await operate(
            clinic, COORDINATOR, second, "merge", into={"reference": f"ServiceRequest/{first}"}
        )
        assert merged.status_code == 200, merged.text
        answer = await operate(clinic, COORDINATOR, second, "send-communication", text="Hello")
        assert answer.status_code == 409


class TestRefusal:
    @pytest.mark.parametrize("text", ["", "   "])
    async def test_nothing_said_is_refused(self, clinic: TestClinic, text: str) -> None:
        referral = await accepted(clinic)
        heard = await told(clinic)
        answer = await operate(clinic, REFERRER, referral, "send-communication", text=text)
        assert answer.status_code == 422
        assert await told(clinic) == heard

    @pytest.mark.parametrize("asked", [True, False])
    async def test_an_answer_to_what_was_not_said_about_it_is_refused(
        self, clinic: TestClinic, asked: bool
    ) -> None:
        referral = located(
            await send(clinic, referrals.bundle(answers={"night-pain": None} if asked else {}))
        )
        heard = await told(clinic)
        answer = await operate(
            clinic, REFERRER, referral, "send-communication", text="Yes", **{"in-response-to": UNSAID}
        )
        assert answer.status_code == 422, answer.text
        place = "Parameters.parameter.where(name='in-response-to')"
        assert answer.json()["issue"][0]["expression"] == [place]
        assert await told(clinic) == heard

    @pytest.mark.parametrize("asked", [True, False])
    @pytest.mark.parametrize("server", ["", "https://other.example/fhir/"])
    async def test_nor_is_such_a_message_taken(self, clinic: TestClinic, asked: bool, server: str) -> None:
        if asked:
            await send(clinic, erec.message(number="r-1"))
        else:
            await _accepted_by_message(clinic)
        heard = await told(clinic)
        message = erec.communication(number="r-1", text="Yes")
        ((place, said),) = (
            (place, entry["resource"])
            for place, entry in enumerate(message["entry"])
            if entry["resource"]["resourceType"] == "Communication"
        )
        said["inResponseTo"] = [{"reference": server + UNSAID["reference"]}]
        answer = await send(clinic, message)
        assert answer.status_code == 422, answer.text
        expression = f"Bundle.entry[{place}].resource.inResponseTo[0]"
        assert answer.json()["issue"][0]["expression"] == [expression]
        assert await told(clinic) == heard

    async def test_a_message_may_answer_what_was_said_about_it(self, clinic: TestClinic) -> None:
        referral = await _accepted_by_message(clinic)
        await says(clinic, COORDINATOR, referral, "Which pharmacy?")
        (question,) = await said_about(clinic, REFERRER)
        message = erec.communication(number="r-1", text="The one at the corner")
        (said,) = (
            entry["resource"]
            for entry in message["entry"]
            if entry["resource"]["resourceType"] == "Communication"
        )
        said["inResponseTo"] = [{"reference": f"{BASE_URL}/referral/fhir/Communication/{question['id']}"}]
        answer = await send(clinic, message)
        assert answer.status_code == 200, answer.text
        assert await open_tasks(clinic, REFERRER, "answer-clinic") == []

    @pytest.mark.parametrize("payload", [None, [{"contentString": "  "}]])
    async def test_a_message_that_says_nothing_is_refused(
        self, clinic: TestClinic, payload: list[dict[str, Any]] | None
    ) -> None:
        await _accepted_by_message(clinic)
        heard = await told(clinic)
        answer = await send(clinic, _said_by_message(payload=payload))
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[7].resource.payload"]
        assert await told(clinic) == heard
        assert await open_tasks(clinic, COORDINATOR, "answer-referrer") == []

    async def test_a_message_that_answers_what_was_not_said_is_refused_by_its_element(
        self, clinic: TestClinic
    ) -> None:
        await _accepted_by_message(clinic)
        sent = _said_by_message(inResponseTo=[{"reference": "Communication/none"}])
        answer = await send(clinic, sent)
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[7].resource.inResponseTo[0]"]

    async def test_before_an_emergency_is_acknowledged_the_referrer_does_that_first(
        self, clinic: TestClinic
    ) -> None:
        referral = located(await send(clinic, referrals.bundle(answers={"saddle-anaesthesia": "Y"})))
        answer = await operate(clinic, REFERRER, referral, "send-communication", text="Really?")
        assert answer.status_code == 409
        assert "$acknowledge" in answer.text


class TestAnotherTime:
    async def test_is_a_task_with_the_days_and_ends_with_the_clinics_answer(self, clinic: TestClinic) -> None:
        referral = await accepted(clinic)
        body = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "reason", "valueString": "A funeral"},
                {"name": "from", "valueDate": "2026-03-09"},
                {"name": "to", "valueDate": "2026-03-13"},
            ],
        }
        address = f"/referral/fhir/ServiceRequest/{referral}/$request-another-time"
        answer = await clinic.as_(REFERRER).post(address, json=body)
        assert answer.status_code == 200, answer.text
        (task,) = await open_tasks(clinic, COORDINATOR, "another-time")
        assert task["input"][0]["valuePeriod"] == {"start": "2026-03-09", "end": "2026-03-13"}
        assert "A funeral" in task["statusReason"]["text"]
        unavailable = [one for one in (await task_of(clinic, referral))["input"] if "valuePeriod" in one]
        assert [one["valuePeriod"] for one in unavailable] == [{"start": "2026-03-09", "end": "2026-03-13"}]
        assert (await told(clinic))[-1] == "referral.another-time-requested"
        await says(clinic, COORDINATOR, referral, "It is the 17th now.")
        assert await open_tasks(clinic, COORDINATOR, "another-time") == []

    async def test_needs_a_reason_and_days_in_order(self, clinic: TestClinic) -> None:
        referral = await accepted(clinic)
        address = f"/referral/fhir/ServiceRequest/{referral}/$request-another-time"
        without = await clinic.as_(REFERRER).post(address, json={"resourceType": "Parameters"})
        assert without.status_code == 422
        body = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "reason", "valueString": "A funeral"},
                {"name": "from", "valueDate": "2026-03-13"},
                {"name": "to", "valueDate": "2026-03-09"},
            ],
        }
        assert (await clinic.as_(REFERRER).post(address, json=body)).status_code == 422
        assert await open_tasks(clinic, COORDINATOR, "another-time") == []

    @pytest.mark.parametrize(
        ("first", "last", "kept"),
        [
            ("2026-04", "2026-05", ["2026-04-01", "2026-05-31"]),
            ("2026-04", None, ["2026-04-01", "2026-04-30"]),
            ("2026-04-01T23:30:00-04:00", None, ["2026-04-01", "2026-04-01"]),
            # Who writes the last of all days means that there is no end; no day can be counted beside it.
            ("2026-04-01", "9999-12-31", ["2026-04-01", "9998-12-31"]),
        ],
    )
    async def test_says_whole_days_that_everybody_who_counts_them_can_count(
        self, clinic: TestClinic, first: str, last: str | None, kept: list[str]
    ) -> None:
        referral = await accepted(clinic)
        named = {"from": first, "to": last}
        days = [
            {"name": name, "valueDateTime" if "T" in day else "valueDate": day}
            for name, day in named.items()
            if day is not None
        ]
        body = {
            "resourceType": "Parameters",
            "parameter": [{"name": "reason", "valueString": "A funeral"}, *days],
        }
        address = f"/referral/fhir/ServiceRequest/{referral}/$request-another-time"
        assert (await clinic.as_(REFERRER).post(address, json=body)).status_code == 200
        [period] = [
            one["valuePeriod"] for one in (await task_of(clinic, referral))["input"] if "valuePeriod" in one
        ]
        assert [period["start"], period["end"]] == kept

    async def test_is_not_asked_of_what_is_not_accepted(self, clinic: TestClinic) -> None:
        referral = located(await send(clinic, referrals.bundle(answers={"night-pain": None})))
        answer = await operate(clinic, REFERRER, referral, "request-another-time", reason="A funeral")
        assert answer.status_code == 409
