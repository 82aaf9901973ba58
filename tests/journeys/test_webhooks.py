"""The path to its end: a referral's news arrives at an insurer's and a practice's own systems, over HTTPS."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest_asyncio

from shared.clinic import Webhook, load_clinic
from shared.outbound import make_missing_secrets
from tests.journeys.stage import play
from tests.support.clinic import BASE_URL, EXAMPLE, TestClinic
from tests.support.mailbox import open_mailbox
from tests.support.receiver import Got, Receiver, open_receiver, outbound_to_loopback, verified


@pytest_asyncio.fixture
async def insurer() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest_asyncio.fixture
async def practice() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest_asyncio.fixture
async def clinic(insurer: Receiver, practice: Receiver, tmp_path: Path) -> AsyncIterator[TestClinic]:
    """The example clinic with two receivers on this machine."""
    receivers = (
        Webhook(id="insurer", url=insurer.url, payer="workplace-insurer"),
        Webhook(id="practice", url=practice.url, organization="family-practice"),
    )
    described = load_clinic(EXAMPLE).model_copy(
        update={"webhooks": receivers, "webhook_hosts": (insurer.netloc, practice.netloc)}
    )
    make_missing_secrets(tmp_path, names=["insurer", "practice"])
    outbound = outbound_to_loopback(tmp_path)
    async with (
        open_mailbox() as mailbox,
        TestClinic(clinic=described, smtp_url=mailbox.url, outbound=outbound) as made,
    ):
        yield made


def header(got: Got) -> dict[str, Any]:
    """Read the MessageHeader of a webhook."""
    resource: dict[str, Any] = msgspec.json.decode(got.body)["entry"][0]["resource"]
    return resource


async def test_what_happens_arrives_in_order_signed_and_can_be_read_by_who_was_told(
    clinic: TestClinic, insurer: Receiver, practice: Receiver, tmp_path: Path
) -> None:
    insurer.answers = ["503 later", "503 later"]
    await play(clinic, 4, days=21, cut_short=True)

    published = [event.type for event in await clinic.events() if event.type.startswith("authorization.")]
    told = [header(got)["eventCoding"]["code"] for got in insurer.got]
    assert told == [published[0]] * 2 + published
    assert {"authorization.requested", "authorization.decided"} <= set(told)
    hers = [header(got)["eventCoding"]["code"] for got in practice.got]
    assert hers[:2] == ["referral.received", "referral.triaged"]
    assert {"referral.accepted", "appointment.booked", "authorization.decided"} <= set(hers)

    await can_read_what_it_was_told_of(clinic, insurer, party="workplace-insurer")
    await can_read_what_it_was_told_of(clinic, practice, party="family-practice")
    first = await clinic.as_("workplace-insurer").get(
        f"/notifications/fhir/Communication/{insurer.got[0].headers['webhook-id']}"
    )
    failed = "failed: status 503"
    assert [note["text"] for note in first.json()["note"]] == [
        f"attempt 1 {failed}",
        f"attempt 2 {failed}",
        "attempt 3 taken",
    ]
    messages = (await clinic.as_("coordinator").get("/notifications/fhir/Communication")).text
    for receiver, name in ((insurer, "insurer"), (practice, "practice")):
        secret = (tmp_path / f"{name}.secret").read_text().strip()
        assert all(verified(secret, got) for got in receiver.got)
        assert secret.removeprefix("whsec_") not in messages + str(receiver.got)


async def can_read_what_it_was_told_of(clinic: TestClinic, receiver: Receiver, *, party: str) -> None:
    """Expect that of each message at least one of the addresses in it answers this party."""
    for addresses in {tuple(one["reference"] for one in header(got)["focus"]) for got in receiver.got}:
        answers = [await clinic.as_(party).get(one.removeprefix(BASE_URL)) for one in addresses]
        assert 200 in [answer.status_code for answer in answers], f"{party} cannot read {addresses}"
