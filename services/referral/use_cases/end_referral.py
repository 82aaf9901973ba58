"""The sender revokes, or a coordinator closes: whatever is open ends with the referral."""

from services.referral import queries
from services.referral.models import Referral
from services.referral.states import State, Turn
from services.referral.use_cases.emergency import ESCALATION
from services.referral.use_cases.recording import (
    announce,
    finish_tasks,
    keep_task,
    load_referral,
    move,
    needed_reason,
)
from services.referral.use_cases.request_authorization import cancel_authorizations
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.errors import NotFound
from shared.events.catalog import referral as events


class NeverSent(NotFound):
    """No referral of this sender has such an identifier."""


async def revoke_referral(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """Take the referral back; revoking it again changes nothing."""
    why = needed_reason(reason)
    referral = await load_referral(ctx, tx, referral_id)
    if referral.state != State.REVOKED:
        await _end(ctx, tx, referral, State.REVOKED, reason=f"Revoked by the sender: {why}")
    return referral


async def revoke_by_identifier(
    ctx: Context, tx: Transaction, tokens: tuple[str, ...], *, reason: str
) -> Referral:
    """Take back what was sent under these identifiers, as a message says it."""
    found = await queries.sent_before(tx, str(ctx.caller.organization), tokens=tokens)
    if found is None:
        text = "no referral of yours has one of these identifiers"
        raise NeverSent(text, expression="ServiceRequest.identifier")
    return await revoke_referral(ctx, tx, str(found), reason=reason)


async def close_referral(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """End a referral that will not go on."""
    why = needed_reason(reason)
    referral = await load_referral(ctx, tx, referral_id)
    await _end(ctx, tx, referral, State.CLOSED, reason=f"Closed by the clinic: {why}")
    return referral


async def _end(ctx: Context, tx: Transaction, referral: Referral, to: State, *, reason: str) -> None:
    await move(ctx, tx, referral, to, reason=reason, turn=Turn.NOBODY, name="ending it")
    referral.unacknowledged, referral.funding, referral.sessions = False, "", ""
    await timers.cancel(tx, kind=ESCALATION, ref=str(referral.id))
    await finish_open_work(ctx, tx, referral, reason=reason)
    task = await keep_task(ctx, tx, referral)
    event = events.ReferralRevoked if to is State.REVOKED else events.ReferralClosed
    announce(ctx, tx, event, referral, task)
    await cancel_authorizations(ctx, tx, referral)


async def finish_open_work(ctx: Context, tx: Transaction, referral: Referral, *, reason: str) -> None:
    """Cancel what people were still asked to do."""
    work = await queries.open_work(tx, referral.id)
    await finish_tasks(ctx, tx, work, status="cancelled", reason=reason)
