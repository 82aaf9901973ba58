"""What referrer and coordinator do with a referral, and what the referrer then reads."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.referral.doors import business_status, located, operate, send, task_of, told, work_of
from tests.support import referrals
from tests.support.clinic import TestClinic

EMERGENCY = {"saddle-anaesthesia": "Y"}


async def refer(clinic: TestClinic, **changes: Any) -> str:
    return located(await send(clinic, referrals.bundle(**changes)))


def answers(**given: str) -> dict[str, Any]:
    """Answers that are sent later, without their subject: the patient is the referral's."""
    late = referrals.a_response("unused", dict.fromkeys(referrals.ANSWERS) | given)
    late.pop("subject")
    return late


async def put_task(
    clinic: TestClinic, task: dict[str, Any], *, version: str | None = None, **members: Any
) -> Any:
    return await clinic.as_("coordinator").put(
        f"/referral/fhir/Task/{task['id']}",
        json=task | members,
        headers={"If-Match": f'W/"{version or task["meta"]["versionId"]}"'},
    )


class TestTasks:
    async def test_the_id_in_the_body_is_the_one_in_the_address(self, clinic: TestClinic) -> None:
        task = await task_of(clinic, await refer(clinic), as_="coordinator")
        answer = await clinic.as_("coordinator").put(
            f"/referral/fhir/Task/{task['id']}", json=task | {"id": "another"}, headers={"If-Match": "*"}
        )
        assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (422, ["Task.id"])


