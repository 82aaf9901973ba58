"""A duplicate is merged into the first referral: its identifiers stay findable, nothing of it is booked."""

from typing import Any

import msgspec

from services.referral import fhir, rules
from services.referral.models import Referral
from services.referral.states import State, Turn
from services.referral.use_cases import record, referral_file
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Invalid
from shared.events.catalog import referral as events
from shared.fhir import references, store

_INTO = "Parameters.parameter.where(name='into')"


class CannotMerge(Conflict):
    """The two referrals cannot be one."""


async def run(ctx: Context, tx: Transaction, referral_id: str, *, into: object) -> Referral:
    """Put the duplicate's identifiers on the first referral and end the duplicate."""
    first_id = _target(into)
    if first_id == referral_id:
        raise CannotMerge("a referral cannot be merged into itself", expression=_INTO)
    files = {
        wanted: await referral_file.for_caller(ctx, tx, wanted) for wanted in sorted((referral_id, first_id))
    }
    file, first = files[referral_id], files[first_id].referral
    if file.referral.patient_id != first.patient_id:
        raise CannotMerge("the two referrals are about different patients", expression=_INTO)
    if first.state in (State.MERGED, State.DUPLICATE_SUSPECTED):
        raise CannotMerge(f"the other referral is {first.state}", expression=_INTO)
    rules.check(rules.acts.may_merge(ctx, file.referral))
    changes = Changes(file)
    file.referral.merged_into = first.id
    reason = f"The same as the referral of {first.sent_at:%Y-%m-%d}, which goes on."
    changes.move(State.MERGED, reason=reason, turn=Turn.NOBODY, act="merging")
    changes.finish_work(status="completed", reason="Merged.")
    changes.announce(events.ReferralMerged)
    await _take_identifiers(ctx, tx, files[first_id], file.referral)
    return await record.run(ctx, tx, changes)


async def _take_identifiers(ctx: Context, tx: Transaction, file: ReferralFile, duplicate: Referral) -> None:
    first = file.referral
    own = msgspec.json.decode(first.body, type=dict[str, Any]).get("identifier", [])
    more = msgspec.json.decode(duplicate.body, type=dict[str, Any]).get("identifier", [])
    stated = [
        identifier for identifier in more if not set(fhir.tokens([identifier])) & set(first.identifiers)
    ]
    identifiers = list(dict.fromkeys([*first.identifiers, *duplicate.identifiers]))
    if stated:
        overlay = {"identifier": [*own, *stated]}
        await store.update(tx, first, first.body, at=ctx.at, overlay=overlay, identifiers=identifiers)
    else:
        await tx.update(first, identifiers=identifiers)
    await record.write_process_task(ctx, tx, first, Changes(file).process_task)


def _target(into: object) -> str:
    if not isinstance(into, dict):
        raise Invalid("the referral that goes on: a reference to a ServiceRequest", expression=_INTO)
    return references.local_id(into, expression=_INTO)
