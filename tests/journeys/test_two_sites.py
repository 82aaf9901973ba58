"""A clinic of two sites: a referral concerns the site of its programme, from the first event on."""

import msgspec

from services.referral.models import URGENT_FLAGS
from shared.clinic import load_clinic
from shared.events.topics import FEED
from shared.events.transport import event_log
from tests.integration.referral.doors import send
from tests.support import referrals
from tests.support.clinic import EXAMPLE, TestClinic


async def test_the_coordinator_of_the_second_site_hears_of_its_referral() -> None:
    described = load_clinic(EXAMPLE)
    first = described.sites[0].model_copy(update={"id": "ottawa", "name": "Harbour Spine Ottawa"})
    of_toronto = next(one for one in described.clients if one.party == "coordinator")
    of_ottawa = of_toronto.model_copy(update={"id": "ottawa-desk", "site": "ottawa"})
    changes = {"sites": (first, *described.sites), "clients": (*described.clients, of_ottawa)}
    services = ("referral", "notifications")
    async with TestClinic(services=services, clinic=described.model_copy(update=changes)) as clinic:
        answer = await send(clinic, referrals.bundle(answers={next(iter(URGENT_FLAGS)): "Y"}))
        assert answer.status_code == 200, answer.text
        await clinic.settle(timeout=120)
        entries = await event_log.read(clinic.databases["notifications"], FEED, offset=0, limit=100)
        told = [msgspec.json.decode(entry.value) for entry in entries]
        assert [entry["type"] for entry in told][:2] == ["referral.received", "referral.triaged"]
        assert {entry["site"] for entry in told} == {"toronto"}
        assert "Device/coordinator" in await _messages(clinic, "coordinator")
        assert await _messages(clinic, "ottawa-desk") == []


async def _messages(clinic: TestClinic, client: str) -> list[str]:
    answer = await clinic.as_(client).get("/notifications/fhir/Communication")
    assert answer.status_code == 200, answer.text
    return [entry["resource"]["recipient"][0]["reference"] for entry in answer.json().get("entry", [])]
