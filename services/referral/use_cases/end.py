"""The sender revokes, or a coordinator closes: whatever is open ends with the referral."""

from services.referral import queries, rules
from services.referral.models import Referral
from services.referral.states import State, Turn
from services.referral.use_cases import record, redirect, referral_file, request_authorization
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile, needed_reason
from shared.context import Context
from shared.db import Transaction
from shared.errors import NotFound
from shared.events.catalog import referral as events


class NeverSent(NotFound):
    """No referral of this sender has such an identifier."""


async def revoke(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """Take the referral back; revoking it again changes nothing."""
    why = needed_reason(reason)
    file = await referral_file.for_caller(ctx, tx, referral_id)
    rules.check(rules.acts.may_revoke(ctx, file.referral))
    if file.referral.state == State.REVOKED:
        return file.referral
    return await _end(ctx, tx, file, State.REVOKED, reason=f"Revoked by the sender: {why}")


async def revoke_by_identifier(
    ctx: Context, tx: Transaction, tokens: tuple[str, ...], *, reason: str
) -> Referral:
    """Take back what was sent under these identifiers, as a message says it."""
    found = await queries.referrals.sent_before(tx, str(ctx.caller.organization), tokens=tokens)
    if found is None:
        text = "no referral of yours has one of these identifiers"
        raise NeverSent(text, expression="ServiceRequest.identifier")
    return await revoke(ctx, tx, str(found), reason=reason)


async def close(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """End a referral that will not go on."""
    why = needed_reason(reason)
    file = await referral_file.for_caller(ctx, tx, referral_id)
    rules.check(rules.acts.may_close(ctx, file.referral))
    return await _end(ctx, tx, file, State.CLOSED, reason=f"Closed by the clinic: {why}")


async def _end(ctx: Context, tx: Transaction, file: ReferralFile, to: State, *, reason: str) -> Referral:
    changes, referral = Changes(file), file.referral
    changes.move(to, reason=reason, turn=Turn.NOBODY, act="ending")
    referral.unacknowledged, referral.funding, referral.sessions = False, "", ""
    changes.timers[redirect.ESCALATION] = None
    changes.finish_work(status="cancelled", reason=reason)
    changes.announce(events.ReferralRevoked if to is State.REVOKED else events.ReferralClosed)
    request_authorization.cancel(changes)
    return await record.run(ctx, tx, changes)
