"""Who patients are, how to reach them and by what they permit it, as `referral` said last."""

from collections.abc import Collection, Mapping

from services.notifications.models.rows import KnownPatient
from shared.db import Transaction

_LEARN = """
INSERT INTO known_patient (id, event_version, person, contact_points, channel_consents)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET event_version = excluded.event_version, person = excluded.person,
  contact_points = excluded.contact_points, channel_consents = excluded.channel_consents
WHERE known_patient.event_version < excluded.event_version
"""
_NAMED = "SELECT * FROM known_patient WHERE id = ANY($1::text[])"


async def learn(tx: Transaction, said: KnownPatient) -> None:
    """Remember what was said of a patient; what is older than what is known changes nothing."""
    values = (said.id, said.event_version, said.person, said.contact_points, said.channel_consents)
    await tx.run(_LEARN, *values)


async def named(tx: Transaction, ids: Collection[str]) -> Mapping[str, KnownPatient]:
    """Read these patients by their ids; nothing is asked where none is named."""
    rows = await tx.rows(KnownPatient, _NAMED, list(ids)) if ids else []
    return {row.id: row for row in rows}
