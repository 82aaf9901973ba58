"""keep what each sender says of a patient as that sender's own, and which record goes on after a merge.

Of a patient whom several senders have referred, the first keeps its description with its versions; another one,
whose words were not kept, reads the name by which it was matched until it sends the patient again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SHARED = """
FROM patient WHERE patient.requester IS NOT NULL AND EXISTS (
  SELECT FROM referral WHERE referral.patient_id = patient.id AND referral.requester <> patient.requester
)
"""
_FIRST = f"""
INSERT INTO source_record (id, event_version, version, last_updated, body, patient_id, requester, identifiers,
                           family, given)
SELECT gen_random_uuid(), 0, version, last_updated, body, id, requester, ARRAY(
         SELECT DISTINCT coalesce(stated ->> 'system', '') || '|' || (stated ->> 'value')
         FROM jsonb_array_elements(
           coalesce(convert_from(body, 'UTF8')\\:\\:jsonb -> 'identifier', '[]')
         ) AS stated
         WHERE stated ->> 'value' <> '' AND coalesce(stated ->> 'use', '') <> 'old'
       ), family, given
{_SHARED}
"""  # noqa: S608
_ITS_VERSIONS = """
INSERT INTO resource_version (type, id, version, last_updated, body)
SELECT 'Patient', source_record.id\\:\\:text, earlier.version, earlier.last_updated, earlier.body
FROM source_record JOIN resource_version AS earlier
  ON earlier.type = 'Patient' AND earlier.id = source_record.patient_id\\:\\:text
"""
_OTHERS = """
INSERT INTO source_record (id, event_version, version, last_updated, body, patient_id, requester, identifiers,
                           family, given)
SELECT gen_random_uuid(), 0, 1, now(), convert_to(jsonb_strip_nulls(jsonb_build_object(
         'resourceType', 'Patient',
         'id', patient.id,
         'meta', jsonb_build_object(
           'versionId', '1',
           'lastUpdated', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS"Z"')
         ),
         'name', jsonb_build_array(jsonb_build_object(
           'family', nullif(patient.family, ''),
           'given', CASE WHEN patient.given <> '' THEN jsonb_build_array(split_part(patient.given, ' ', 1)) END
         ))
       ))\\:\\:text, 'UTF8'), patient.id, other.requester, '{}', patient.family, split_part(patient.given, ' ', 1)
FROM patient JOIN (SELECT DISTINCT patient_id, requester FROM referral) AS other
  ON other.patient_id = patient.id AND other.requester <> patient.requester
"""


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("patient", sa.Column("replaced_by", sa.Uuid(), nullable=True))
    op.add_column("patient", sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("patient", sa.Column("replaced_from", sa.Integer(), nullable=True))
    op.create_foreign_key(None, "patient", "patient", ["replaced_by"], ["id"])
    op.create_check_constraint("replaced_by_another", "patient", "replaced_by <> id")
    op.create_index(
        "patient_replaced_by",
        "patient",
        ["replaced_by"],
        postgresql_where=sa.text("replaced_by IS NOT NULL"),
    )
    op.create_table(
        "source_record",
        sa.Column("event_version", sa.Integer(), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("identifiers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("given", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_source_record_last_updated", "source_record", ["last_updated"])
    op.create_index("one_record_of_a_source", "source_record", ["patient_id", "requester"], unique=True)
    op.execute(_FIRST)
    op.execute(_ITS_VERSIONS)
    op.execute(_OTHERS)
    op.execute(f"UPDATE patient SET requester = NULL WHERE id IN (SELECT id {_SHARED})")  # noqa: S608
