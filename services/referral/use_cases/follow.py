"""Keep the referrer's Task true while scheduling and careteam do their part."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from services.referral import fhir, queries, rules
from services.referral.models.rows import Referral
from services.referral.states import State, Turn
from services.referral.use_cases import merged, record
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.events.inbox.handling import NotYet
from shared.reasons import Reason

# What is said beside the step that led here; a newer one takes its place.
_NOTES = frozenset(
    {"guarantee-at-risk", "guarantee-forecast-breach", "guarantee-breached", "guarantee-second-breached"}
    | {"patient-arrived", "corrected-too-late"}
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The referrals that a batch of events is about, locked, with their process Tasks; `changed` of them are
    written at the end of the batch, by `save`.
    """

    files: Mapping[UUID, ReferralFile]
    changed: dict[UUID, Context]


async def load(tx: Transaction, referral_ids: Collection[UUID]) -> Followed:
    """Lock what a batch of events is about, in one order for all who do so."""
    referrals = await queries.referrals.lock_all(tx, referral_ids) if referral_ids else ()
    tasks = await queries.tasks.processes_of(tx, [referral.id for referral in referrals]) if referrals else ()
    by_referral = {task.referral_id: task for task in tasks}
    return Followed(
        files={
            referral.id: ReferralFile(
                referral=referral, before=referral.model_copy(), process_task=by_referral.get(referral.id)
            )
            for referral in referrals
        },
        changed={},
    )


def open_referral(followed: Followed, referral_id: UUID | None, *, event: str) -> Referral | None:
    """Return the referral that an event is about; None where it has ended, by rule.

    Raises NotYet for one that we do not know (yet).
    """
    file = None if referral_id is None else followed.files.get(referral_id)
    if file is None:
        raise NotYet(f"{event} is about a referral that is not here")
    referral = file.referral
    if rules.steps.comes_too_late(referral.state):
        log.info(
            "referral.event-after-its-end", referral=str(referral.id), event_type=event, state=referral.state
        )
        return None
    if rules.steps.comes_too_early(referral.state, event):
        raise NotYet(f"{event} of referral {referral.id} comes before the state {referral.state} allows it")
    return referral


def team(followed: Followed, referral_id: UUID | None, *, members: Sequence[str], ctx: Context) -> None:
    """Keep who is in the care team: its members see the referral, ended or not, and nobody else of the
    clinicians does. Raises NotYet for a referral that we do not know (yet).
    """
    file = None if referral_id is None else followed.files.get(referral_id)
    if file is None:
        raise NotYet("a team is about a referral that is not here")
    file.referral.team = list(members)
    followed.changed[file.referral.id] = ctx


def step(
    ctx: Context, referral: Referral, *, event: str, reason: Sequence[Reason], turn: Turn, followed: Followed
) -> None:
    """Take the step that an event means and say why; one that means none is logged and changes nothing."""
    to = rules.steps.following(referral.state, event)
    if to is None:
        log.info(
            "referral.event-changes-nothing",
            referral=str(referral.id),
            event_type=event,
            state=referral.state,
        )
        return
    if to != referral.state:
        Changes(ctx, followed.files[referral.id]).move(to, reason=reason, turn=turn)
    referral.reason, referral.turn = [*reason], turn
    followed.changed[referral.id] = ctx


def note(ctx: Context, referral: Referral, *, reason: Reason, followed: Followed) -> None:
    """Say something new about where the referral stands, without a step; when the visit is stays said."""
    steps = [earlier for earlier in referral.reason if earlier.code not in _NOTES]
    referral.reason = [reason, *steps]
    followed.changed[referral.id] = ctx


def take_back_note(ctx: Context, referral: Referral, *, code: str, followed: Followed) -> None:
    """Leave out what was noted by a reason of this code; a newer note in its place stays."""
    left = [earlier for earlier in referral.reason if earlier.code != code]
    if left != referral.reason:
        referral.reason = left
        followed.changed[referral.id] = ctx


def note_sessions(ctx: Context, referral: Referral, *, reason: Sequence[Reason], followed: Followed) -> None:
    """Say something new about the series of sessions."""
    referral.sessions = [*reason]
    followed.changed[referral.id] = ctx


async def complete(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    *,
    plan: Mapping[str, Any],
    observations: Sequence[Mapping[str, Any]],
    at: datetime,
    followed: Followed,
) -> None:
    """Store the report, complete the request and its Task, and tell the referrer."""
    file = followed.files[referral.id]
    file.work = await queries.tasks.open_work(tx, referral.id)
    changes = Changes(ctx, file)
    body = fhir.report.render(
        referral, plan=plan, observations=observations, clinic=ctx.clinic, base_url=ctx.urls.base, at=at
    )
    report = changes.enclose(body, status="final")
    referral.report = report.id
    reason = [Reason.of("report-is-there")]
    changes.move(State.DISCHARGED, reason=reason, turn=Turn.NOBODY)
    changes.finish_work(status="completed", reason=[Reason.of("discharged")])
    changes.announce(events.ReferralCompleted, report)
    await record.run(ctx, tx, changes)
    followed.changed.pop(referral.id, None)
    await merged.complete(ctx, tx, referral, plan=plan, observations=observations, at=at)


async def save(tx: Transaction, followed: Followed) -> None:
    """Write what a batch has changed, each referral and its Task once."""
    changed = [Changes(ctx, followed.files[referral_id]) for referral_id, ctx in followed.changed.items()]
    if changed:
        await record.steps(tx, changed)
        await merged.follow(tx, changed)
