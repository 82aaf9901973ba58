"""HL7's validator finds no error in what senders are answered; of the stories see test_all_stories."""

import pytest

from tests.support.clinic import TestClinic
from tests.support.senders import examples
from tests.support.validator import Ear, errors

pytestmark = [pytest.mark.timeout(1500), pytest.mark.xdist_group("client libraries")]


async def test_no_answer_to_a_sender_is_in_error() -> None:
    ear = Ear()
    for example in [*examples.made(), *examples.stored()]:
        async with TestClinic(services=("referral",)) as clinic:
            sender = clinic.as_("family-practice")
            for earlier in example.after:
                await sender.post("/referral/fhir", json=earlier)
            ear.listen(clinic)
            door = "" if example.sent["resourceType"] == "Bundle" else f"/{example.sent['resourceType']}"
            await sender.post(f"/referral/fhir{door}", json=example.sent)
    heard = list(ear.heard.values())
    assert [one for one in heard if one.get("type") == "message"]
    assert errors(heard) == []


def test_what_is_wrong_is_found() -> None:
    wrong = {"resourceType": "Task", "status": "finished", "intent": "order", "note": []}
    assert len(errors([wrong, {"resourceType": "Basic", "code": {"text": "well"}}])) >= 2
