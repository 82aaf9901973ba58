"""Change people, hours, rooms and what visits need at a site, as resources of the directory."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from services.scheduling import fhir, queries
from services.scheduling.models.roster_changes import AffectedVisit
from services.scheduling.use_cases import change_roster, settle_visits
from shared.clinic.roster import SiteRoster
from shared.context import Context
from shared.db import Transaction
from shared.directory.rows import DirectoryResource
from shared.errors import NotFound

_LONGEST_ID = 60
_AT_MOST = 2_000


async def update(
    ctx: Context,
    tx: Transaction,
    wanted: str,
    sent: Mapping[str, Any],
    *,
    expect: Callable[[DirectoryResource], None],
) -> DirectoryResource:
    """Change a resource of the caller's site; raises NotFound. Nothing happens where nothing differs."""
    kind = str(sent["resourceType"])
    ctx, row = await change_roster.locked(ctx, tx)
    stored = await _of_site(ctx, tx, kind, wanted, site_id=row.site)
    expect(stored)
    roster = _edited(ctx, row.roster, sent, stored=stored)
    if roster == row.roster:
        return stored
    change_roster.checked(ctx, roster, expression=kind)
    await change_roster.run(ctx, tx, row, roster)
    return await _now(tx, kind, wanted)


async def create(ctx: Context, tx: Transaction, sent: Mapping[str, Any]) -> DirectoryResource:
    """Add a person, without hours yet, or a room; its id is made of its name."""
    kind = str(sent["resourceType"])
    ctx, row = await change_roster.locked(ctx, tx)
    id, roster = await _added(ctx, tx, row.roster, sent)
    change_roster.checked(ctx, roster, expression=kind)
    await change_roster.run(ctx, tx, row, roster)
    return await _now(tx, kind, id)


async def preview(ctx: Context, tx: Transaction, sent: Mapping[str, Any]) -> list[AffectedVisit]:
    """Return the visits that a change would concern, and what would become of each; writes nothing."""
    kind = str(sent["resourceType"])
    ctx, row = await change_roster.seen(ctx, tx)
    if "id" in sent:
        stored = await _of_site(ctx, tx, kind, str(sent["id"]), site_id=row.site)
        roster = _edited(ctx, row.roster, sent, stored=stored)
    else:
        _, roster = await _added(ctx, tx, row.roster, sent)
    changed = change_roster.checked(ctx, roster, expression=kind)
    return await settle_visits.preview(changed, tx, row.site)


def _edited(
    ctx: Context, roster: SiteRoster, sent: Mapping[str, Any], *, stored: DirectoryResource
) -> SiteRoster:
    before = msgspec.json.decode(stored.body)
    fhir.roster_edits.check_same(sent, before, ctx=ctx)
    kind = fhir.roster_edits.kind_of(before)
    return fhir.roster_edits.edited(roster, sent, kind=kind, id=str(stored.logical_id), clinic=ctx.clinic)


async def _added(
    ctx: Context, tx: Transaction, roster: SiteRoster, sent: Mapping[str, Any]
) -> tuple[str, SiteRoster]:
    if sent["resourceType"] == "Location":
        fhir.roster_edits.check_place(ctx, sent, roster=roster)
        named = str(sent.get("name", ""))
    else:
        names = sent.get("name") or [{}]
        named = " ".join((*names[0].get("given", ())[:1], names[0].get("family", "")))
    taken = {row.logical_id for row in await queries.directory.everything(tx)}
    id = new_id(named, taken=taken)
    kind = str(sent["resourceType"])
    return id, fhir.roster_edits.edited(roster, sent, kind=kind, id=id, clinic=ctx.clinic)


def new_id(name: str, *, taken: Collection[str]) -> str:
    """Make an id out of a name, with a number where somebody has it already."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_ID].strip("-") or "new"
    if base not in taken:
        return base
    found = (f"{base[: _LONGEST_ID - 5]}-{number}" for number in range(2, _AT_MOST))
    return next(id for id in found if id not in taken)


async def _of_site(
    ctx: Context, tx: Transaction, kind: str, wanted: str, *, site_id: str
) -> DirectoryResource:
    """Read a resource that is the site's to change; raises NotFound."""
    stored = await queries.directory.one(tx, kind, wanted)
    if stored is None or not await _is_of_site(ctx, tx, stored, site_id=site_id):
        raise NotFound(f"there is no {kind}/{wanted[:64]} at your site")
    return stored


async def _is_of_site(ctx: Context, tx: Transaction, stored: DirectoryResource, *, site_id: str) -> bool:
    if stored.type == "Location":
        return site_id in (stored.part_of, stored.logical_id)
    if stored.type == "HealthcareService":
        return site_id in stored.locations
    role = await queries.directory.one(tx, "PractitionerRole", stored.logical_id)
    return role is not None and site_id in role.locations


async def _now(tx: Transaction, kind: str, id: str) -> DirectoryResource:
    row = await queries.directory.one(tx, kind, id)
    if row is None:
        raise LookupError(f"{kind}/{id} was changed and is not there")
    return row
