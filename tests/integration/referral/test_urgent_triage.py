"""What the rules call urgent waits for a clinician; time that runs out asks more people."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.referral.models.questions import URGENT_FLAGS
from tests.integration.referral.doors import business_status, located, operate, send, task_of, told, work_of
from tests.integration.referral.test_entered_by_the_clinic import inputs
from tests.support import referrals
from tests.support.actions import offered
from tests.support.clinic import TestClinic

LEAD = "physiotherapist"  # of the rapid-access programme
PHYSICIANS = ("physiatrist", "pain-physician")


async def urgent(clinic: TestClinic, **bundle: Any) -> str:
    sent = referrals.bundle(**({"answers": {"infection-signs": "Y"}} | bundle))
    return located(await send(clinic, sent))


async def read(clinic: TestClinic, party: str, referral: str) -> int:
    answer = await clinic.as_(party).get(f"/referral/fhir/ServiceRequest/{referral}")
    return answer.status_code


async def stands(clinic: TestClinic, referral: str) -> str:
    return business_status(await task_of(clinic, referral))


class TestWaits:
    @pytest.mark.parametrize("flag", URGENT_FLAGS)
    async def test_for_a_clinician_who_reads_it_before_there_is_a_team(
        self, clinic: TestClinic, flag: str
    ) -> None:
        referral = await urgent(clinic, answers={flag: "Y"})
        assert await stands(clinic, referral) == "awaiting-review"
        assert await read(clinic, LEAD, referral) == 200
        mine = await clinic.as_(LEAD).get("/referral/fhir/QuestionnaireResponse")
        assert mine.json()["total"] == 1
        [work] = await work_of(clinic, LEAD, "code=review-referral&status=requested")
        asked = [one["reference"] for one in work["restriction"]["recipient"]]
        assert f"Practitioner/{LEAD}" in asked
        for stranger in ("physiatrist", "psychologist", "pain-physician"):
            assert await read(clinic, stranger, referral) == 404

    async def test_for_the_lead_of_its_programme(self, clinic: TestClinic) -> None:
        referral = await urgent(clinic, programme="chronic-pain")
        assert [await read(clinic, party, referral) for party in ("pain-physician", LEAD)] == [200, 404]

    async def test_with_a_priority_of_asap_and_everybody_concerned_told(self) -> None:
        async with TestClinic() as clinic:
            referral = await urgent(clinic)
            assert (await task_of(clinic, referral))["priority"] == "asap"
            await clinic.settle()
            sent = await clinic.as_("coordinator").get("/notifications/fhir/Communication?_count=200")
            to = {
                entry["resource"]["recipient"][0]["reference"]
                for entry in sent.json()["entry"]
                if entry["resource"]["topic"]["coding"][0]["code"] == "referral.review-needed"
            }
        assert {f"Practitioner/{LEAD}", "Device/coordinator"} <= to

    async def test_not_for_a_clinician_where_only_something_is_unknown(self, clinic: TestClinic) -> None:
        referral = await urgent(clinic, answers={"night-pain": "UNK"})
        assert await stands(clinic, referral) == "awaiting-review"
        assert await read(clinic, LEAD, referral) == 404
        answer = await operate(clinic, "coordinator", referral, "accept", reason="seen")
        assert answer.status_code == 200, answer.text


class TestADecision:
    @pytest.mark.parametrize("verb", ["accept", "decline", "close", "merge"])
    async def test_of_the_coordinator_is_refused_and_names_who_may(
        self, clinic: TestClinic, verb: str
    ) -> None:
        referral = await urgent(clinic)
        heard = await told(clinic)
        more = {"into": {"reference": f"ServiceRequest/{await urgent(clinic)}"}} if verb == "merge" else {}
        heard = await told(clinic) if more else heard
        answer = await operate(clinic, "coordinator", referral, verb, reason="there is a time", **more)
        assert answer.status_code == 409
        [issue] = answer.json()["issue"]
        assert issue["details"]["coding"][0]["code"] == "clinician-decides"
        assert "Maja Lindqvist" in issue["details"]["text"]
        assert await told(clinic) == heard
        actions = await offered(clinic, "coordinator", f"/referral/fhir/ServiceRequest/{referral}")
        assert not actions[verb].available
        assert actions["request-information"].available

    async def test_of_the_clinician_accepts_and_what_was_overruled_stays(self, clinic: TestClinic) -> None:
        referral = await urgent(clinic)
        actions = await offered(clinic, LEAD, f"/referral/fhir/ServiceRequest/{referral}")
        assert {name for name, action in actions.items() if action.available} == {
            "accept",
            "decline",
            "request-information",
            "send-communication",
            "set-priority",
        }
        answer = await operate(clinic, LEAD, referral, "accept", reason="fever was a cold")
        assert answer.status_code == 200, answer.text
        task = await task_of(clinic, referral)
        assert business_status(task) == "accepted"
        rules = [
            entry["valueCoding"]["code"]
            for entry in task["input"]
            if entry["type"]["coding"][0]["code"] == "triage-rule"
        ]
        assert rules[0] == "accepted-by-a-person"
        assert "urgent-infection-signs" in rules
        assert task["priority"] == "asap"
        assert await work_of(clinic, "coordinator", "code=review-referral&status=requested") == []
        assert await read(clinic, LEAD, referral) == 404

    async def test_needs_a_reason(self, clinic: TestClinic) -> None:
        referral = await urgent(clinic)
        answer = await operate(clinic, LEAD, referral, "accept")
        assert answer.status_code == 422
        assert await stands(clinic, referral) == "awaiting-review"

    async def test_of_the_clinician_may_be_to_decline_or_to_ask(self, clinic: TestClinic) -> None:
        declined, asked = await urgent(clinic), await urgent(clinic)
        answer = await operate(clinic, LEAD, declined, "decline", reason="to the hospital first")
        assert answer.status_code == 200, answer.text
        answer = await operate(clinic, LEAD, asked, "request-information", reason="which temperature?")
        assert answer.status_code == 200, answer.text
        assert await stands(clinic, declined) == "declined"
        assert await stands(clinic, asked) == "information-requested"
        late = referrals.a_response("x", dict.fromkeys(referrals.ANSWERS) | {"weight-loss": "N"})
        late.pop("subject")
        answer = await operate(clinic, "family-practice", asked, "provide-information", answers=late)
        assert answer.status_code == 200, answer.text
        assert await stands(clinic, asked) == "awaiting-review"
        assert await read(clinic, LEAD, asked) == 200

    async def test_of_two_at_once_is_one_or_the_later_overrules_what_was_declined(
        self, clinic: TestClinic
    ) -> None:
        referral = await urgent(clinic)
        accepts = operate(clinic, LEAD, referral, "accept", reason="seen")
        declines = operate(clinic, LEAD, referral, "decline", reason="seen")
        answers = await asyncio.gather(accepts, declines)
        decided = [
            event for event in await told(clinic) if event in ("referral.accepted", "referral.declined")
        ]
        if [answer.status_code for answer in answers] == [200, 200]:
            assert decided == ["referral.declined", "referral.accepted"]
            assert await stands(clinic, referral) == "accepted"
        else:
            assert sorted(answer.status_code for answer in answers) in ([200, 404], [200, 409])
            assert len(decided) == 1

    async def test_of_a_clinician_about_anything_else_is_the_coordinators(self, clinic: TestClinic) -> None:
        referral = located(await send(clinic, referrals.bundle(answers={"night-pain": "UNK"})))
        assert (await operate(clinic, LEAD, referral, "accept", reason="x")).status_code == 404


class TestTimeThatRunsOut:
    async def test_asks_every_physician_and_the_coordinator_to_telephone_again_and_again(
        self, clinic: TestClinic
    ) -> None:
        referral = await urgent(clinic)
        start = clinic.clock.now()
        await clinic.at(start + timedelta(hours=3, minutes=59))
        assert "referral.triage-overdue" not in await told(clinic)
        await clinic.at(start + timedelta(hours=5, minutes=30))
        assert (await told(clinic)).count("referral.triage-overdue") == 2
        [call] = await work_of(clinic, "coordinator", "code=telephone-clinician&status=requested")
        assert "Adaeze Okafor" in call["statusReason"]["text"]
        for physician in PHYSICIANS:
            assert await read(clinic, physician, referral) == 200
        answer = await operate(clinic, "pain-physician", referral, "accept", reason="seen")
        assert answer.status_code == 200, answer.text
        assert await work_of(clinic, "coordinator", "status=requested") == []
        await clinic.days(1)
        assert (await told(clinic)).count("referral.triage-overdue") == 2

    async def test_is_not_told_once_it_is_decided(self, clinic: TestClinic) -> None:
        referral = await urgent(clinic)
        await operate(clinic, LEAD, referral, "decline", reason="to the hospital")
        await clinic.days(1)
        assert "referral.triage-overdue" not in await told(clinic)


class TestPriority:
    @pytest.mark.parametrize(
        ("asked", "flags", "given"),
        [
            (None, {}, "routine"),
            ("routine", {}, "routine"),
            ("urgent", {}, "urgent"),
            ("urgent", {"infection-signs": "Y"}, "asap"),
            ("stat", {"infection-signs": "Y"}, "stat"),
        ],
    )
    async def test_is_the_higher_of_what_is_asked_and_what_is_found(
        self, clinic: TestClinic, asked: str | None, flags: dict[str, str], given: str
    ) -> None:
        sent = referrals.bundle(answers=flags)
        if asked is not None:
            referrals.resource(sent, "ServiceRequest")["priority"] = asked
        referral = located(await send(clinic, sent))
        assert (await task_of(clinic, referral))["priority"] == given
        stored = (await clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{referral}")).json()
        assert stored.get("priority") == asked

    async def test_is_carried_by_acceptance_and_a_later_change_is_told_with_its_reason(
        self, clinic: TestClinic
    ) -> None:
        sent = referrals.bundle()
        referrals.resource(sent, "ServiceRequest")["priority"] = "urgent"
        referral = located(await send(clinic, sent))
        await clinic.settle()
        [accepted] = await clinic.events("referral.accepted")
        assert '"priority":"urgent"' in accepted.value.decode().replace('": "', '":"')
        for reason in ({}, {"reason": "worse since Monday"}):
            answer = await operate(clinic, "coordinator", referral, "set-priority", priority="asap", **reason)
            assert answer.status_code == (200 if reason else 422), answer.text
        task = await task_of(clinic, referral)
        assert task["priority"] == "asap"
        assert "worse since Monday" in task["statusReason"]["text"]
        assert (await told(clinic)).count("referral.priority-changed") == 1
        again = await operate(
            clinic, "coordinator", referral, "set-priority", priority="asap", reason="once more"
        )
        assert again.status_code == 200
        assert (await told(clinic)).count("referral.priority-changed") == 1
        wrong = await operate(clinic, "coordinator", referral, "set-priority", priority="soon", reason="x")
        assert wrong.status_code == 422

    async def test_gives_the_day_by_which_the_patient_is_seen(self, clinic: TestClinic) -> None:
        for priority, due_on in (
            ("routine", "2026-03-30"),
            ("urgent", "2026-03-12"),
            ("asap", "2026-03-07"),
            ("stat", "2026-03-02"),
        ):
            sent = referrals.bundle(identifier=priority)
            referrals.resource(sent, "ServiceRequest")["priority"] = priority
            referral = located(await send(clinic, sent))
            task = await task_of(clinic, referral)
            assert (task["priority"], inputs(task, "due-on")) == (priority, [due_on])

    async def test_that_changes_moves_the_day_and_scheduling_follows(self, clinic: TestClinic) -> None:
        referral = located(await send(clinic, referrals.bundle()))
        await clinic.settle()
        await clinic.days(2)
        for priority, due_on in (("asap", "2026-03-09"), ("routine", "2026-03-30")):
            changed = {"priority": priority, "reason": "examined"}
            answer = await operate(clinic, "coordinator", referral, "set-priority", **changed)
            assert answer.status_code == 200, answer.text
            await clinic.settle()
            assert inputs(await task_of(clinic, referral), "due-on") == [due_on]
            event = (await clinic.events("referral.priority-changed"))[-1]
            assert due_on in event.value.decode()

    async def test_of_what_waits_for_a_clinician_is_not_the_coordinators_to_change(
        self, clinic: TestClinic
    ) -> None:
        referral = await urgent(clinic)
        lowered = {"priority": "routine", "reason": "x"}
        answer = await operate(clinic, "coordinator", referral, "set-priority", **lowered)
        assert answer.status_code == 409
        assert (await task_of(clinic, referral))["priority"] == "asap"
        answer = await operate(clinic, LEAD, referral, "set-priority", **lowered)
        assert answer.status_code == 200, answer.text

    async def test_of_a_correction_is_told_where_the_clinic_has_said_yes(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="p-1")
        referral = located(await send(clinic, sent))
        referrals.resource(sent, "ServiceRequest")["priority"] = "asap"
        await send(clinic, sent)
        assert (await task_of(clinic, referral))["priority"] == "asap"
        assert (await told(clinic)).count("referral.priority-changed") == 1


class TestAnEmergency:
    """Nobody but a clinician lets a referral go on that was one."""

    async def test_that_was_acknowledged_is_let_go_on_by_a_clinician_alone(self, clinic: TestClinic) -> None:
        referral = await urgent(clinic, answers={"saddle-anaesthesia": "Y"}, identifier="one")
        await operate(clinic, "family-practice", referral, "acknowledge", reason="on the way")
        refused = await operate(clinic, "coordinator", referral, "accept", reason="there is a time")
        assert refused.status_code == 409
        assert refused.json()["issue"][0]["details"]["coding"][0]["code"] == "clinician-decides"
        assert await stands(clinic, referral) == "emergency-acknowledged"
        answer = await operate(clinic, LEAD, referral, "accept", reason="examined there, nothing found")
        assert answer.status_code == 200, answer.text
        assert await stands(clinic, referral) == "accepted"

    async def test_that_is_answered_afterwards_is_read_by_a_clinician(self, clinic: TestClinic) -> None:
        referral = await urgent(clinic, answers={"saddle-anaesthesia": "Y"})
        await operate(clinic, "family-practice", referral, "acknowledge", reason="on the way")
        response = referrals.a_response("urn:uuid:none", {"saddle-anaesthesia": "N"})
        response.pop("subject")
        answer = await operate(clinic, "family-practice", referral, "provide-information", answers=response)
        assert answer.status_code == 200, answer.text
        assert await stands(clinic, referral) == "awaiting-review"
        [work] = await work_of(clinic, LEAD, "code=review-referral&status=requested")
        assert work["focus"]["reference"].endswith(referral)
        refused = await operate(clinic, "coordinator", referral, "accept", reason="there is a time")
        assert refused.status_code == 409

    async def test_that_comes_while_the_care_goes_on_is_a_task_of_the_clinic_too(
        self, clinic: TestClinic
    ) -> None:
        sent = referrals.bundle(identifier="one")
        referral = located(await send(clinic, sent))
        assert await stands(clinic, referral) == "accepted"
        again = referrals.bundle(identifier="one", answers={"saddle-anaesthesia": "Y"})
        referrals.resource(again, "Patient").update(
            identifier=referrals.resource(sent, "Patient")["identifier"]
        )
        assert (await send(clinic, again)).status_code == 200
        [asked] = await work_of(clinic, "family-practice", "code=acknowledge-emergency")
        assert asked["priority"] == "stat"
        await operate(clinic, "family-practice", referral, "acknowledge", reason="on the way")
        [work] = await work_of(clinic, "coordinator", "code=review-referral&status=requested")
        assert "while the care goes on" in work["statusReason"]["text"]
