"""Read what the rows of a worklist are about, for a whole page by a few statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.referral import queries
from services.referral.models.rows import Claim, Task
from services.referral.rules.acts import ReferralFacts
from shared.context import Context
from shared.db import Transaction
from shared.fhir.worklists import WorklistEntry
from shared.people import KnownPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOfEntry:
    """What stands behind one entry: the Task, its referral, who the patient is, the Claim to be decided."""

    task: Task
    facts: ReferralFacts
    person: KnownPerson | None
    claim: Claim | None = None


async def run(ctx: Context, tx: Transaction, entries: Sequence[WorklistEntry]) -> Mapping[UUID, WorkOfEntry]:
    """Read what stands behind the entries of a page, by their ids, as it now is.

    An entry by the id of a referral is shown as its process Task.
    """
    if not entries:
        return {}
    ids = [entry.id for entry in entries]
    tasks = {task.id: task for task in await queries.worklist.tasks(tx, ids)}
    of_referrals = [id for id in ids if id not in tasks]
    if of_referrals:
        tasks |= {task.referral_id: task for task in await queries.tasks.processes_of(tx, of_referrals)}
    wanted = {task.referral_id for task in tasks.values()}
    referrals = {row.id: row for row in await queries.worklist.referrals(tx, wanted)}
    patients = {row.patient_id for row in referrals.values()}
    died = await queries.patients.who_died(tx, patients)
    people = await queries.worklist.people(tx, ctx.caller, patients)
    asked = {task.claim_id for task in tasks.values() if task.claim_id is not None}
    claims = {row.id: row for row in await queries.worklist.claims(tx, asked)} if asked else {}
    work = {}
    for id, task in tasks.items():
        referral = referrals[task.referral_id]
        work[id] = WorkOfEntry(
            task=task,
            facts=ReferralFacts(referral=referral, patient_died=referral.patient_id in died),
            person=people.get(referral.patient_id),
            claim=None if task.claim_id is None else claims[task.claim_id],
        )
    return work
