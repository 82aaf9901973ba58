"""find patients by any part of a name, a telephone number, an identifier and the birth date; referrals by state."""

import json

import sqlalchemy as sa
from alembic import op

from services.referral.fhir import found_by

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BATCH = 500


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE source_record ADD COLUMN birth_date varchar")
    for table in ("patient", "source_record"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN found_by text[] NOT NULL DEFAULT '{{}}'")
        _fill(table)
        op.execute(f"CREATE INDEX {table}_found_by ON {table} USING gin (found_by)")
        op.execute(f'CREATE INDEX {table}_born ON {table} (birth_date COLLATE "C")')
    op.execute("CREATE INDEX referral_of_site_by_state ON referral (site, state)")


def _fill(table: str) -> None:
    """Write the keys of old rows; of a sender's own description the birth date too."""
    connection = op.get_bind()
    after = "00000000-0000-0000-0000-000000000000"
    read = sa.text(
        f"SELECT id, identifiers, body FROM {table} WHERE id > :after ORDER BY id LIMIT {_BATCH}"  # noqa: S608
    )
    born = ", birth_date = :born" if table == "source_record" else ""
    write = sa.text(f"UPDATE {table} SET found_by = :keys{born} WHERE id = :id")  # noqa: S608
    while rows := connection.execute(read, {"after": after}).all():
        for row in rows:
            patient = json.loads(bytes(row.body) or b"{}")
            values = {"id": row.id, "keys": found_by.keys(patient, row.identifiers)}
            connection.execute(write, values | ({"born": patient.get("birthDate")} if born else {}))
        after = rows[-1].id
