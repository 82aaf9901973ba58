"""Say by the clinic's policy from which day on a time is looked for, or that a day follows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from services.scheduling import rules
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.rules.first_answer import FirstAnswer
from services.scheduling.use_cases import read_outlook
from shared.clinic import SchedulingPolicy
from shared.context import Context
from shared.db import Transaction


async def run(
    ctx: Context, tx: Transaction, asked: Sequence[tuple[Appointment, Referral]]
) -> list[FirstAnswer]:
    """Answer for each visit in turn; of several at one site each counts what those before it were given.

    The earliest policy reads nothing.
    """
    if ctx.clinic.scheduling.policy is SchedulingPolicy.EARLIEST:
        return [FirstAnswer() for _ in asked]
    by_site: dict[str, list[tuple[Appointment, Referral]]] = defaultdict(list)
    for one in asked:
        by_site[one[1].site].append(one)
    found: dict[UUID, FirstAnswer] = {}
    for site_id, those in by_site.items():
        found |= await _at_site(ctx, tx, site_id, those)
    return [found[visit.id] for visit, _ in asked]


async def _at_site(
    ctx: Context, tx: Transaction, site_id: str, asked: Sequence[tuple[Appointment, Referral]]
) -> dict[UUID, FirstAnswer]:
    site, numbers = ctx.clinic.site(site_id), ctx.clinic.scheduling
    today = ctx.at.astimezone(site.zone).date()
    farthest = max(referral.due_on for _, referral in asked)
    outlook = await read_outlook.run(ctx, tx, site, days=max(1, (farthest - today).days))
    free, waiting = dict(outlook.book.free), list(outlook.waiting)
    answers: dict[UUID, FirstAnswer] = {}
    for visit, referral in asked:
        who = read_outlook.unscheduled(visit, referral, site=site)
        now = replace(outlook, book=replace(outlook.book, free=free), waiting=waiting)
        answer = rules.first_answer.answer(
            who, now, policy=numbers.policy, at_once_below=numbers.at_once_below
        )
        answers[visit.id] = answer
        if answer.is_promise:
            waiting.append(who)
        elif answer.from_day is not None:
            _count_as_taken(free, outlook.book.groups[who.need], answer.from_day)
    return answers


def _count_as_taken(free: dict[tuple[str, date], int], groups: Sequence[str], day: date) -> None:
    for group in groups:
        if free.get((group, day), 0) > 0:
            free[group, day] -= 1
            return
