"""Bring the directory to what clinic.yaml says, and publish what has changed.

Invariants:
- A resource gets a new version where its bytes differ, and none where they do not: a start changes nothing.
- What clinic.yaml no longer names becomes inactive and stays.
"""

import msgspec

from services.scheduling import fhir, queries
from shared.context import Context
from shared.db import Transaction
from shared.directory import index
from shared.directory.rows import DirectoryResource, row_id
from shared.events.catalog.scheduling import DirectoryChanged
from shared.events.outbox.publishing import Publication, publish_all
from shared.fhir import store


async def run(ctx: Context, tx: Transaction) -> None:
    """Compare every resource with the one that is kept; for a start of the worker, where the file is new."""
    known = {(row.type, row.logical_id): row for row in await queries.directory.locked(tx)}
    wanted = {(one["resourceType"], one["id"]): one for one in fhir.directory.render(ctx.clinic)}
    for name, row in known.items():
        if name not in wanted:
            wanted[name] = fhir.directory.withdrawn(msgspec.json.decode(row.body))
    changed = []
    for name, resource in wanted.items():
        known_row = known.get(name)
        if known_row is None or _without_meta(known_row) != msgspec.json.encode(resource):
            changed.append(await _save(ctx, tx, known_row, resource))
    await publish_all(tx, [_changed(ctx, row) for row in changed])


def _without_meta(row: DirectoryResource) -> bytes:
    return store.overlaid(row.body, {"meta": None})


async def _save(
    ctx: Context, tx: Transaction, row: DirectoryResource | None, resource: dict[str, object]
) -> DirectoryResource:
    columns = index.read(resource)
    if row is not None:
        await store.update(tx, row, resource, at=ctx.at, **columns)
        return row
    kind, logical_id = str(resource["resourceType"]), str(resource["id"])
    row = DirectoryResource(id=row_id(kind, logical_id), type=kind, logical_id=logical_id, **columns)
    await store.insert(tx, row, resource, at=ctx.at)
    return row


def _changed(ctx: Context, row: DirectoryResource) -> Publication:
    event = DirectoryChanged(patient_id=None, referral_id=None, resources=(row.body,))
    return Publication(ctx=ctx, of=row, event=event)
