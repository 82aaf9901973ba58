"""What every service is told of a patient: the clinic's row, with the clinic's own links.

Invariant: a link to another record of ours comes from the row's column alone. A sender may write what it
likes into `Patient.link`; to who hears of it, that would be another person's death.
"""

from services.referral.models.rows import Patient
from services.referral.use_cases.referral_file import decoded
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.referral import PatientChanged
from shared.events.outbox.publishing import publish
from shared.fhir import store


async def publish_change(ctx: Context, tx: Transaction, patient: Patient) -> None:
    """Publish that a locked patient, as it was just written, is another now."""
    stated = decoded(patient.body).get("link", [])
    links = [link for link in stated if "reference" not in link.get("other", {})]
    if patient.replaced_by is not None:
        links.append({"other": {"reference": f"Patient/{patient.replaced_by}"}, "type": "replaced-by"})
    body = store.overlaid(patient.body, {"link": links or None})
    changed = PatientChanged(patient_id=str(patient.id), referral_id=None, resources=(body,))
    await publish(ctx, tx, patient, changed)
