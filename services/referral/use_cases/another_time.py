"""The patient cannot come, another time is asked for; what is booked stands until the clinic moves it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.referral import fhir, rules
from services.referral.models.rows import Referral
from services.referral.use_cases import record, referral_file
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.referral_file import needed_reason
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode
from shared.reasons import Reason, as_written


class NoSuchDays(Invalid):
    """The days on which the patient cannot come are in order."""


async def request(ctx: Context, tx: Transaction, referral_id: str, *, said: Mapping[str, Any]) -> Referral:
    """Ask the coordinator for another time: why, and when the patient cannot come.

    `from` and `to` are local dates, both included, a month or a year all of its days; these days are the
    patient's own delay. Raises NoReason, NoSuchDays and Refused.
    """
    why, days = needed_reason(said.get("reason")), _days(said)
    file = await referral_file.for_caller(ctx, tx, referral_id)
    rules.steps.check(rules.acts.may_request_another_time(ctx, file.referral))
    changes = Changes(ctx, file)
    if days:
        file.referral.unavailable = [*file.referral.unavailable, days]
    work = changes.open_work(
        TaskCode.ANOTHER_TIME,
        owner=the_clinic(ctx),
        reason=[Reason.of("another-time-asked"), as_written(why)],
        due=ctx.at + timedelta(hours=ctx.clinic.waiting.answer_hours),
        details={"input": [fhir.task.unavailable_input(*days)]} if days else None,
    )
    changes.announce(events.ReferralAnotherTimeRequested, work)
    return await record.run(ctx, tx, changes)


def _days(said: Mapping[str, Any]) -> list[str]:
    """Read the first and the last day, none where none is named; what has no end is counted to a last day."""
    first, last = (
        fhir.reading.day_of(said.get("from")),
        fhir.reading.day_of(said.get("to") or said.get("from")),
    )
    if first is None and last is None:
        return []
    if first is None or last is None or last.latest < first.earliest:
        where = "Parameters.parameter.where(name='to')"
        raise NoSuchDays("the last day comes with the first, and is not before it", expression=where)
    return [first.earliest.isoformat(), last.latest.isoformat()]
