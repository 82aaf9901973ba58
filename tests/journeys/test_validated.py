"""HL7's validator finds no error in anything that the clinic says: in the stories, and to senders."""

from typing import Any

import msgspec
import pytest

from deploy.demo.stories import STORIES
from tests.journeys.stage import play
from tests.support.clinic import TestClinic
from tests.support.senders import examples
from tests.support.validator import Ear, errors

pytestmark = [pytest.mark.timeout(1500), pytest.mark.xdist_group("client libraries")]

SERVICES = ("referral", "scheduling", "careteam", "notifications")


async def read_everything(clinic: TestClinic, *parties: str) -> None:
    """Read what each service says that it has, and what each party finds of each type there."""
    for party in parties:
        client = clinic.as_(party)
        for service in SERVICES:
            told = (await client.get(f"/{service}/fhir/metadata")).json()
            for kind in told["rest"][0]["resource"]:
                offered = {one["code"] for one in kind.get("interaction", [])}
                found: dict[str, Any] = {}
                if "search-type" in offered:
                    found = (await client.get(f"/{service}/fhir/{kind['type']}?_count=200")).json()
                for entry in found.get("entry", [])[:5]:
                    identity = entry["resource"].get("id")
                    if identity and "history-instance" in offered:
                        await client.get(f"/{service}/fhir/{kind['type']}/{identity}/_history")


async def test_nothing_that_is_said_in_the_stories_is_in_error(clinic: TestClinic) -> None:
    ear = Ear()
    ear.listen(clinic)
    await play(clinic, *STORIES)
    await read_everything(clinic, "coordinator", "family-practice", "physiatrist", "workplace-insurer")
    for event in await clinic.events():
        ear.add(msgspec.json.decode(event.value))
    heard = list(ear.heard.values())
    assert len(heard) > 1000
    assert errors(heard) == []


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
