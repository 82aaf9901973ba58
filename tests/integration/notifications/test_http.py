"""The public API of notifications: messages and the live feed, each caller in its own scope."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.auth.assertion import fetch_token
from shared.events.envelope import Event
from tests.support.clinic import TestClinic
from tests.support.identity import keys_of_run
from tests.support.mailbox import open_mailbox
from tests.support.news import (
    MEETING,
    PATIENT,
    authorization_event,
    meeting_event,
    referral_event,
    team_event,
)
from tests.support.sql import sql


@pytest.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    """Notifications alone, with a history, and a mail server that takes everything."""
    async with open_mailbox() as box, TestClinic(services=("notifications",), smtp_url=box.url) as running:
        for event in (
            referral_event("received"),
            referral_event("accepted"),
            authorization_event(),
            team_event(members=["physiatrist", "psychologist"]),
            meeting_event(people=["psychologist"]),
        ):
            await publish(running, event)
        await running.settle()
        yield running


async def publish(clinic: TestClinic, event: Event) -> None:
    await clinic.publish(event.type, focus=event.focus, carries=event.resources[1:], key=event.key)
    await clinic.settle()


async def read_feed(
    clinic: TestClinic, party: str, *, last: str | None = "-1", query: str = ""
) -> list[dict[str, Any]]:
    """Open the stream as this party, read it to its newest entry, and hang up."""
    token = await fetch_token("http://clinic.test", party, keys_of_run(), http=clinic.anonymous())
    headers = [(b"authorization", f"Bearer {token}".encode()), (b"host", b"clinic.test")]
    headers += [(b"last-event-id", last.encode())] if last is not None else []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/notifications/feed",
        "raw_path": b"/notifications/feed",
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("clinic.test", 80),
    }
    body, sent, hung_up = b"", asyncio.Event(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not sent.is_set():
            sent.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(part: Any) -> None:
        nonlocal body
        body += part.get("body", b"")
        if b": now\n\n" in body:
            hung_up.set()

    await asyncio.wait_for(clinic.app(scope, receive, send), timeout=10)
    lines = body.decode().split("\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


class TestTheFeedOverHttp:
    @pytest.mark.parametrize(
        ("party", "types"),
        [
            (
                "coordinator",
                [
                    "referral.received",
                    "referral.accepted",
                    "authorization.requested",
                    "careteam.formed",
                    "meeting.agenda-published",
                ],
            ),
            ("family-practice", ["referral.received", "referral.accepted", "authorization.requested"]),
            ("second-practice", []),
            ("workplace-insurer", ["authorization.requested"]),
            ("motor-insurer", []),
            ("physiatrist", ["careteam.formed"]),
            ("psychologist", ["careteam.formed", "meeting.agenda-published"]),
        ],
    )
    async def test_shows_each_party_its_own(self, clinic: TestClinic, party: str, types: list[str]) -> None:
        seen = await read_feed(clinic, party)
        assert [entry["type"] for entry in seen] == types

    async def test_shows_the_newest_without_an_id(self, clinic: TestClinic) -> None:
        assert len(await read_feed(clinic, "coordinator", last=None)) == 5

    async def test_says_ids_and_a_sentence_and_no_more(self, clinic: TestClinic) -> None:
        [first, *_] = await read_feed(clinic, "coordinator")
        assert set(first) == {"id", "type", "time", "patient", "referral", "focus", "meeting", "text"}

    @pytest.mark.parametrize(
        ("query", "types"),
        [
            ("types=careteam.formed", ["careteam.formed"]),
            (
                "types=careteam.formed,meeting.agenda-published",
                ["careteam.formed", "meeting.agenda-published"],
            ),
            (f"meeting={MEETING}", ["meeting.agenda-published"]),
            (f"meeting=Appointment/{MEETING}", ["meeting.agenda-published"]),
            (f"focus=Appointment/{MEETING}", ["meeting.agenda-published"]),
            (f"patient=Patient/{PATIENT}&types=referral.accepted", ["referral.accepted"]),
            (f"patient={PATIENT}&meeting={MEETING}", []),
            ("patient=somebody-else", []),
            ("types=plan.activated", []),
        ],
    )
    async def test_shows_what_is_asked_for(self, clinic: TestClinic, query: str, types: list[str]) -> None:
        assert [entry["type"] for entry in await read_feed(clinic, "coordinator", query=query)] == types

    async def test_shows_nobody_more_than_their_own(self, clinic: TestClinic) -> None:
        for query in (f"patient={PATIENT}", f"meeting={MEETING}", "types=referral.received"):
            assert await read_feed(clinic, "second-practice", query=query) == []
        assert await read_feed(clinic, "physiatrist", query=f"meeting={MEETING}") == []

    @pytest.mark.parametrize(
        ("query", "expression", "allowed"),
        [
            ("types=meeting.begun", "types", "meeting.opened"),
            ("types=", "types", "meeting.opened"),
            ("patient=a%20b", "patient", "Patient/id"),
            ("focus=Appointment", "focus", "Type/id"),
            ("focus=/x", "focus", "Type/id"),
            ("meeting=Task/1", "meeting", "Appointment/id"),
            ("site=toronto", "site", "types, patient, focus, meeting, after"),
            ("types=plan.activated&types=plan.revised", "types", "once"),
            ("after=1&after=2", "after", "once"),
        ],
    )
    async def test_refuses_another_filter_with_what_is_allowed(
        self, clinic: TestClinic, query: str, expression: str, allowed: str
    ) -> None:
        answer = await clinic.as_("coordinator").get(f"/notifications/feed?{query}")
        (issue,) = answer.json()["issue"]
        assert (answer.status_code, issue["expression"]) == (400, [expression])
        assert allowed in issue["details"]["text"]

    async def test_is_refused_to_an_operator(self, clinic: TestClinic) -> None:
        answer = await clinic.as_("operator").get("/notifications/feed")
        assert answer.status_code == 403

    async def test_is_refused_without_a_token(self, clinic: TestClinic) -> None:
        answer = await clinic.anonymous().get("/notifications/feed")
        assert answer.status_code == 401

    async def test_refuses_an_id_that_is_no_number(self, clinic: TestClinic) -> None:
        answer = await clinic.as_("coordinator").get("/notifications/feed?after=soon")
        assert answer.status_code == 422
        assert answer.json()["resourceType"] == "OperationOutcome"

    async def test_leaves_an_audit_event(self, clinic: TestClinic) -> None:
        await read_feed(clinic, "family-practice")
        async with clinic.databases["notifications"].transaction() as tx:
            found = (await sql(tx, "SELECT client, outcome FROM audit_event ORDER BY id")).all()
        assert ("family-practice", "0") in [(row.client, row.outcome) for row in found]


class TestCommunications:
    @pytest.mark.parametrize(
        ("party", "recipients"),
        [
            (
                "coordinator",
                {
                    "Organization/family-practice",
                    "Organization/workplace-insurer",
                    "Practitioner/physiatrist",
                    "Practitioner/psychologist",
                },
            ),
            ("family-practice", {"Organization/family-practice"}),
            ("second-practice", set()),
            ("workplace-insurer", {"Organization/workplace-insurer"}),
            ("motor-insurer", set()),
            ("physiatrist", {"Practitioner/physiatrist"}),
        ],
    )
    async def test_are_found_by_whom_they_were_sent_to_and_by_the_site(
        self, clinic: TestClinic, party: str, recipients: set[str]
    ) -> None:
        bundle = (await clinic.as_(party).get("/notifications/fhir/Communication")).json()
        found = [entry["resource"] for entry in bundle.get("entry", [])]
        assert {message["recipient"][0]["reference"] for message in found} == recipients
        assert bundle["total"] == len(found)
        assert {message["status"] for message in found} <= {"completed"}

    async def test_of_somebody_else_are_not_there(self, clinic: TestClinic) -> None:
        bundle = (await clinic.as_("family-practice").get("/notifications/fhir/Communication")).json()
        address = f"/notifications/fhir/Communication/{bundle['entry'][0]['resource']['id']}"
        assert (await clinic.as_("family-practice").get(address)).status_code == 200
        assert (await clinic.as_("second-practice").get(address)).status_code == 404

    async def test_are_hidden_from_an_insurer_whose_consent_was_withdrawn(self, clinic: TestClinic) -> None:
        async with clinic.databases["notifications"].transaction() as tx:
            await sql(tx, "UPDATE known_authorization SET consented = false")
        bundle = (await clinic.as_("workplace-insurer").get("/notifications/fhir/Communication")).json()
        assert bundle["total"] == 0

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("recipient=Practitioner/physiatrist", 1),
            ("status=completed", 5),
            ("status=stopped", 0),
            ("based-on=ServiceRequest/00000000-0000-7000-8000-0000000000aa", 4),
        ],
    )
    async def test_are_searched(self, clinic: TestClinic, query: str, count: int) -> None:
        bundle = (await clinic.as_("coordinator").get(f"/notifications/fhir/Communication?{query}")).json()
        assert bundle["total"] == count
