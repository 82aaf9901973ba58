"""What a referral asks for: intents by name, elements that turn its meaning, names and identifiers in use."""

from typing import Any

import msgspec
import pytest

from services.referral import fhir
from tests.integration.referral.doors import located, operate, send, task_of, told
from tests.support import referrals
from tests.support.clinic import TestClinic

ORDERS = ("order", "original-order", "reflex-order", "filler-order", "instance-order", "proposal", "plan")


class TestIntent:
    @pytest.mark.parametrize("intent", ORDERS)
    async def test_an_order_of_any_kind_a_proposal_and_a_plan_are_referrals(
        self, clinic: TestClinic, intent: str
    ) -> None:
        referral = located(await send(clinic, referrals.bundle(intent=intent)))
        assert (await task_of(clinic, referral))["status"] == "accepted"

    @pytest.mark.parametrize("intent", ["directive", "option"])
    async def test_a_directive_and_an_option_are_refused_by_name(
        self, clinic: TestClinic, intent: str
    ) -> None:
        answer = await send(clinic, referrals.bundle(intent=intent))
        assert answer.status_code == 422
        [issue] = answer.json()["issue"]
        assert issue["expression"] == ["Bundle.entry[1].resource.intent"]
        assert intent in issue["details"]["text"]
        assert await told(clinic) == []


@pytest.mark.parametrize("resource_type", ["ServiceRequest", "Patient", "QuestionnaireResponse", "Coverage"])
@pytest.mark.parametrize(
    "turning",
    [
        {"modifierExtension": [{"url": "https://elsewhere.example/x", "valueBoolean": True}]},
        {"implicitRules": "https://elsewhere.example/rules"},
    ],
    ids=["modifierExtension", "implicitRules"],
)
async def test_an_element_that_turns_the_meaning_is_refused_and_nothing_is_written(
    clinic: TestClinic, resource_type: str, turning: dict[str, Any]
) -> None:
    sent = referrals.bundle()
    referrals.resource(sent, resource_type).update(turning)
    answer = await send(clinic, sent)
    assert answer.status_code == 422, answer.text
    [where] = answer.json()["issue"][0]["expression"]
    assert where.endswith(next(iter(turning)))
    assert await told(clinic) == []


async def test_a_request_not_to_do_something_is_no_referral(clinic: TestClinic) -> None:
    sent = referrals.bundle()
    referrals.resource(sent, "ServiceRequest")["doNotPerform"] = True
    answer = await send(clinic, sent)
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.doNotPerform"]


async def test_what_is_added_later_may_not_turn_its_meaning_either(clinic: TestClinic) -> None:
    referral = located(await send(clinic, referrals.bundle()))
    late = referrals.a_response("unused")
    late.pop("subject")
    late["item"][0]["modifierExtension"] = [{"url": "https://elsewhere.example/x", "valueBoolean": True}]
    answer = await operate(clinic, "family-practice", referral, "provide-information", answers=late)
    assert answer.status_code == 422
    assert "referral.information-provided" not in await told(clinic)


async def test_an_identifier_and_a_name_of_former_times_identify_nobody(clinic: TestClinic) -> None:
    first = referrals.bundle(health_card="1234567897", family="Abernathy")
    await send(clinic, first)
    second = referrals.bundle(health_card="1234567897", family="Abernathy")
    patient = referrals.resource(second, "Patient")
    for identifier in patient["identifier"]:
        identifier["use"] = "old"
    patient["name"] = [{"use": "old", "family": "Abernathy"}, {"family": "Baker", "given": ["Ann"]}]
    located(await send(clinic, second))
    found = (await clinic.as_("coordinator").get("/referral/fhir/Patient?family=Baker")).json()
    everybody = (await clinic.as_("coordinator").get("/referral/fhir/Patient")).json()
    assert (found["total"], everybody["total"]) == (1, 2)


WISHES: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"occurrenceDateTime": "2026-03-20"}, "2026-03-20", "2026-03-20"),
    ({"occurrenceDateTime": "2026-04"}, "2026-04-01", "2026-04-30"),
    ({"occurrencePeriod": {"start": "2026-03-20T09:00:00-04:00"}}, "2026-03-20", None),
    ({"occurrencePeriod": {"end": "2026-03-05"}}, None, "2026-03-05"),
    ({"occurrenceTiming": {"repeat": {"boundsPeriod": {"start": "2026-03-20"}}}}, "2026-03-20", None),
    ({"occurrenceTiming": {"event": ["2026-03-25", "2026-03-20"]}}, "2026-03-20", "2026-03-25"),
    ({}, None, None),
]


@pytest.mark.parametrize(("occurrence", "first", "last"), WISHES, ids=str)
def test_a_wish_is_read_in_every_form(
    occurrence: dict[str, Any], first: str | None, last: str | None
) -> None:
    request = {**referrals.resource(referrals.bundle(), "ServiceRequest"), **occurrence}
    found = fhir.wish.not_before(request), fhir.wish.not_after(msgspec.json.encode(request))
    assert tuple(day and day.isoformat() for day in found) == (first, last)


def test_the_wish_of_a_request_that_is_only_enclosed_is_none() -> None:
    enclosed = {"resourceType": "ServiceRequest", "occurrenceDateTime": "2026-03-18"}
    request = {**referrals.resource(referrals.bundle(), "ServiceRequest"), "contained": [enclosed]}
    assert fhir.wish.not_after(msgspec.json.encode(request)) is None


async def test_nothing_is_booked_before_the_wish_of_the_sender() -> None:
    async with TestClinic() as clinic:
        sent = referrals.bundle()
        referrals.resource(sent, "ServiceRequest")["occurrencePeriod"] = {"start": "2026-03-18"}
        await send(clinic, sent)
        await clinic.settle()
        found = await clinic.as_("coordinator").get("/scheduling/fhir/Appointment?status=booked")
        assert found.json()["entry"][0]["resource"]["start"] >= "2026-03-18"


async def test_a_visit_after_the_wish_says_so() -> None:
    async with TestClinic() as clinic:
        sent = referrals.bundle(programme="chronic-pain")  # seen on Tuesdays alone; today is Monday
        referrals.resource(sent, "ServiceRequest")["occurrenceDateTime"] = "2026-03-02"
        referral = located(await send(clinic, sent))
        await clinic.settle()
        words = (await task_of(clinic, referral))["statusReason"]["text"]
        assert "The sender had wished it until 2026-03-02." in words
