"""keep attachments in their own form: a row each, its bytes in pieces, and which resources name it."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        CREATE TABLE attachment (
          id uuid PRIMARY KEY, event_version integer NOT NULL, event_at timestamptz,
          version integer NOT NULL, last_updated timestamptz, body bytea NOT NULL,
          requester varchar NOT NULL, content_type varchar NOT NULL, size integer NOT NULL,
          sha256 bytea NOT NULL, sha1 bytea NOT NULL, uploaded_at timestamptz NOT NULL,
          patient_id uuid REFERENCES patient (id), attached_at timestamptz,
          CONSTRAINT attached_is_about_somebody CHECK (attached_at IS NULL OR patient_id IS NOT NULL)
        )
    """)
    op.execute("CREATE INDEX ix_attachment_last_updated ON attachment (last_updated)")
    op.execute("CREATE INDEX ix_attachment_patient_id ON attachment (patient_id)")
    op.execute("CREATE INDEX attachment_unattached ON attachment (requester) WHERE attached_at IS NULL")
    op.execute("""
        CREATE TABLE attachment_piece (
          attachment_id uuid NOT NULL, number integer NOT NULL, content bytea NOT NULL,
          PRIMARY KEY (attachment_id, number),
          CONSTRAINT attachment_piece_attachment_id_fkey FOREIGN KEY (attachment_id)
            REFERENCES attachment (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
        )
    """)
    # Images and PDFs are packed already.
    op.execute("ALTER TABLE attachment_piece ALTER COLUMN content SET STORAGE EXTERNAL")
    op.execute("""
        CREATE TABLE attachment_use (
          attachment_id uuid NOT NULL REFERENCES attachment (id),
          enclosure_id uuid NOT NULL REFERENCES enclosure (id),
          PRIMARY KEY (attachment_id, enclosure_id)
        )
    """)
    op.execute("CREATE INDEX ix_attachment_use_enclosure_id ON attachment_use (enclosure_id)")
