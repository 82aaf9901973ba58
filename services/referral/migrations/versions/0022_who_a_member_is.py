"""say in each Claim who the member is, by name and birth date: a new version of those of before."""

import json

import msgspec
import sqlalchemy as sa
from alembic import op

from services.referral.fhir.authorization import member_elements

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_BATCH = 500
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_READ = f"""
SELECT claim.id, claim.version, claim.body, patient.body AS patient
FROM claim JOIN patient ON patient.id = claim.patient_id
WHERE claim.id > :after ORDER BY claim.id LIMIT {_BATCH}
"""  # noqa: S608
_KEEP = """
INSERT INTO resource_version (type, id, version, last_updated, body)
SELECT 'Claim', id::text, version, coalesce(last_updated, created_at), body FROM claim WHERE id = :id
"""


def upgrade() -> None:
    """Change the rows; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    connection = op.get_bind()
    after = "00000000-0000-0000-0000-000000000000"
    while rows := connection.execute(sa.text(_READ), {"after": after}).all():
        for row in rows:
            elements = member_elements(json.loads(bytes(row.patient) or b"{}"))
            claim = _MEMBERS.decode(bytes(row.body) or b"{}")
            if elements and claim and "contained" not in claim:
                connection.execute(sa.text(_KEEP), {"id": row.id})
                body = _next_version(claim, elements, version=row.version + 1)
                write = sa.text("UPDATE claim SET version = version + 1, body = :body WHERE id = :id")
                connection.execute(write, {"id": row.id, "body": body})
        after = rows[-1].id


def _next_version(claim: dict[str, msgspec.Raw], elements: dict[str, object], *, version: int) -> bytes:
    """Lay the elements over a Claim, whose meta names the new version; all else keeps its bytes."""
    meta = {**json.loads(bytes(claim["meta"])), "versionId": str(version)}
    return msgspec.json.encode({**claim, "meta": meta, **elements})
