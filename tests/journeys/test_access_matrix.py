"""Every party at every route with every kind of row: nothing but what the table of decisions allows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio

from services.notifications.api.feed_stream import LiveFeed
from shared.auth.assertion import client_assertion, token_request, token_url
from shared.auth.keys import load_client_key
from shared.auth.verifier import principal_of
from tests.support.access.audited import audit_problems
from tests.support.access.cells import Asked, Cell, ask_all, routes
from tests.support.access.decisions import PARTIES, Decisions
from tests.support.access.matrix import Matrix
from tests.support.access.stored import everything
from tests.support.access.world import World, populate, remove_member, withdraw_consent
from tests.support.clinic import BASE_URL, TestClinic
from tests.support.identity import keys_of_run

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("access matrix")]
# Whose referrals each party hears of in the feed.
HEARD = {
    "family-practice": {"public", "workplace"},
    "second-practice": {"motor", "twice"},
    "workplace-insurer": {"workplace"},
    "motor-insurer": {"motor"},
    "coordinator": {"public", "workplace", "motor", "twice"},
    "physiatrist": {"public", "workplace", "motor"},
    "physiotherapist": {"public", "motor"},
    "physiotherapist-2": {"workplace"},
    "occupational-therapist": {"workplace"},
    "psychologist": {"motor"},
    "pain-physician": set[str](),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with TestClinic() as clinic:
        made = World(clinic=clinic)
        await populate(made)
        yield made


async def test_every_cell_is_decided_as_the_table_says_and_audited_once(world: World) -> None:
    asked = Asked()
    matrix = Matrix(world, Decisions(stored=await everything(world)))
    await ask_all(world, matrix.cells(*PARTIES), asked)
    assert "\n".join(sorted(asked.wrong)[:40]) == ""
    assert asked.cells > 2500, asked.cells
    assert "\n".join((await audit_problems(world, asked))[:40]) == ""


async def test_what_is_sent_about_anothers_row_is_refused_as_about_nobodys(world: World) -> None:
    asked = Asked()
    await ask_all(world, await _about_others(world), asked)
    assert asked.wrong == []
    assert asked.cells > 15
    assert await audit_problems(world, asked) == []


async def test_the_feed_and_the_inquiry_are_each_partys_own(world: World) -> None:
    for party, names in HEARD.items():
        assert await _heard(world, party) == names, party
    assert (await world.clinic.as_("operator").get("/notifications/feed")).status_code == 403
    assert await _inquired(world, "workplace-insurer", "workplace") == 1
    assert await _inquired(world, "motor-insurer", "motor") == 1
    assert await _inquired(world, "motor-insurer", "workplace") == 0
    assert await _inquired(world, "workplace-insurer", "motor") == 0


async def test_a_token_that_is_none_opens_no_route(world: World) -> None:
    own = client_assertion("coordinator", load_client_key(keys_of_run(), "coordinator"), token_url(BASE_URL))
    good = await _token(world, "coordinator")
    client = world.clinic.anonymous()
    for route in routes(world):
        for wrong in ("", "Bearer ", "Basic Y29vcmRpbmF0b3I6", f"Bearer {own}", f"Bearer {good[:-6]}AAAAAA"):
            path = route.at(id=uuid4(), version=1)
            headers = {"authorization": wrong} if wrong else {}
            answer = await client.request(route.method, path, headers=headers)
            assert answer.status_code == 401, f"{route.name} with {wrong[:9]}"
            if route.method != "GET":
                break


async def test_a_scope_opens_its_own_type_and_nothing_by_the_side(world: World) -> None:
    narrow = {"authorization": f"Bearer {await _token(world, 'coordinator', scope='user/Task.s')}"}
    client = world.clinic.anonymous()
    for route in routes(world):
        if (route.guard.resource_type, route.guard.interaction) != ("Task", "s"):
            answer = await client.request(route.method, route.at(id=uuid4(), version=1), headers=narrow)
            assert answer.status_code == 403, route.name
    for include in ("Task:focus", "Task:patient"):
        answer = await client.get(f"/referral/fhir/Task?_include={include}", headers=narrow)
        assert {entry["resource"]["resourceType"] for entry in answer.json()["entry"]} == {"Task"}


async def test_again_after_a_consent_and_a_member_have_gone(world: World) -> None:
    await withdraw_consent(world, "workplace")
    await remove_member(world, "workplace", "occupational-therapist")
    left = {("occupational-therapist", "workplace")}
    right = Decisions(stored=await everything(world), without_consent={"workplace"}, left=left)
    asked = Asked()
    await ask_all(world, Matrix(world, right).cells("workplace-insurer", "occupational-therapist"), asked)
    assert "\n".join(sorted(asked.wrong)[:40]) == ""
    assert asked.cells > 200
    assert await _inquired(world, "workplace-insurer", "workplace") == 0
    assert await _heard(world, "workplace-insurer") == set()
    assert await _heard(world, "occupational-therapist") == set()


async def _about_others(world: World) -> list[Cell]:
    claims = {name: await _claim(world, f"{name}-insurer") for name in ("workplace", "motor")}
    patients = world.patients
    cells = []
    for party, target in (("workplace-insurer", "motor"), ("motor-insurer", "workplace")):
        answer = {"resourceType": "ClaimResponse", **_answered(claims[target])}
        cells.append(_twice(party, "/referral/fhir/ClaimResponse", answer, claims[target]["id"], (422,)))
    for party, target in (("second-practice", "workplace"), ("family-practice", "motor")):
        request = {"resourceType": "ServiceRequest", "status": "active", "intent": "order"}
        request |= {"code": {"text": "Back"}, "subject": {"reference": f"Patient/{patients[target]}"}}
        for path in ("/referral/fhir/ServiceRequest", "/referral/fhir/ServiceRequest/$validate"):
            statuses = (200,) if path.endswith("$validate") else (422,)
            cells.append(_twice(party, path, request, patients[target], statuses))
    for party, target in (("psychologist", "workplace"), ("pain-physician", "public")):
        for body in _care(patients[target]):
            cells.append(
                _twice(party, f"/careteam/fhir/{body['resourceType']}", body, patients[target], (404,))
            )
    return [one for cell in cells for one in (cell, cell.twin) if one is not None]


def _care(patient: str) -> list[dict[str, Any]]:
    done = {"status": "completed", "subject": {"reference": f"Patient/{patient}"}}
    case = {"resourceType": "Task", "status": "requested", "intent": "plan", "for": done["subject"]}
    return [
        {"resourceType": "Observation", **done, "status": "final", "code": {"text": "Pain"}},
        {"resourceType": "QuestionnaireResponse", **done},
        {"resourceType": "Communication", **done, "payload": [{"contentString": "Hello"}]},
        case,
    ]


def _answered(claim: dict[str, Any]) -> dict[str, Any]:
    kept = {name: claim[name] for name in ("type", "use", "patient", "insurer")}
    about = {"status": "active", "created": "2026-03-02", "outcome": "complete"}
    return {**kept, **about, "request": {"reference": f"Claim/{claim['id']}"}}


def _twice(party: str, path: str, body: Any, key: str, statuses: tuple[int, ...]) -> Cell:
    """Send a body about a row, and the same about nobody's."""
    nobody = msgspec.json.decode(msgspec.json.encode(body).replace(key.encode(), str(uuid4()).encode()))
    twin = Cell(party=party, method="POST", path=path, statuses=statuses, body=nobody)
    return Cell(party=party, method="POST", path=path, statuses=statuses, body=body, twin=twin, secret=key)


