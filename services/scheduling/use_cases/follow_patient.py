"""What `referral` says of a patient: for who has died everything still to come is called off."""

from services.scheduling import queries
from services.scheduling.use_cases import end
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.referral import PatientChanged


async def run(ctx: Context, tx: Transaction, event: PatientChanged) -> None:
    """Remember whether a patient lives, and end what is open of one who has died.

    An event that is older than what is known says nothing. Where a death turns out to be a mistake, what was
    called off stays so: what is booked then, people decide.
    """
    patient_id = str(event.focus["id"])
    is_news = await queries.referrals.learn(
        tx, patient_id, version=event.version, is_deceased=event.is_deceased
    )
    if is_news and event.is_deceased:
        await end.of_patient(ctx, tx, patient_id)
