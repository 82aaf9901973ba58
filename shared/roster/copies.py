"""The copy of the rosters that a service keeps, which `roster.changed` brings."""

from shared.clinic.roster import SiteRoster
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.scheduling import RosterChanged
from shared.roster import refresh, rows


async def follow(ctx: Context, tx: Transaction, event: RosterChanged) -> None:
    """Keep the roster of a site, unless this or a newer revision is kept; raises ValidationError for none."""
    roster = SiteRoster.model_validate(event.document)
    row = rows.row_of(roster, revision=event.revision, at=event.changed_at)
    if await rows.keep(tx, row):
        refresh.after_commit(ctx, tx, row)
