"""A tour of a running clinic with fhirpy, as a program that integrates with it would be written.

python fhirpy_tour.py BASE TOKEN FOLDER: BASE is the FHIR address of `referral`, FOLDER has what to send. It
prints one line for each step, and ends with status 1 where one of them failed.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import aiohttp
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import BaseFHIRError

TYPE = "ServiceRequest"


class Tour:
    """The steps, in order; each fails by an error."""

    def __init__(self, base: str, token: str, folder: Path) -> None:
        self._base = base
        self._token = token
        self._folder = folder
        self._id = ""
        self._referral: Any = None

    def client(self, **headers: str) -> Any:
        """Give a client that sends these headers too."""
        return AsyncFHIRClient(
            self._base,
            authorization=f"Bearer {self._token}",
            extra_headers={name.replace("_", "-"): text for name, text in headers.items()},
        )

    def read(self, name: str) -> Any:
        """Read a Bundle to send."""
        return json.loads((self._folder / name).read_text())

    def bare(self, identifier: str) -> Any:
        """Give a ServiceRequest that can be sent alone."""
        (found,) = (
            e["resource"] for e in self.read("bare.json")["entry"] if e["resource"]["resourceType"] == TYPE
        )
        found["identifier"][0]["value"] = identifier
        return self.resource(found)

    def resource(self, data: Any, **headers: str) -> Any:
        """Make a resource of fhirpy's."""
        return self.client(**headers).resource(data["resourceType"], **data)

    def searched(self, **headers: str) -> Any:
        """Begin a search for the referral of this tour."""
        return self.client(**headers).resources(TYPE).search(_id=self._id)

    async def capabilities(self) -> None:
        found = await self.client().execute("metadata", method="get")
        assert found["fhirVersion"] == "4.3.0"

    async def transaction(self) -> None:
        answer = await self.client().execute("", data=self.read("first.json"))
        places = [entry["response"]["location"] for entry in answer["entry"]]
        self._id = next(place for place in places if TYPE in place).split("/")[-3]
        self._referral = await self.client().reference(TYPE, self._id).to_resource()

    async def bundle_by_create(self) -> None:
        answer = await self.resource(self.read("second.json")).create()
        assert answer["type"] == "transaction-response"

    async def refresh(self) -> None:
        await self._referral.refresh()
        assert self._referral.id == self._id

    async def references(self) -> None:
        patient = await self._referral["subject"].to_resource()
        assert patient.resource_type == "Patient"
        absolute = f"{self._base}/Patient/{patient.id}"
        found = self.client().resources(TYPE)
        assert await found.search(subject=absolute).count() == 1
        assert await found.search(subject=f"https://other.example/fhir/Patient/{patient.id}").count() == 0

    async def include(self) -> None:
        found = await self.searched().include(TYPE, "subject", "Patient").fetch_raw()
        assert [e["resource"]["resourceType"] for e in found["entry"]] == [TYPE, "Patient"]
        assert len((await self.searched().include("*").fetch_raw())["entry"]) == 2

    async def revinclude(self) -> None:
        asked = self.searched().revinclude("Task", "focus").revinclude("Provenance", "target")
        found = await asked.revinclude("Communication", "based-on").fetch_raw()
        kinds = {entry["resource"]["resourceType"] for entry in found["entry"]}
        assert kinds >= {TYPE, "Task", "Provenance"}

    async def appointments_elsewhere(self) -> None:
        appointments = self.searched().revinclude("Appointment", "based-on").fetch()
        assert "/scheduling/fhir/Appointment?based-on=" in await refusal(appointments)

    async def summary(self) -> None:
        found = await self.searched().search(_summary="true").first()
        assert [tag["code"] for tag in found["meta"]["tag"]] == ["SUBSETTED"]
        assert await self.searched().search(_summary="count").count() == 1

    async def elements(self) -> None:
        found = await self.searched().elements("authoredOn", "identifier").first()
        kept = {"authoredOn", "id", "identifier", "intent", "meta", "resourceType", "status", "subject"}
        assert set(found.serialize()) == kept

    async def total(self) -> None:
        found = self.client().resources(TYPE)
        assert "total" not in await found.search(_total="none").fetch_raw()
        assert (await found.search(_total="accurate").fetch_raw())["total"] >= 2
        assert await found.count() >= 2

    async def pages(self) -> None:
        found = await self.client().resources(TYPE).sort("-authored").limit(1).fetch_all()
        assert len({one.id for one in found}) == len(found) >= 2

    async def strings(self) -> None:
        found = self.client().resources("Patient")
        for family in ("STRAUSS-E\u0301MOND", "strauß-émond", "Strauss-Emond"):
            assert await found.search(family=family).count() == 1, family
        assert await found.search(family__exact="strauß-émond").count() == 0
        assert await found.search(family__contains="émond").count() == 1

    async def tokens(self) -> None:
        found = self.searched()
        assert await found.search(status="http://hl7.org/fhir/request-status|active").count() == 1
        assert await found.search(status="http://hl7.org/fhir/task-status|active").count() == 0
        assert await found.search(status__not=["revoked"]).count() == 1
        assert await found.search(authored__missing=False).count() == 1

    async def handling(self) -> None:
        found = await self.searched(Prefer="handling=lenient").search(performer="any").fetch_raw()
        assert [entry["search"]["mode"] for entry in found["entry"]] == ["match", "outcome"]
        strict = self.searched(Prefer="handling=strict").search(performer="any").fetch()
        assert "performer" in await refusal(strict)

    async def history(self) -> None:
        found = await self.client().execute(f"{TYPE}/{self._id}/_history", method="get", params={"_count": 1})
        assert len(found["entry"]) == 1

    async def conditional_create(self) -> None:
        identifier = self._referral["identifier"][0]
        token = f"{identifier['system']}|{identifier['value']}"
        wanted = self.client().resources(TYPE).search(identifier=token)
        there, created = await wanted.get_or_create(self._referral)
        assert (there.id, created) == (self._id, False)
        data = {name: value for name, value in self._referral.serialize().items() if name != "id"}
        again = self.resource(data, If_None_Exist=f"identifier={token}")
        assert (await again.create()).id == self._id

    async def prefer(self) -> None:
        for wanted, kind in (
            ("minimal", None),
            ("OperationOutcome", "OperationOutcome"),
            ("representation", TYPE),
        ):
            client = self.client(Prefer=f"return={wanted}")
            sent = self.bare(f"PY-{wanted}").serialize()
            answer = await client.execute(TYPE, data=sent)
            assert (answer and answer["resourceType"]) == kind

    async def gzip(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/fhir+json"}
        async with aiohttp.ClientSession(headers=headers) as session:
            sent = json.dumps(self.bare("PY-gzip").serialize()).encode()
            async with session.post(f"{self._base}/{TYPE}", data=sent, compress="gzip") as answer:
                assert answer.status == 201
            async with session.get(f"{self._base}/Patient") as answer:
                assert answer.headers["content-encoding"] == "gzip"

    async def xml(self) -> None:
        read = self.client(Accept="application/fhir+xml").reference(TYPE, self._id).to_resource()
        assert "json" in await refusal(read)

    async def patch(self) -> None:
        sent = await self.bare("PY-patch").create()
        assert "note" in await refusal(self.client().patch(TYPE, sent.id, status="revoked"))
        reason = [{"text": "The patient has moved away."}]
        answer = await self.client().patch(TYPE, sent.id, status="revoked", note=reason)
        assert answer["status"] == "revoked"

    async def put(self) -> None:
        sent = await self.bare("PY-put").create()
        sent["status"] = "revoked"
        sent["note"] = [*sent.get("note", []), {"text": "The patient has moved away."}]
        assert (await sent.update())["status"] == "revoked"

    async def not_there(self) -> None:
        assert "not-found" in await refusal(self.client().reference(TYPE, "none").to_resource())


async def refusal(call: Awaitable[Any]) -> str:
    """Give what a call is refused with."""
    try:
        await call
    except BaseFHIRError as refused:
        return str(refused)
    raise AssertionError("this is not refused")


async def run(tour: Tour) -> int:
    """Take every step; tell how many failed."""
    failed = 0
    names = [name for name, step in vars(Tour).items() if asyncio.iscoroutinefunction(step)]
    for name in names:
        try:
            await getattr(tour, name)()
            print(f"ok {name.replace('_', '-')}")  # noqa: T201
        except Exception as error:
            failed += 1
            print(f"failed {name.replace('_', '-')}: {error!r}"[:500])  # noqa: T201
    return failed


if __name__ == "__main__":
    base, token, folder = sys.argv[1:]
    sys.exit(min(1, asyncio.run(run(Tour(base, token, Path(folder))))))
