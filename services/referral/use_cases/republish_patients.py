"""All patients are published again, so that every service knows them who did not listen when they changed.

Invariants:
- How far it has come stands beside the patients and moves with each batch: whoever begins after a kill goes
  on from there, and of two at once each batch is published by one.
- What is published is what stands: a service that has heard as much or more changes nothing by it.
"""

from services.referral import queries
from services.referral.models.rows import PatientRepublication
from services.referral.use_cases import patient_events
from shared.context import Context
from shared.db import Transaction
from shared.events.outbox.publishing import Publication, publish_all


async def begin(tx: Transaction) -> PatientRepublication:
    """Begin with the first patient, or go on where an earlier run was ended before its end."""
    run = await queries.patients.republication(tx)
    if run.is_finished:
        await tx.update(run, last_id=None, published=0, is_finished=False)
    return run


async def step(ctx: Context, tx: Transaction, *, limit: int) -> PatientRepublication:
    """Publish the next so many patients, and return how far it has come; once it is finished, no more."""
    run = await queries.patients.republication(tx)
    if run.is_finished:
        return run
    patients = await queries.patients.locked_after(tx, run.last_id, limit=limit)
    await publish_all(
        tx,
        [Publication(ctx=ctx, of=patient, event=patient_events.change_of(patient)) for patient in patients],
    )
    await tx.update(
        run,
        last_id=patients[-1].id if patients else run.last_id,
        published=run.published + len(patients),
        is_finished=len(patients) < limit,
    )
    return run
