"""Change the roster of a site, in one transaction with all that follows from it.

Invariants:
- The roster's row is locked first, so changes of a site come one after the other and none is lost.
- The roster, the directory, what the other services hear and what becomes of visits are written together or
  not at all. The clinic of a process is another one only after the commit.
- Whoever books at this moment may still have the clinic of before: the site's visits are looked at once more,
  a minute later.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from services.scheduling import fhir, queries, rules
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.use_cases import publish_directory, settle_visits
from shared import timers
from shared.clinic import Clinic, booked_visits, checks
from shared.clinic.flaws import Flaw
from shared.clinic.roster import SiteRoster, laid_over
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, NotFound
from shared.events.catalog.scheduling import RosterChanged
from shared.events.outbox.publishing import publish
from shared.roster import refresh, rows
from shared.roster.rows import RosterRow
from shared.timers import Timer

_LOOK_AGAIN_AFTER = timedelta(minutes=1)


async def locked(ctx: Context, tx: Transaction) -> tuple[Context, RosterRow]:
    """Lock the roster of the caller's site, and return it with the context that has it; raises NotFound."""
    return _with_row(ctx, await rows.locked(tx, str(ctx.caller.site)))


async def seen(ctx: Context, tx: Transaction) -> tuple[Context, RosterRow]:
    """Read the roster of the caller's site as `locked` does, without a lock; raises NotFound."""
    return _with_row(ctx, await rows.seen(tx, str(ctx.caller.site)))


def _with_row(ctx: Context, row: RosterRow | None) -> tuple[Context, RosterRow]:
    if row is None:
        raise NotFound(f"there is no roster of {ctx.caller.site} yet")
    return with_roster(ctx, row.roster), row


def with_roster(ctx: Context, roster: SiteRoster) -> Context:
    """Return the context in which a roster is laid over the clinic."""
    return replace(ctx, clinic=laid_over(ctx.clinic, [roster]))


async def run(ctx: Context, tx: Transaction, row: RosterRow, roster: SiteRoster) -> None:
    """Write a locked roster as it is to be, with all that follows."""
    changed = with_roster(ctx, roster)
    values = {"revision": row.revision + 1, "document": roster.document(), "changed_at": ctx.at}
    await tx.update(row, **values)
    await announce(changed, tx, row)
    await publish_directory.run(changed, tx)
    await settle_visits.run(changed, tx, row.site)
    await queries.occupancy.count_freed(tx, [row.site])
    look = Timer(kind=TimerKind.LOOK, ref=row.site, due_at=ctx.at + _LOOK_AGAIN_AFTER)
    offer = Timer(kind=TimerKind.OFFER, ref=row.site, due_at=ctx.at)
    await timers.schedule_all(tx, [look, offer])


def checked(ctx: Context, roster: SiteRoster, *, expression: str) -> Context:
    """Return the context that has a roster, refused for what is wrong with it and was not before.

    Raises CannotChangeRoster and Invalid.
    """
    changed = with_roster(ctx, roster)
    before = set(rules.roster.why_not(ctx.clinic, site_id=roster.site))
    site = changed.clinic.site(roster.site)
    for why in rules.roster.why_not(changed.clinic, site_id=roster.site):
        if why not in before:
            # The names are those of before: who would leave has one there.
            raise rules.roster.refusal(why, clinic=ctx.clinic, site=site, expression=expression)
    known = {flaw.text for flaw in _flaws(ctx.clinic)}
    for flaw in _flaws(changed.clinic):
        # Who left may still be named as the person of a client; that lets nobody in (shared/http/authorize).
        if flaw.text not in known and flaw.place[:1] != ("clients",):
            raise Invalid(flaw.text, expression=expression)
    return changed


def _flaws(clinic: Clinic) -> Iterator[Flaw]:
    """Go through what would be wrong with a clinic in clinic.yaml, as far as a roster says it."""
    yield from checks.findings(clinic)
    yield from booked_visits.findings(clinic)


async def announce(ctx: Context, tx: Transaction, row: RosterRow) -> None:
    """Publish a roster as it is in its row, and lay it over this process's clinic after the commit."""
    event = RosterChanged(patient_id=None, referral_id=None, resources=(fhir.rosters.render(ctx, row),))
    await publish(ctx, tx, row, event)
    refresh.after_commit(ctx, tx, row)
