"""Keep the referrer's Task true while scheduling and careteam do their part."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from services.referral import fhir, rules
from services.referral.models import Referral, Task
from services.referral.queries import following
from services.referral.states import State, Turn
from services.referral.use_cases.end_referral import finish_open_work
from services.referral.use_cases.recording import announce, keep_enclosure, keep_task, move
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.events.inbox.handling import NotYet

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The referrals that a run of events is about, locked, and their process Tasks."""

    referrals: Mapping[UUID, Referral]
    tasks: Mapping[UUID, Task]


async def load_for_events(tx: Transaction, referral_ids: Collection[UUID]) -> Known:
    """Lock what a run of events is about, in one order for all who do so."""
    referrals = await following.lock_referrals(tx, referral_ids) if referral_ids else ()
    tasks = await following.process_tasks(tx, [referral.id for referral in referrals]) if referrals else ()
    return Known(
        referrals={referral.id: referral for referral in referrals},
        tasks={task.referral_id: task for task in tasks},
    )


def open_referral(known: Known, referral_id: UUID | None, *, event: str) -> Referral | None:
    """Give the referral that an event is about; None where it has ended, by rule.

    Raises NotYet for one that we do not know (yet).
    """
    referral = None if referral_id is None else known.referrals.get(referral_id)
    if referral is None:
        raise NotYet(f"{event} is about a referral that is not here")
    if rules.comes_too_late(referral.state):
        log.info(
            "referral.event-after-its-end",
            referral=str(referral.id),
            event_type=event,
            state=referral.state,
        )
        return None
    if rules.comes_too_early(referral.state, event):
        raise NotYet(f"{event} of referral {referral.id} comes before the state {referral.state} allows it")
    return referral


def keep_team(known: Known, referral_id: UUID | None, *, members: Sequence[str]) -> None:
    """Keep who is in the care team: its members see the referral, ended or not, and nobody else of the
    clinicians does. Raises NotYet for a referral that we do not know (yet).
    """
    referral = None if referral_id is None else known.referrals.get(referral_id)
    if referral is None:
        raise NotYet("a team is about a referral that is not here")
    referral.team = list(members)


async def follow(
    ctx: Context, tx: Transaction, referral: Referral, *, event: str, reason: str, turn: Turn, known: Known
) -> None:
    """Take the step that an event means and say why; one that means none is logged and changes nothing."""
    to = rules.following(referral.state, event)
    if to is None:
        log.info(
            "referral.event-changes-nothing",
            referral=str(referral.id),
            event_type=event,
            state=referral.state,
        )
        return
    if to != referral.state:
        await move(ctx, tx, referral, to, reason=reason, turn=turn, name=event)
    referral.reason, referral.turn = reason, turn
    await keep_task(ctx, tx, referral, task=known.tasks.get(referral.id))


async def note(ctx: Context, tx: Transaction, referral: Referral, *, reason: str, known: Known) -> None:
    """Say something new about where the referral stands, without a step."""
    referral.reason = reason
    await keep_task(ctx, tx, referral, task=known.tasks.get(referral.id))


async def note_sessions(
    ctx: Context, tx: Transaction, referral: Referral, *, text: str, known: Known
) -> None:
    """Say something new about the series of sessions."""
    referral.sessions = text
    await keep_task(ctx, tx, referral, task=known.tasks.get(referral.id))


async def complete_referral(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    *,
    plan: Mapping[str, Any],
    observations: Sequence[Mapping[str, Any]],
    at: datetime,
    known: Known,
) -> None:
    """Store the report, complete the request and its Task, and tell the referrer."""
    body = fhir.report(
        referral, plan=plan, observations=observations, clinic=ctx.clinic, base_url=ctx.urls.base, at=at
    )
    report = await keep_enclosure(ctx, tx, referral, body, status="final")
    referral.report = report.id
    await move(
        ctx,
        tx,
        referral,
        State.DISCHARGED,
        reason="The patient was discharged; the report is there.",
        turn=Turn.NOBODY,
        name="completing",
    )
    await finish_open_work(ctx, tx, referral, reason="The patient was discharged.")
    task = await keep_task(ctx, tx, referral, task=known.tasks.get(referral.id))
    announce(ctx, tx, events.ReferralCompleted, referral, task, report.body)