class TestEmergency:
    async def test_it_is_escalated_every_quarter_of_an_hour_until_acknowledged(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic, answers=EMERGENCY)
        task = await task_of(clinic, referral)
        assert task["status"] == "rejected"
        asked = await work_of(clinic, "family-practice", "code=acknowledge-emergency")
        assert asked[0]["owner"]["reference"] == "Organization/family-practice"
        start = clinic.clock.now()
        await clinic.at(start + timedelta(minutes=14))
        assert "referral.emergency-escalated" not in await told(clinic)
        await clinic.at(start + timedelta(minutes=35))
        assert (await told(clinic)).count("referral.emergency-escalated") == 2
        calls = await work_of(clinic, "coordinator", "code=telephone-referrer&status=requested")
        assert len(calls) == 1
        answer = await operate(clinic, "family-practice", referral, "acknowledge")
        assert answer.status_code == 200, answer.text
        await clinic.at(start + timedelta(hours=5))
        assert (await told(clinic)).count("referral.emergency-escalated") == 2
        assert business_status(await task_of(clinic, referral)) == "emergency-acknowledged"
        assert await work_of(clinic, "coordinator", "status=requested") == []

    async def test_acknowledging_again_changes_nothing(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers=EMERGENCY)
        for _ in range(2):
            assert (await operate(clinic, "family-practice", referral, "acknowledge")).status_code == 200
        assert (await told(clinic)).count("referral.emergency-acknowledged") == 1

    async def test_reaching_the_referrer_by_telephone_ends_the_escalation(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers=EMERGENCY)
        await clinic.at(clinic.clock.now() + timedelta(minutes=20))
        call = (await work_of(clinic, "coordinator", "code=telephone-referrer"))[0]
        answer = await put_task(clinic, call, status="completed")
        assert answer.status_code == 200, answer.text
        await clinic.days(1)
        assert (await told(clinic)).count("referral.emergency-escalated") == 1
        assert business_status(await task_of(clinic, referral)) == "emergency-acknowledged"

    async def test_there_is_nothing_to_acknowledge_on_an_accepted_referral(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        assert (await operate(clinic, "family-practice", referral, "acknowledge")).status_code == 409

    async def test_a_late_red_flag_is_told_although_the_referral_was_accepted(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic)
        late = referrals.a_response("unused", EMERGENCY)
        late.pop("subject")
        answer = await operate(clinic, "family-practice", referral, "provide-information", answers=late)
        assert answer.status_code == 200, answer.text
        assert "referral.redirected-to-emergency" in await told(clinic)
        assert (await operate(clinic, "family-practice", referral, "acknowledge")).status_code == 200


class TestMissingInformation:
    async def test_it_is_asked_answered_and_accepted_and_the_raw_clock_goes_on(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic, answers={"night-pain": None, "onset-date": None}, kind=None)
        asked = await task_of(clinic, referral)
        assert asked["status"] == "on-hold"
        for words in ("night pain", "date of onset", "who pays"):
            assert words in asked["statusReason"]["text"]
        assert value(asked, "turn")["reference"] == "Organization/family-practice"
        assert value(asked, "complete-at") is None
        await clinic.days(3)
        patient = f"Patient/{asked['for']['reference'].rpartition('/')[2]}"
        only_missing = dict.fromkeys(referrals.ANSWERS) | {"night-pain": "N", "onset-date": "2025-12-01"}
        answer = await operate(
            clinic,
            "family-practice",
            referral,
            "provide-information",
            answers=referrals.a_response(patient, only_missing),
            coverage=referrals.a_coverage(patient),
        )
        assert answer.status_code == 200, answer.text
        task = await task_of(clinic, referral)
        assert task["status"] == "accepted", task["statusReason"]
        assert value(task, "sent-at") == value(asked, "sent-at")
        assert value(task, "complete-at") > value(task, "sent-at")
        assert (await told(clinic))[-3:] == [
            "referral.information-provided",
            "referral.triaged",
            "referral.accepted",
        ]

    async def test_a_resource_about_somebody_else_is_refused(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, kind=None)
        foreign = referrals.a_coverage("Patient/0190a6f0-0000-7000-8000-000000000000")
        answer = await operate(clinic, "family-practice", referral, "provide-information", coverage=foreign)
        assert answer.status_code == 422
        assert answer.json()["issue"][0]["expression"] == ["Parameters.parameter[0].resource.beneficiary"]

    async def test_nothing_is_added_after_the_end(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        await operate(clinic, "family-practice", referral, "revoke", reason="moved away")
        late = referrals.a_response("x")
        late.pop("subject")
        answer = await operate(clinic, "family-practice", referral, "provide-information", answers=late)
        assert answer.status_code == 409


class TestAnAnswerToADecline:
    async def test_reopens_what_the_rules_declined_for_triage(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers={"pregnancy": "pregnant"})
        assert (await task_of(clinic, referral))["status"] == "rejected"
        answer = await operate(
            clinic, "family-practice", referral, "provide-information", answers=answers(pregnancy="no")
        )
        assert answer.status_code == 200, answer.text
        task = await task_of(clinic, referral)
        assert business_status(task) == "accepted", task["statusReason"]
        assert (await told(clinic))[-3:] == [
            "referral.information-provided",
            "referral.triaged",
            "referral.accepted",
        ]

    async def test_is_declined_again_where_it_changes_nothing(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers={"pregnancy": "pregnant"})
        answer = await operate(
            clinic, "family-practice", referral, "provide-information", answers=answers(**{"night-pain": "N"})
        )
        assert answer.status_code == 200, answer.text
        assert business_status(await task_of(clinic, referral)) == "declined"
        assert (await told(clinic)).count("referral.declined") == 2

    async def test_goes_to_a_person_where_a_person_had_declined(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers={"cancer-history": "Y"})
        await operate(clinic, "physiotherapist", referral, "decline", reason="oncology first")
        answer = await operate(
            clinic,
            "family-practice",
            referral,
            "provide-information",
            answers=answers(**{"cancer-history": "N"}),
        )
        assert answer.status_code == 200, answer.text
        assert business_status(await task_of(clinic, referral)) == "awaiting-review"
        review = await work_of(clinic, "coordinator", "code=review-referral&status=requested")
        assert "answered the clinic's decline" in review[0]["statusReason"]["text"]
        assert (await told(clinic))[-1] == "referral.review-needed"

    async def test_to_a_question_of_a_person_is_read_by_one_however_often_more_comes(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic, answers={"cancer-history": "UNK"})
        await operate(clinic, "coordinator", referral, "request-information", reason="which medicines?")
        for _ in range(2):
            late = answers(**{"cancer-history": "N"})
            answer = await operate(clinic, "family-practice", referral, "provide-information", answers=late)
            assert answer.status_code == 200, answer.text
            assert business_status(await task_of(clinic, referral)) == "awaiting-review"
            [review] = await work_of(clinic, "coordinator", "code=review-referral&status=requested")
            assert "answered the clinic's question" in review["statusReason"]["text"]
        assert (await told(clinic))[-1] == "referral.review-needed"
        await operate(clinic, "coordinator", referral, "accept", reason="no medicines that matter")
        assert business_status(await task_of(clinic, referral)) == "accepted"

    async def test_to_a_question_with_a_red_flag_is_an_emergency_all_the_same(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic, answers={"cancer-history": "Y"})
        await operate(clinic, "coordinator", referral, "request-information", reason="any numbness?")
        answer = await operate(
            clinic, "family-practice", referral, "provide-information", answers=answers(**EMERGENCY)
        )
        assert answer.status_code == 200, answer.text
        assert business_status(await task_of(clinic, referral)) == "emergency-redirected"

    async def test_after_an_emergency_goes_to_a_person_and_is_no_second_emergency(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic, answers=EMERGENCY)
        await operate(clinic, "family-practice", referral, "acknowledge")
        for _ in range(2):
            late = answers(**{"night-pain": "N"})
            answer = await operate(clinic, "family-practice", referral, "provide-information", answers=late)
            assert answer.status_code == 200, answer.text
            assert business_status(await task_of(clinic, referral)) == "awaiting-review"
        assert (await told(clinic)).count("referral.redirected-to-emergency") == 1
        assert len(await work_of(clinic, "coordinator", "code=review-referral&status=requested")) == 1

    async def test_with_another_flag_is_another_emergency(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers=EMERGENCY)
        await operate(clinic, "family-practice", referral, "acknowledge")
        late = answers(**{"progressive-deficit": "Y"})
        answer = await operate(clinic, "family-practice", referral, "provide-information", answers=late)
        assert answer.status_code == 200, answer.text
        assert business_status(await task_of(clinic, referral)) == "emergency-redirected"

    async def test_is_refused_before_an_emergency_is_acknowledged_and_nothing_is_written(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic, answers=EMERGENCY)
        before = await told(clinic)
        late = answers(**{"night-pain": "N"})
        answer = await operate(clinic, "family-practice", referral, "provide-information", answers=late)
        assert answer.status_code == 409
        assert "$acknowledge" in answer.json()["issue"][0]["details"]["text"]
        stored = await clinic.as_("family-practice").get("/referral/fhir/QuestionnaireResponse")
        assert stored.json()["total"] == 1
        assert await told(clinic) == before


class TestTheProcessTask:
    async def test_goes_from_on_hold_to_rejected_by_way_of_received(self, clinic: TestClinic) -> None:
        """FHIR knows no step from on-hold to rejected."""
        referral = await refer(clinic, answers={"night-pain": None})
        task = await task_of(clinic, referral)
        assert task["status"] == "on-hold"
        answer = await operate(clinic, "coordinator", referral, "decline", reason="no capacity")
        assert answer.status_code == 200, answer.text
        history = await clinic.as_("coordinator").get(f"/referral/fhir/Task/{task['id']}/_history")
        statuses = [entry["resource"]["status"] for entry in history.json()["entry"]]
        assert statuses[:3] == ["rejected", "received", "on-hold"]


class TestTheDueDate:
    async def test_counts_from_the_day_that_the_clock_on_the_sites_wall_shows(
        self, clinic: TestClinic
    ) -> None:
        """At 02:00 UTC it is still the evening before in Toronto."""
        day = clinic.clock.now().astimezone(UTC).date() + timedelta(days=2)
        await clinic.at(datetime(day.year, day.month, day.day, 2, tzinfo=UTC))
        task = await task_of(clinic, await refer(clinic))
        assert value(task, "due-on") == (day + timedelta(days=27)).isoformat()


class TestRevoking:
    async def test_it_needs_a_reason_and_ends_everything(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, payer="workplace-insurer")
        assert (await operate(clinic, "family-practice", referral, "revoke")).status_code == 422
        answer = await operate(clinic, "family-practice", referral, "revoke", reason="moved away")
        assert answer.json()["status"] == "revoked"
        task = await task_of(clinic, referral)
        assert task["status"] == "cancelled"
        assert "moved away" in task["statusReason"]["text"]
        assert (await told(clinic))[-2:] == ["referral.revoked", "authorization.cancelled"]
        assert await work_of(clinic, "coordinator", "status=requested,in-progress") == []

    async def test_revoking_twice_is_told_once(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        for _ in range(2):
            answer = await operate(clinic, "family-practice", referral, "revoke", reason="moved")
            assert answer.status_code == 200
        assert (await told(clinic)).count("referral.revoked") == 1

    async def test_crossing_an_acceptance_one_of_both_is_refused_or_the_revocation_stands(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic, answers={"night-pain": "Y"})
        revoked, accepted = await asyncio.gather(
            operate(clinic, "family-practice", referral, "revoke", reason="moved"),
            operate(clinic, "coordinator", referral, "accept", reason="looked at"),
        )
        assert revoked.status_code == 200, revoked.text
        assert accepted.status_code in (200, 409), accepted.text
        assert business_status(await task_of(clinic, referral)) == "revoked"
        assert (await told(clinic))[-1] == "referral.revoked"


class TestCoordinator:
    async def test_an_urgent_flag_is_reviewed_today_and_accepted_by_a_person(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic, answers={"cancer-history": "Y"})
        task = await task_of(clinic, referral)
        assert business_status(task) == "awaiting-review"
        review = (await work_of(clinic, "coordinator", "code=review-referral"))[0]
        assert review["statusReason"]["text"].startswith("A clinician looks at it today: ")
        for status in ("completed", "cancelled"):
            refused = await put_task(clinic, review, status=status)
            assert refused.status_code == 409, "a decision has its own command"
            assert "$accept, $decline or $request-information" in refused.text
        answer = await operate(clinic, "physiotherapist", referral, "accept", reason="imaging was normal")
        assert answer.status_code == 200, answer.text
        assert (await task_of(clinic, referral))["status"] == "accepted"
        assert await work_of(clinic, "coordinator", "status=requested") == []

    async def test_it_declines_with_the_reason_and_may_accept_after_all(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers={"cancer-history": "UNK"})
        assert (await operate(clinic, "coordinator", referral, "decline")).status_code == 422
        answer = await operate(clinic, "coordinator", referral, "decline", reason="oncology first")
        assert answer.status_code == 200, answer.text
        assert "oncology first" in (await task_of(clinic, referral))["statusReason"]["text"]
        answer = await operate(clinic, "coordinator", referral, "accept", reason="oncology agrees")
        assert answer.status_code == 200, answer.text
        assert (await task_of(clinic, referral))["status"] == "accepted"

    async def test_it_asks_for_information(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers={"cancer-history": "Y"})
        await operate(clinic, "coordinator", referral, "request-information", reason="which cancer?")
        task = await task_of(clinic, referral)
        assert task["status"] == "on-hold"
        assert "which cancer?" in task["statusReason"]["text"]

    async def test_it_merges_a_duplicate_whose_identifiers_stay_on_the_first(
        self, clinic: TestClinic
    ) -> None:
        first = await refer(clinic, health_card="5", identifier="one")
        other = await refer(clinic, health_card="5", identifier="two")
        into = {"reference": f"ServiceRequest/{first}"}
        answer = await operate(clinic, "coordinator", other, "merge", into=into)
        assert answer.status_code == 200, answer.text
        found = await clinic.as_("family-practice").get(
            f"/referral/fhir/ServiceRequest?identifier={referrals.SENDER}|two&status=active"
        )
        stays = found.json()["entry"][0]["resource"]
        assert stays["id"] == first
        assert {identifier["value"] for identifier in stays["identifier"]} == {"one", "two"}
        task = await task_of(clinic, other)
        assert task["status"] == "on-hold"
        assert task["output"][0]["valueReference"]["reference"] == f"ServiceRequest/{first}"
        assert await work_of(clinic, "coordinator", "status=requested") == []
        assert (await told(clinic))[-1] == "referral.merged"

    async def test_it_may_say_that_it_is_no_duplicate(self, clinic: TestClinic) -> None:
        await refer(clinic, health_card="6")
        other = await refer(clinic, health_card="6")
        answer = await operate(clinic, "coordinator", other, "accept", reason="another episode")
        assert answer.status_code == 200, answer.text
        assert (await task_of(clinic, other))["status"] == "accepted"

    async def test_two_different_patients_are_never_merged(self, clinic: TestClinic) -> None:
        await refer(clinic, health_card="7")
        suspected = await refer(clinic, health_card="7")
        stranger = await refer(clinic, health_card="8")
        for target, words in ((stranger, "different patients"), (suspected, "into itself")):
            into = {"reference": f"ServiceRequest/{target}"}
            answer = await operate(clinic, "coordinator", suspected, "merge", into=into)
            assert (answer.status_code, words in answer.text) == (409, True)

    async def test_closing_needs_a_reason_and_is_told(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        answer = await operate(clinic, "coordinator", referral, "close", reason="no answer for a month")
        assert answer.status_code == 200, answer.text
        assert (await told(clinic))[-1] == "referral.closed"

    async def test_a_stale_version_or_the_process_task_is_not_changed(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers=EMERGENCY)
        await clinic.at(clinic.clock.now() + timedelta(minutes=20))
        call = (await work_of(clinic, "coordinator", "code=telephone-referrer"))[0]
        assert (await put_task(clinic, call, version="9", status="completed")).status_code == 412
        own = await task_of(clinic, referral, as_="coordinator")
        assert (await put_task(clinic, own, status="completed")).status_code == 403

    async def test_a_person_is_not_accepted_into_no_programme(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, answers={"night-pain": "Y"}, kind=None)
        physician = "physiatrist"  # nobody leads a programme that is not known
        assert (await operate(clinic, physician, referral, "accept", reason="ok")).status_code == 409
        answer = await operate(clinic, physician, referral, "accept", reason="ok", programme="rapid-access")
        assert answer.status_code == 200, answer.text


class TestWhoseReferral:
    async def test_another_practice_finds_nothing_of_it(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        other = clinic.as_("second-practice")
        for path in (f"ServiceRequest/{referral}", f"ServiceRequest/{referral}/_history"):
            assert (await other.get(f"/referral/fhir/{path}")).status_code == 404
        for kind in ("ServiceRequest", "Task", "Patient", "Coverage", "QuestionnaireResponse"):
            assert (await other.get(f"/referral/fhir/{kind}")).json()["total"] == 0
        for operation in ("revoke", "acknowledge", "provide-information"):
            answer = await operate(clinic, "second-practice", referral, operation, reason="mine?")
            assert answer.status_code in (404, 422), operation

    async def test_each_command_is_one_partys(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        for operation in ("accept", "decline", "merge", "close", "request-information"):
            answer = await operate(clinic, "family-practice", referral, operation, reason="I say so")
            assert answer.status_code == 403, operation
        for operation in ("revoke", "acknowledge", "provide-information"):
            answer = await operate(clinic, "coordinator", referral, operation, reason="I say so")
            assert answer.status_code in (409, 422), operation
            other = await operate(clinic, "workplace-insurer", referral, operation, reason="I say so")
            assert other.status_code == 403, operation

    async def test_a_clinician_sees_no_referral_before_its_care_team(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        seen = await clinic.as_("physiotherapist").get(f"/referral/fhir/ServiceRequest/{referral}")
        assert seen.status_code == 404


def value(task: dict[str, Any], name: str) -> Any:
    for given in task["input"]:
        if given["type"]["coding"][0]["code"] == name:
            return next(found for member, found in given.items() if member.startswith("value"))
    return None
