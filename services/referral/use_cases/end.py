"""The sender revokes, or a coordinator closes: whatever is open ends with the referral."""

from collections.abc import Sequence
from uuid import UUID

from services.referral import rules, texts
from services.referral.models.rows import Referral
from services.referral.states import State, Turn
from services.referral.use_cases import record, redirect, referral_file, request_authorization
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile, needed_reason
from shared.context import Context
from shared.db import Transaction
from shared.errors import NotFound
from shared.events.catalog import referral as events
from shared.reasons import Reason, as_written


class NeverSent(NotFound):
    """No referral of this sender has such an identifier."""


async def revoke(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """Take the referral back; revoking it again changes nothing."""
    why = [Reason.of("revoked-by-sender"), as_written(needed_reason(reason))]
    return await _revoke(ctx, tx, referral_id, reason=why)


async def revoke_by_message(ctx: Context, tx: Transaction, referral_id: UUID, *, words: str) -> Referral:
    """Take back a referral as a message says it, with its words or without."""
    if words:
        return await revoke(ctx, tx, str(referral_id), reason=words)
    return await _revoke(ctx, tx, str(referral_id), reason=[Reason.of("revoked-by-message")])


async def close(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """End a referral that will not go on."""
    why = needed_reason(reason)
    file = await referral_file.for_caller(ctx, tx, referral_id)
    rules.steps.check(rules.acts.may_close(ctx, file.referral), words=texts.words_of(ctx.clinic))
    return await _end(ctx, tx, file, State.CLOSED, reason=[Reason.of("closed-by-clinic"), as_written(why)])


async def _revoke(ctx: Context, tx: Transaction, referral_id: str, *, reason: Sequence[Reason]) -> Referral:
    file = await referral_file.for_caller(ctx, tx, referral_id)
    rules.steps.check(rules.acts.may_revoke(ctx, file.referral))
    if file.referral.state == State.REVOKED:
        return file.referral
    return await _end(ctx, tx, file, State.REVOKED, reason=reason)


async def _end(
    ctx: Context, tx: Transaction, file: ReferralFile, to: State, *, reason: Sequence[Reason]
) -> Referral:
    changes, referral = Changes(ctx, file), file.referral
    changes.move(to, reason=reason, turn=Turn.NOBODY)
    referral.unacknowledged, referral.funding, referral.sessions = False, [], []
    changes.timers[redirect.ESCALATION] = None
    changes.finish_work(status="cancelled", reason=reason)
    changes.announce(events.ReferralRevoked if to is State.REVOKED else events.ReferralClosed)
    request_authorization.cancel(changes)
    return await record.run(ctx, tx, changes)
