"""Invited people."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "invited_person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("machine_invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("machine_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_person_of_a_login",
        "invited_person",
        ["login"],
        unique=True,
        postgresql_where=sa.text("machine_removed_at IS NULL"),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("machine_since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("subject IN ('person', 'address')", name="sign_in_attempts_subject"),
        sa.PrimaryKeyConstraint("subject", "mark"),
    )
    op.create_index(
        op.f("ix_sign_in_attempts_machine_since"), "sign_in_attempts", ["machine_since"], unique=False
    )
    op.create_table(
        "sign_in_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("machine_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("client", sa.String(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('signed-in', 'refused', 'ended', 'invited', 'password-set', 'reset', 'removed')",
            name="sign_in_event_kind",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_sign_in_event_machine_at"), "sign_in_event", ["machine_at"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("machine_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["invited_person.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mark"),
    )
    op.create_index(op.f("ix_invitation_person_id"), "invitation", ["person_id"], unique=False)
