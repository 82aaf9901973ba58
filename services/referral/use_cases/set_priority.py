"""A person gives a referral another priority, with the reason."""

from collections.abc import Mapping
from typing import Any

from services.referral import fhir, rules, texts
from services.referral.models.rows import Referral
from services.referral.use_cases import record, referral_file
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import needed_reason
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.events.catalog import referral as events
from shared.reasons import Reason, as_written


class NoPriority(Invalid):
    """There is no such priority."""

    code = "code-invalid"


async def run(ctx: Context, tx: Transaction, referral_id: str, *, said: Mapping[str, Any]) -> Referral:
    """Change the priority; the one that it has already changes nothing. Raises NoReason and NoPriority."""
    why, wanted = needed_reason(said.get("reason")), said.get("priority")
    file = await referral_file.for_caller(ctx, tx, referral_id)
    reason = rules.acts.may_set_priority(ctx, file.referral)
    rules.steps.check(reason, words=texts.words_of(ctx.clinic))
    if wanted not in rules.priority.PRIORITIES:
        expression = "Parameters.parameter.where(name='priority')"
        raise NoPriority(f"one of {', '.join(rules.priority.PRIORITIES)}", expression=expression)
    changes, referral = Changes(ctx, file), file.referral
    if referral.priority == wanted:
        return referral
    told = Reason.of("priority-changed", before=referral.priority, priority=wanted)
    change(changes, priority=str(wanted), by_person=True)
    referral.reason = [*referral.reason, told, as_written(why)]
    changes.enclose(fhir.provenance.priority_provenance(ctx, referral, reasons=[told, as_written(why)]))
    return await record.run(ctx, tx, changes)


def change(changes: Changes, *, priority: str, by_person: bool = False) -> None:
    """Give a referral that others have heard of another priority and its due day, and publish both."""
    referral, before, ctx = changes.referral, changes.referral.priority, changes.ctx
    referral.priority, referral.priority_by_person = priority, by_person or referral.priority_by_person
    referral.due_on = rules.due_date.after_change(referral, before=before, at=ctx.at, clinic=ctx.clinic)
    changes.announce(events.ReferralPriorityChanged)
