"""A sender revokes by writing the resource: PUT and each kind of PATCH do what `$revoke` does, no more."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.referral.fhir.revocation import REASON
from tests.integration.referral.doors import located, operate, send, task_of, told
from tests.support import referrals
from tests.support.clinic import TestClinic

WHY = "The patient has moved to another city."
BASE = "/referral/fhir/ServiceRequest"
PATCHES: list[tuple[str, Any]] = [
    (
        "application/json-patch+json",
        [
            {"op": "replace", "path": "/status", "value": "revoked"},
            {"op": "add", "path": "/note", "value": [{"text": WHY}]},
        ],
    ),
    ("application/merge-patch+json", {"status": "revoked", "note": [{"text": WHY}]}),
    ("application/json", {"status": "revoked", "note": [{"text": WHY}]}),
    (
        "application/fhir+json",
        {
            "resourceType": "Parameters",
            "parameter": [
                {
                    "name": "operation",
                    "part": [
                        {"name": "type", "valueCode": "replace"},
                        {"name": "path", "valueString": "ServiceRequest.status"},
                        {"name": "value", "valueCode": "revoked"},
                    ],
                },
                {
                    "name": "operation",
                    "part": [
                        {"name": "type", "valueCode": "add"},
                        {"name": "path", "valueString": "ServiceRequest"},
                        {"name": "name", "valueString": "note"},
                        {"name": "value", "valueAnnotation": {"text": WHY}},
                    ],
                },
            ],
        },
    ),
]
REASONS: list[dict[str, Any]] = [
    {"note": [{"text": WHY}]},
    {"extension": [{"url": REASON, "valueCodeableConcept": {"text": WHY}}]},
    {"extension": [{"url": REASON, "valueCodeableConcept": {"coding": [{"code": "x", "display": WHY}]}}]},
]


async def sent(clinic: TestClinic, **members: Any) -> dict[str, Any]:
    """Send a referral and read it."""
    bundle = referrals.bundle()
    referrals.resource(bundle, "ServiceRequest").update(members)
    key = located(await send(clinic, bundle))
    await clinic.settle()
    found: dict[str, Any] = (await clinic.as_("family-practice").get(f"{BASE}/{key}")).json()
    return found


async def put(
    clinic: TestClinic, resource: dict[str, Any], *, by: str = "family-practice", **headers: str
) -> httpx.Response:
    return await clinic.as_(by).put(f"{BASE}/{resource['id']}", json=resource, headers=headers)


async def unchanged(clinic: TestClinic, stood: dict[str, Any]) -> bool:
    now = (await clinic.as_("family-practice").get(f"{BASE}/{stood['id']}")).json()
    return bool(now == stood) and "referral.revoked" not in await told(clinic)


def expressions(answer: httpx.Response) -> list[str]:
    return [issue["expression"][0] for issue in answer.json()["issue"]]


class TestPut:
    @pytest.mark.parametrize("reason", REASONS)
    async def test_revokes_with_the_reason_wherever_it_stands(
        self, clinic: TestClinic, reason: dict[str, Any]
    ) -> None:
        stood = await sent(clinic)
        answer = await put(clinic, stood | {"status": "revoked"} | reason)
        assert (answer.status_code, answer.json()["status"]) == (200, "revoked")
        task = await task_of(clinic, stood["id"])
        assert (task["status"], WHY in task["statusReason"]["text"]) == ("cancelled", True)
        assert (await told(clinic)).count("referral.revoked") == 1

    async def test_takes_a_further_reason_code_and_not_the_one_why_it_was_sent(
        self, clinic: TestClinic
    ) -> None:
        stood = await sent(clinic)
        refused = await put(clinic, stood | {"status": "revoked"})
        assert (refused.status_code, expressions(refused)) == (422, ["ServiceRequest.note"])
        assert REASON in refused.text
        assert await unchanged(clinic, stood)
        codes = [*stood["reasonCode"], {"text": WHY}]
        answer = await put(clinic, stood | {"status": "revoked", "reasonCode": codes})
        assert answer.status_code == 200
        assert WHY in (await task_of(clinic, stood["id"]))["statusReason"]["text"]

    async def test_of_what_is_revoked_or_stands_as_it_is_changes_nothing(self, clinic: TestClinic) -> None:
        stood = await sent(clinic)
        same = await put(clinic, stood)
        assert (same.status_code, same.headers["etag"]) == (200, f'W/"{stood["meta"]["versionId"]}"')
        await operate(clinic, "family-practice", stood["id"], "revoke", reason=WHY)
        for resource in (stood, (await clinic.as_("family-practice").get(f"{BASE}/{stood['id']}")).json()):
            again = await put(clinic, resource | {"status": "revoked", "note": [{"text": "Again."}]})
            assert (again.status_code, again.json()["status"]) == (200, "revoked")
        assert (await told(clinic)).count("referral.revoked") == 1

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"status": "completed"}, ["ServiceRequest.status"]),
            ({"priority": "stat"}, ["ServiceRequest.priority"]),
            (
                {"status": "revoked", "code": {"text": "Knee"}, "priority": "stat"},
                ["ServiceRequest.code", "ServiceRequest.priority"],
            ),
            (
                {"status": "revoked", "subject": {"reference": f"Patient/{uuid4()}"}},
                ["ServiceRequest.subject"],
            ),
            ({"status": "revoked", "note": [{"text": "x"}], "intent": "plan"}, ["ServiceRequest.intent"]),
        ],
    )
    async def test_of_anything_else_is_refused_and_writes_nothing(
        self, clinic: TestClinic, changes: dict[str, Any], where: list[str]
    ) -> None:
        stood = await sent(clinic)
        answer = await put(clinic, stood | changes)
        assert (answer.status_code, expressions(answer)) == (422, where)
        assert await unchanged(clinic, stood)

    async def test_about_the_same_patient_of_another_server_is_refused(self, clinic: TestClinic) -> None:
        stood = await sent(clinic)
        elsewhere = {"reference": f"https://other.example/fhir/{stood['subject']['reference']}"}
        answer = await put(clinic, stood | {"status": "revoked", "subject": elsewhere})
        assert (answer.status_code, expressions(answer)) == (422, ["ServiceRequest.subject"])

    async def test_holds_the_row_scope_the_party_the_id_and_the_version(self, clinic: TestClinic) -> None:
        stood = await sent(clinic)
        revoked = stood | {"status": "revoked", "note": [{"text": WHY}]}
        assert (await put(clinic, revoked, by="second-practice")).status_code == 404
        assert (await put(clinic, revoked, by="coordinator")).status_code == 403
        assert (await put(clinic, revoked | {"id": str(uuid4())})).status_code == 404
        at = f"{BASE}/{uuid4()}"
        assert (await clinic.as_("family-practice").put(at, json=revoked)).status_code == 422
        assert (await put(clinic, revoked, **{"If-Match": 'W/"99"'})).status_code == 412
        assert await unchanged(clinic, stood)
        match = f'W/"{stood["meta"]["versionId"]}"'
        assert (await put(clinic, revoked, **{"If-Match": match})).status_code == 200


class TestPatch:
    @pytest.mark.parametrize(("kind", "patch"), PATCHES)
    async def test_of_each_kind_revokes(self, clinic: TestClinic, kind: str, patch: Any) -> None:
        stood = await sent(clinic)
        answer = await clinic.as_("family-practice").request(
            "PATCH", f"{BASE}/{stood['id']}", json=patch, headers={"Content-Type": kind}
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "revoked"), answer.text
        assert WHY in (await task_of(clinic, stood["id"]))["statusReason"]["text"]
        assert "referral.revoked" in await told(clinic)

    @pytest.mark.parametrize(
        ("kind", "patch", "status"),
        [
            ("application/json-patch+json", [{"op": "replace", "path": "/status", "value": "revoked"}], 422),
            ("application/json-patch+json", [{"op": "remove", "path": "/status"}], 422),
            ("application/json-patch+json", [{"op": "replace", "path": "/status", "value": "gone"}], 422),
            ("application/json-patch+json", [{"op": "test", "path": "/status", "value": "draft"}], 422),
            ("application/json-patch+json", [{"op": "replace", "path": "", "value": {}}], 400),
            ("application/merge-patch+json", {"status": "revoked", "note": [{"text": ""}]}, 422),
            ("application/merge-patch+json", {"resourceType": "Patient"}, 422),
            ("application/merge-patch+json", {"status": "revoked", "doNotPerform": True}, 422),
            ("text/plain", {"status": "revoked"}, 415),
        ],
    )
    async def test_that_is_no_revocation_is_refused_and_writes_nothing(
        self, clinic: TestClinic, kind: str, patch: Any, status: int
    ) -> None:
        stood = await sent(clinic)
        answer = await clinic.as_("family-practice").request(
            "PATCH", f"{BASE}/{stood['id']}", json=patch, headers={"Content-Type": kind}
        )
        assert answer.status_code == status, answer.text
        assert await unchanged(clinic, stood)

    async def test_ten_at_once_revoke_once(self, clinic: TestClinic) -> None:
        stood = await sent(clinic)
        kind, patch = PATCHES[1]
        answers = await asyncio.gather(
            *(
                clinic.as_("family-practice").request(
                    "PATCH", f"{BASE}/{stood['id']}", json=patch, headers={"Content-Type": kind}
                )
                for _ in range(10)
            )
        )
        assert {answer.status_code for answer in answers} == {200}
        assert (await told(clinic)).count("referral.revoked") == 1

    async def test_of_one_key_gives_the_same_answer(self, clinic: TestClinic) -> None:
        stood = await sent(clinic)
        kind, patch = PATCHES[0]
        headers = {"Content-Type": kind, "Idempotency-Key": str(uuid4())}
        first, again = [
            await clinic.as_("family-practice").request(
                "PATCH", f"{BASE}/{stood['id']}", json=patch, headers=headers
            )
            for _ in range(2)
        ]
        assert first.content == again.content
        assert again.headers["idempotent-replayed"] == "true"


class TestConditions:
    @pytest.mark.parametrize(
        "written",
        [
            "identifier={}",
            "?identifier={}",
            "ServiceRequest?identifier={}",
            "https://x.ca/fhir/ServiceRequest?identifier={}",
        ],
    )
    async def test_of_a_creation_are_read_as_clients_write_them(
        self, clinic: TestClinic, written: str
    ) -> None:
        stood = await sent(clinic)
        token = f"{stood['identifier'][0]['system']}|{stood['identifier'][0]['value']}"
        new = {name: value for name, value in stood.items() if name not in ("id", "meta")}
        new["identifier"] = [{"system": referrals.SENDER, "value": "another"}]
        answer = await clinic.as_("family-practice").post(
            BASE, json=new, headers={"If-None-Exist": written.format(token)}
        )
        assert (answer.status_code, answer.json()["id"]) == (200, stood["id"])
        by_query = await clinic.as_("family-practice").post(BASE, params={"identifier": token}, json=new)
        assert (by_query.status_code, by_query.json()["id"]) == (200, stood["id"])

    @pytest.mark.parametrize("written", ["Patient?identifier=a|b", "status=active", "identifier=b", "x"])
    async def test_that_are_not_understood_create_nothing(self, clinic: TestClinic, written: str) -> None:
        stood = await sent(clinic)
        new = {name: value for name, value in stood.items() if name not in ("id", "meta")}
        answer = await clinic.as_("family-practice").post(BASE, json=new, headers={"If-None-Exist": written})
        assert answer.status_code == 400, answer.text
