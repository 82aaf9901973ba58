"""HL7's validator over what the clinic says, and the ear that hears it."""

import subprocess
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.clients import packages
from tests.support.clinic import TestClinic
from tests.support.folders import open_folder

_HERE = Path(packages.__file__).parent / "validator"
_PROGRAM = _HERE / "Validate.java"
# In a run this short, what the second compiler and the threads of the collector save is less than they cost.
_SHORT_LIVED = ("-Xmx2g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
# HAPI reads its registry of OIDs, 1.5 MB, anew for each resource, and looks up in it only what begins so:
# where nothing does, an empty one stands before it.
_OID, _NO_OIDS = b"urn:oid:", _HERE / "no_oids"
# Of a Bundle that only lists, each resource is looked at by itself, and so many within it.
_LISTS, _WITHIN = ("searchset", "history"), 3
Resource = dict[str, Any]


class Ear:
    """Keeps every resource in the answers to the parties of a clinic, once."""

    def __init__(self) -> None:
        self.heard: dict[bytes, Resource] = {}

    def listen(self, clinic: TestClinic) -> None:
        """Hear from now on what each registered party is answered."""
        for party in clinic.clinic.clients:
            clinic.as_(party.id).event_hooks["response"] = [self._hear]

    async def _hear(self, response: httpx.Response) -> None:
        if "fhir+json" in response.headers.get("content-type", ""):
            body = await response.aread()
            if body:
                self.add(msgspec.json.decode(body))

    def add(self, resource: Resource) -> None:
        """Keep a resource, and apart from it those that it lists."""
        if resource.get("type") in _LISTS:
            for entry in resource.get("entry", []):
                self.add(entry["resource"]) if "resource" in entry else None
            resource = resource | {"entry": resource.get("entry", [])[:_WITHIN]}
            if not resource["entry"]:
                del resource["entry"]
        self.heard[msgspec.json.encode(resource, order="sorted")] = resource


def errors(resources: list[Resource]) -> list[str]:
    """Validate; give each error once by type, place and words, with one of the resources that has it."""
    jars = packages.validator()
    with open_folder() as folder:
        file = folder / "resources.ndjson"
        lines = b"\n".join(msgspec.json.encode(resource) for resource in resources)
        file.write_bytes(lines)
        classes = f"{jars}/*" if _OID in lines else f"{_NO_OIDS}:{jars}/*"
        command = ["java", *_SHORT_LIVED, "-cp", classes, str(_PROGRAM), str(file)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert f"seen\t{len(resources)}" in ran.stdout, ran.stdout[-2000:] + ran.stderr[-2000:]
    found: dict[tuple[str, str, str], str] = {}
    for line in ran.stdout.splitlines():
        kind, _, rest = line.partition("\t")
        if kind == "error":
            number, place, words = rest.split("\t", 2)
            of = resources[int(number) - 1]
            key = (of["resourceType"], place, words)
            found.setdefault(
                key, f"{of['resourceType']} {place}: {words} [{msgspec.json.encode(of)[:300]!r}]"
            )
    return list(found.values())
