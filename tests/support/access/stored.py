"""What the clinic stores, read past every row scope, and to which referral each resource belongs."""

from dataclasses import dataclass
from typing import Any

import msgspec

from shared.directory.rows import row_id
from tests.support.access.world import World
from tests.support.history import versions_of
from tests.support.sql import sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One resource; `referral` is the World's name of the referral that it belongs to.

    What `is_of_the_clinic` stands in its directory, which is about nobody.
    """

    service: str
    type: str
    id: str
    version: int
    body: dict[str, Any]
    referral: str | None
    patient: str | None
    is_of_the_clinic: bool = False

    def names(self, text: str) -> bool:
        """Tell whether the resource mentions a text anywhere."""
        return text in str(self.body)


async def everything(world: World) -> list[Stored]:
    """Read the newest version of every resource of every service."""
    found = []
    for service, database in world.clinic.databases.items():
        newest = (
            f"SELECT DISTINCT ON (type, id) type, id, version, body FROM ({await versions_of(database)}) AS v"
        )
        async with database.transaction() as tx:
            rows = (await sql(tx, f"{newest} ORDER BY type, id, version DESC")).all()
        found += [_stored(world, service, *row) for row in rows]
    # What a further sender says of a patient is read under the patient's id.
    return [one for one in found if one.body["id"] == one.id]


def _stored(world: World, service: str, kind: str, key: str, version: int, body: bytes) -> Stored:
    data = msgspec.json.decode(body, type=dict[str, Any])
    if key == str(row_id(kind, data["id"])):
        return Stored(
            service=service,
            type=kind,
            id=data["id"],
            version=version,
            body=data,
            referral=None,
            patient=None,
            is_of_the_clinic=True,
        )
    referral = _referral(world, kind, key, data) if kind != "Patient" else None
    patients = [one for one in world.patients.values() if one in str(data)]
    if service == "referral" and referral is not None:
        patients = [world.patients[referral]]
    shared = service == "careteam" and kind in ("Composition", "Appointment")
    return Stored(
        service=service,
        type=kind,
        id=key,
        version=version,
        body=data,
        referral=None if shared else referral,
        patient=patients[0] if patients and not shared else None,
    )


def _referral(world: World, kind: str, key: str, data: dict[str, Any]) -> str | None:
    if f"{kind}/{key}" in world.sent:
        return world.sent[f"{kind}/{key}"]
    for text in (str(data.get("focus")), str(data.get("basedOn")), str(data)):
        for name, referral in world.referrals.items():
            if referral in text:
                return name
    return next((name for name, patient in world.patients.items() if patient in str(data)), None)