async def _claim(world: World, insurer: str) -> dict[str, Any]:
    (claim,) = await world.find(insurer, "/referral/fhir/Claim")
    return claim


async def _inquired(world: World, insurer: str, name: str) -> int:
    coverage = next(key for key, of in world.sent.items() if of == name and key.startswith("Coverage/"))
    member = (await world.call("coordinator", "GET", f"/referral/fhir/{coverage}"))["identifier"][0]
    body = {"resourceType": "Parameters", "parameter": [{"name": "member-id", "valueIdentifier": member}]}
    answer = await world.call(insurer, "POST", "/referral/fhir/Claim/$inquire", body=body)
    return len(answer.get("parameter", []))


async def _heard(world: World, party: str) -> set[str]:
    """Name the referrals that the feed tells a party of, up to its newest entry."""
    runtime = world.clinic.app.state.apps["notifications"].state.runtime
    reader = principal_of(world.clinic.clinic, client=party, scope="user/Communication.rs")
    names = {referral: name for name, referral in world.referrals.items()}
    found = set()
    async for frame in LiveFeed(runtime, reader=reader, ending=asyncio.Event()).frames(-1):
        if frame == b": now\n\n":
            break
        data = [line[6:] for line in frame.decode().split("\n") if line.startswith("data: ")]
        found |= {msgspec.json.decode(one)["referral"] for one in data}
    return {names[one] for one in found if one is not None}


async def _token(world: World, party: str, *, scope: str | None = None) -> str:
    key = load_client_key(keys_of_run(), party)
    form = token_request(client_assertion(party, key, token_url(BASE_URL)), scope=scope)
    answer = await world.clinic.anonymous().post("/auth/token", data=form)
    return str(answer.json()["access_token"])
