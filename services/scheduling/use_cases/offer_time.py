"""Freed time goes to those who wait, in order of days left to their guarantee's end."""

from datetime import timedelta

from services.scheduling import queries
from services.scheduling.models import TimerKind
from shared import timers
from shared.context import Context
from shared.db import Transaction

_MOMENT = timedelta(microseconds=1)


async def run(ctx: Context, tx: Transaction, site: str) -> None:
    """Let everybody who waits at a site try again, each in a transaction of its own.

    One transaction for all would wait for calls that wait for it. The timers lie moments before now, the
    most urgent first, because timers fire in the order of their time.
    """
    waiting = await queries.appointments.waiting_at(tx, site)
    for place, appointment_id in enumerate(waiting):
        due = ctx.at - _MOMENT * (len(waiting) - place)
        await timers.schedule(tx, kind=TimerKind.TRY, ref=str(appointment_id), due=due)


async def at_every_site(ctx: Context, tx: Transaction) -> None:
    """Offer time at every site when the worker starts: clinic.yaml may have new hours."""
    for site in ctx.clinic.sites:
        await timers.schedule(tx, kind=TimerKind.OFFER, ref=site.id, due=ctx.at)
