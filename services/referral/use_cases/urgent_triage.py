"""What the rules call urgent waits for a clinician; where nobody decides in time, more people are asked."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from services.referral import rules
from services.referral.states import WaitingClock
from services.referral.use_cases import record, referral_file
from services.referral.use_cases.changes import WAITS_TOO_LONG, Changes, the_clinic
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

OVERDUE = WaitingClock.URGENT_TRIAGE


def ask(ctx: Context, changes: Changes, *, reason: Sequence[Reason], again: bool = False) -> None:
    """Leave an urgent referral to the clinicians of its lead discipline, who may read and decide it now.

    `again` is where it waits already: the clock that runs goes on, and whoever was asked stays asked.
    """
    referral = changes.referral
    asked = rules.urgent.reviewers(referral, clinic=ctx.clinic)
    referral.reviewers = list(dict.fromkeys([*(referral.reviewers if again else ()), *asked]))
    due = None if again else ctx.at + timedelta(hours=ctx.clinic.urgent_triage.within_hours)
    if due is not None:
        changes.timers[OVERDUE] = due
    changes.timers.pop(WAITS_TOO_LONG, None)
    work = changes.open_work(
        TaskCode.REVIEW_REFERRAL, owner=the_clinic(ctx), reason=reason, due=due, recipients=referral.reviewers
    )
    changes.announce(events.ReferralTriaged)
    changes.announce(events.ReferralReviewNeeded, work)


async def escalate(ctx: Context, tx: Transaction, referral_id: str) -> None:
    """Ask every physician of the site, and the coordinator to telephone; again until somebody has decided."""
    file = await referral_file.locked(tx, UUID(referral_id))
    if file is None or not rules.urgent.waits_for_a_clinician(file.referral):
        return
    changes, referral = Changes(ctx, file), file.referral
    physicians = rules.urgent.physicians(referral, clinic=ctx.clinic)
    referral.reviewers = list(dict.fromkeys([*referral.reviewers, *physicians]))
    overdue = Reason.of("triage-overdue", at=ctx.at, who=referral.reviewers)
    works = [
        changes.open_work(
            code, owner=the_clinic(ctx), reason=[overdue, *referral.reason], recipients=recipients
        )
        for code, recipients in (
            (TaskCode.REVIEW_REFERRAL, referral.reviewers),
            (TaskCode.TELEPHONE_CLINICIAN, ()),
        )
    ]
    changes.timers[OVERDUE] = ctx.at + timedelta(hours=ctx.clinic.urgent_triage.escalate_every_hours)
    changes.announce(events.ReferralTriageOverdue, *works)
    await record.run(ctx, tx, changes)
