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
from shared.act import Act
from shared.auth.principal import Principal
from shared.clinic import Clinic
from shared.db import Transaction
from shared.errors import NotFound
from shared.events.catalog import referral as events


class NeverSent(NotFound):
    """No referral of this sender has such an identifier."""


async def revoke_referral(
    tx: Transaction, referral_id: str, *, reason: object, by: Principal, act: Act, clinic: Clinic
) -> Referral:
    """Take the referral back; revoking it again changes nothing."""
    why = needed_reason(reason)
    referral = await load_referral(tx, referral_id, by=by)
    if referral.state != State.REVOKED:
        await _end(
            tx, referral, State.REVOKED, reason=f"Revoked by the sender: {why}", act=act, clinic=clinic
        )
    return referral


async def revoke_by_identifier(
    tx: Transaction,
    tokens: tuple[str, ...],
    *,
    reason: str,
    by: Principal,
    act: Act,
    clinic: Clinic,
) -> Referral:
    """Take back what was sent under these identifiers, as a message says it."""
    found = await queries.sent_before(tx, str(by.organization), tokens=tokens)
    if found is None:
        text = "no referral of yours has one of these identifiers"
        raise NeverSent(text, expression="ServiceRequest.identifier")
    return await revoke_referral(tx, str(found), reason=reason, by=by, act=act, clinic=clinic)


async def close_referral(
    tx: Transaction, referral_id: str, *, reason: object, by: Principal, act: Act, clinic: Clinic
) -> Referral:
    """End a referral that will not go on."""
    why = needed_reason(reason)
    referral = await load_referral(tx, referral_id, by=by)
    await _end(tx, referral, State.CLOSED, reason=f"Closed by the clinic: {why}", act=act, clinic=clinic)
    return referral


async def _end(
    tx: Transaction, referral: Referral, to: State, *, reason: str, act: Act, clinic: Clinic
) -> None:
    await move(tx, referral, to, reason=reason, turn=Turn.NOBODY, act=act, name="ending it")
    referral.unacknowledged, referral.funding, referral.sessions = False, "", ""
    await timers.cancel(tx, kind=ESCALATION, ref=str(referral.id))
    await finish_open_work(tx, referral, reason=reason, act=act)
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    event = events.REVOKED if to is State.REVOKED else events.CLOSED
    announce(tx, event, referral, task, act=act)
    await cancel_authorizations(tx, referral, act=act)


async def finish_open_work(tx: Transaction, referral: Referral, *, reason: str, act: Act) -> None:
    """Cancel what people were still asked to do."""
    work = await queries.open_work(tx, referral.id)
    await finish_tasks(tx, work, status="cancelled", reason=reason, act=act)
