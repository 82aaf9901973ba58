"""A duplicate is merged into the first referral: its identifiers stay findable, nothing of it is booked."""

from typing import Any

import msgspec

from services.referral import fhir, queries
from services.referral.models import Referral
from services.referral.states import State, Turn
from services.referral.use_cases.recording import (
    announce,
    finish_tasks,
    keep_task,
    load_referral,
    move,
)
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Invalid
from shared.events.catalog import referral as events
from shared.fhir import references, store

_INTO = "Parameters.parameter.where(name='into')"


class CannotMerge(Conflict):
    """The two referrals cannot be one."""


async def merge_referral(ctx: Context, tx: Transaction, referral_id: str, *, into: object) -> Referral:
    """Put the duplicate's identifiers on the first referral and end the duplicate."""
    first_id = _target(into)
    if first_id == referral_id:
        raise CannotMerge("a referral cannot be merged into itself", expression=_INTO)
    loaded = {one: await load_referral(ctx, tx, one) for one in sorted((referral_id, first_id))}
    duplicate, first = loaded[referral_id], loaded[first_id]
    if duplicate.patient_id != first.patient_id:
        raise CannotMerge("the two referrals are about different patients", expression=_INTO)
    if first.state in (State.MERGED, State.DUPLICATE_SUSPECTED):
        raise CannotMerge(f"the other referral is {first.state}", expression=_INTO)
    duplicate.merged_into = first.id
    await move(
        ctx,
        tx,
        duplicate,
        State.MERGED,
        reason=f"The same as the referral of {first.sent_at:%Y-%m-%d}, which goes on.",
        turn=Turn.NOBODY,
        name="merging",
    )
    await _take_identifiers(ctx, tx, first, duplicate)
    work = await queries.open_work(tx, duplicate.id)
    await finish_tasks(ctx, tx, work, status="completed", reason="Merged.")
    task = await keep_task(ctx, tx, duplicate)
    announce(ctx, tx, events.ReferralMerged, duplicate, task)
    return duplicate


async def _take_identifiers(ctx: Context, tx: Transaction, first: Referral, duplicate: Referral) -> None:
    own = msgspec.json.decode(first.body, type=dict[str, Any]).get("identifier", [])
    more = msgspec.json.decode(duplicate.body, type=dict[str, Any]).get("identifier", [])
    stated = [one for one in more if not set(fhir.tokens([one])) & set(first.identifiers)]
    first.identifiers = list(dict.fromkeys([*first.identifiers, *duplicate.identifiers]))
    if stated:
        overlay = {"identifier": [*own, *stated]}
        await store.put(tx, first, first.body, at=ctx.at, overlay=overlay)
    task = await queries.process_task(tx, first.id)
    task.identifiers = list(first.identifiers)
    await keep_task(ctx, tx, first)


def _target(into: object) -> str:
    if not isinstance(into, dict):
        raise Invalid("the referral that goes on: a reference to a ServiceRequest", expression=_INTO)
    return references.local_id(into, expression=_INTO)
