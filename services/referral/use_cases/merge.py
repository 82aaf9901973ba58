"""A duplicate is merged into the first referral, which it follows: nothing of its own is booked."""

from collections.abc import Mapping
from typing import Any

from services.referral import fhir, queries, rules, texts
from services.referral.models.rows import Referral
from services.referral.states import OPEN, State, Turn
from services.referral.use_cases import merged, record, referral_file
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Invalid
from shared.events.catalog import referral as events
from shared.fhir import references, store
from shared.reasons import Reason

_INTO = "Parameters.parameter.where(name='into')"


class CannotMerge(Conflict):
    """The two referrals cannot be one."""


async def run(ctx: Context, tx: Transaction, referral_id: str, *, said: Mapping[str, Any]) -> Referral:
    """Let the duplicate follow the first referral, which its sender's identifiers then find too."""
    first_id = _target(ctx, said.get("into"))
    named_by = {referral_id: None} if first_id == referral_id else {referral_id: None, first_id: _INTO}
    files = {
        wanted: await referral_file.for_caller(ctx, tx, wanted, expression=expression)
        for wanted, expression in sorted(named_by.items())
    }
    file, first = files[referral_id], files[first_id].referral
    rules.steps.check(rules.acts.may_merge(ctx, file.referral), words=texts.words_of(ctx.clinic))
    if first_id == referral_id:
        rules.steps.check(Reason.of("merge-into-another"), refusal=CannotMerge, of=_INTO)
    if not rules.identity.are_one(file.patient, files[first_id].patient):
        rules.steps.check(Reason.of("merge-same-patient"), refusal=CannotMerge, of=_INTO)
    if first.state not in OPEN:
        rules.steps.check(Reason.of("merge-into-first", state=first.state), refusal=CannotMerge, of=_INTO)
    changes = Changes(ctx, file)
    if file.referral.has_duplicates:
        await queries.referrals.point_to(tx, first.id, instead_of=file.referral.id)
    file.referral.merged_into = first.id
    reason = [merged.same_as(file.referral, first), *referral_file.words_said(said)]
    changes.move(State.MERGED, reason=reason, turn=Turn.NOBODY)
    changes.finish_work(status="completed", reason=[Reason.of("merged")])
    changes.announce(events.ReferralMerged)
    await _take_identifiers(ctx, tx, files[first_id], file)
    return await record.run(ctx, tx, changes)


async def _take_identifiers(
    ctx: Context, tx: Transaction, file: ReferralFile, duplicate: ReferralFile
) -> None:
    first = file.referral
    # What another sender calls its referral is not shown to this one.
    theirs = duplicate.referral.requester != first.requester
    own, more = (known.request.get("identifier", []) for known in (file, duplicate))
    stated = [
        identifier
        for identifier in more
        if not theirs and not set(fhir.reading.tokens([identifier])) & set(first.identifiers)
    ]
    shown = () if theirs else duplicate.referral.identifiers
    columns = {"identifiers": list(dict.fromkeys([*first.identifiers, *shown])), "has_duplicates": True}
    if stated:
        overlay = {"identifier": [*own, *stated]}
        await store.update(tx, first, first.body, at=ctx.at, overlay=overlay, **columns)
    else:
        await tx.update(first, **columns)
    await record.write_process_task(ctx, tx, first, Changes(ctx, file).process_task)


def _target(ctx: Context, into: object) -> str:
    if not isinstance(into, dict):
        raise Invalid("the referral that goes on: a reference to a ServiceRequest", expression=_INTO)
    return references.own_id(into, urls=ctx.urls, expression=_INTO)
