"""What `referral` says of a patient: who they are, who has died, which records are of one person."""

from services.scheduling import queries
from services.scheduling.models.rows import KnownPatient
from services.scheduling.use_cases import end, replan
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.referral import PatientChanged


async def run(ctx: Context, tx: Transaction, event: PatientChanged) -> None:
    """Remember what is known of a patient, and end what is open of one who has died, on all their records.

    Where records turn out to be of one person, or not to be, a coordinator's Task names the visits that
    cannot both be; of a death that only one of them knew, people decide. An event that is older than what is
    known says nothing. Where a death turns out to be a mistake, what was called off stays so.
    """
    patient_id = str(event.focus["id"])
    before = await queries.referrals.known_patient(tx, patient_id)
    said = KnownPatient(
        id=patient_id,
        event_version=event.version,
        is_deceased=event.is_deceased,
        replaced_by=event.replaced_by,
        person=event.person,
    )
    is_news = await queries.referrals.learn(tx, said)
    has_died = event.is_deceased and not (before is not None and before.is_deceased)
    if is_news and has_died:
        await end.of_patient(ctx, tx, patient_id)
    if is_news and event.replaced_by != (None if before is None else before.replaced_by):
        await replan.at_every_site(ctx, tx)
