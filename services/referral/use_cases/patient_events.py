"""What every service is told of a patient: the clinic's row, with the clinic's own links and consents.

Invariant: a link to another record of ours, and a consent to a channel, come from the row's columns alone. A
sender may write what it likes into `Patient.link` and `Patient.extension`; to who hears of it, that would be
another person's death, or the leave to telephone.
"""

from services.referral import fhir
from services.referral.models.rows import Patient
from services.referral.use_cases.referral_file import decoded
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.referral import PatientChanged
from shared.events.outbox.publishing import publish
from shared.fhir import store


async def publish_change(ctx: Context, tx: Transaction, patient: Patient) -> None:
    """Publish that a locked patient, as it was just written, is another now."""
    await publish(ctx, tx, patient, change_of(patient))


def change_of(patient: Patient) -> PatientChanged:
    """Return the event that says how a patient is known now."""
    stated = decoded(patient.body)
    links = [link for link in stated.get("link", []) if "reference" not in link.get("other", {})]
    if patient.replaced_by is not None:
        links.append({"other": {"reference": f"Patient/{patient.replaced_by}"}, "type": "replaced-by"})
    extensions = fhir.channel_consents.extensions(stated, patient.channel_consents)
    body = store.overlaid(patient.body, {"link": links or None, "extension": extensions or None})
    return PatientChanged(patient_id=str(patient.id), referral_id=None, resources=(body,))
