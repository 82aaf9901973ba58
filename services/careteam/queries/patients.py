"""Who patients are, as `referral` said last."""

from services.careteam.models.rows import KnownPatient
from shared.db import Transaction

_KNOWN = "SELECT * FROM known_patient WHERE id = $1 FOR UPDATE"
_LEARN = """
INSERT INTO known_patient (id, event_version, is_deceased, person) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET event_version = excluded.event_version, is_deceased = excluded.is_deceased,
  person = excluded.person
WHERE known_patient.event_version < excluded.event_version
"""


async def known(tx: Transaction, patient_id: str) -> KnownPatient | None:
    """Read what was said last of a patient, as far as anything was."""
    return await tx.row(KnownPatient, _KNOWN, patient_id)


async def learn(tx: Transaction, said: KnownPatient) -> bool:
    """Remember what was said of a patient; return False where something newer was said before."""
    return await tx.run(_LEARN, said.id, said.event_version, said.is_deceased, said.person) == 1
