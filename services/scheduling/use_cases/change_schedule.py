"""Change a clinician's Schedule: whether and between which days new visits are booked with them.

What is booked stays as it is, with the same clinician; hours, absences and who has left move visits.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.scheduling import fhir, queries
from services.scheduling.models.roster_changes import AffectedVisit
from services.scheduling.use_cases import change_roster, settle_visits
from shared.clinic import Person
from shared.clinic.roster import SiteRoster
from shared.context import Context
from shared.db import Transaction
from shared.directory.rows import DirectoryResource
from shared.errors import Invalid, NotFound


async def update(
    ctx: Context,
    tx: Transaction,
    wanted: str,
    sent: Mapping[str, Any],
    *,
    expect: Callable[[DirectoryResource], None],
) -> tuple[Person, DirectoryResource]:
    """Change a Schedule of the caller's site, and return whose it is with the PractitionerRole that keeps it.

    Raises NotFound, Invalid and CannotChangeRoster. Nothing happens where nothing differs.
    """
    ctx, row = await change_roster.locked(ctx, tx)
    person = _whose(ctx, wanted, site_id=row.site)
    role = await _role(tx, person)
    expect(role)
    roster = _edited(ctx, row.roster, sent, person=person)
    if roster == row.roster:
        return person, role
    changed = change_roster.checked(ctx, roster, expression="Schedule")
    await change_roster.run(ctx, tx, row, roster)
    return changed.clinic.person(person.id), await _role(tx, person)


async def preview(ctx: Context, tx: Transaction, sent: Mapping[str, Any]) -> list[AffectedVisit]:
    """Return the visits that a change would concern; writes nothing, and raises what `update` raises."""
    ctx, row = await change_roster.seen(ctx, tx)
    person = _whose(ctx, str(sent.get("id", "")), site_id=row.site)
    roster = _edited(ctx, row.roster, sent, person=person)
    changed = change_roster.checked(ctx, roster, expression="Schedule")
    return await settle_visits.preview(changed, tx, row.site)


def _edited(ctx: Context, roster: SiteRoster, sent: Mapping[str, Any], *, person: Person) -> SiteRoster:
    today = ctx.at.astimezone(ctx.clinic.site(roster.site).zone).date()
    return fhir.schedules.edited(ctx, roster, sent, person=person, today=today)


def _whose(ctx: Context, wanted: str, *, site_id: str) -> Person:
    if wanted == site_id:
        text = "a site is closed by a Slot that is busy-unavailable in its Schedule"
        raise Invalid(text, expression="Schedule.id")
    here = (person for person in ctx.clinic.people if person.site == site_id)
    person = next((one for one in here if one.id == wanted), None)
    if person is None:
        raise NotFound(f"there is no Schedule/{wanted[:64]} at your site")
    return person


async def _role(tx: Transaction, person: Person) -> DirectoryResource:
    role = await queries.directory.one(tx, "PractitionerRole", person.id)
    if role is None:
        raise LookupError(f"{person.id} is in the roster and not in the directory")
    return role
