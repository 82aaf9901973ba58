"""Show the visits of a site that are to be planned anew, each with times that are free for it."""

from collections.abc import Sequence
from typing import Any

from services.scheduling import fhir, queries
from services.scheduling.models.replanning import VisitToReplan
from services.scheduling.use_cases import find_new_times
from shared.clinic import Site
from shared.context import Context
from shared.db import Transaction


async def run(ctx: Context, tx: Transaction, *, site: Site) -> tuple[Sequence[VisitToReplan], dict[str, Any]]:
    """Return the visits that the site's open Task names, and the list as it is written."""
    task = await queries.tasks.open_seen(tx, site.id)
    conflicts = {} if task is None else {one.appointment: one for one in task.visits}
    rows = await queries.appointments.to_come_of(tx, list(conflicts), after=ctx.at)
    referrals = await queries.board.referrals_of(tx, {row.referral_id for row in rows})
    people = await queries.board.people(tx, referrals.values())
    times = await find_new_times.run(ctx, tx, rows, referrals=referrals, site=site)
    visits = [
        VisitToReplan(
            row=row,
            conflict=conflicts[row.id],
            referral=referrals[row.referral_id],
            person=people[row.referral_id],
            times=times.get(row.id, ()),
        )
        for row in rows
    ]
    written = [fhir.replanning.describe(ctx, visit, site=site) for visit in visits]
    return visits, {"task": None if task is None else str(task.id), "rows": written}
