"""Freed time goes to those who wait, in order of days left to their guarantee's end."""

from datetime import timedelta

from services.scheduling import queries
from services.scheduling.models.timer_kinds import TimerKind
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.timers import Timer

_MOMENT = timedelta(microseconds=1)


async def run(ctx: Context, tx: Transaction, site: str) -> None:
    """Let everybody who waits at a site try again, each in a transaction of its own.

    One transaction for all would wait for calls that wait for it. The timers lie moments before now, the
    most urgent first, because timers fire in the order of their time.
    """
    waiting = await queries.appointments.waiting_at(tx, site)
    tries = [
        Timer(kind=TimerKind.TRY, ref=str(row_id), due_at=ctx.at - _MOMENT * (len(waiting) - place))
        for place, row_id in enumerate(waiting)
    ]
    await timers.schedule_all(tx, tries)


async def at_every_site(ctx: Context, tx: Transaction) -> None:
    """Offer time at every site when the worker starts: clinic.yaml may have new hours."""
    offers = [Timer(kind=TimerKind.OFFER, ref=site.id, due_at=ctx.at) for site in ctx.clinic.sites]
    await timers.schedule_all(tx, offers)
