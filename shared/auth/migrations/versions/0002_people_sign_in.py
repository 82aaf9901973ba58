"""People sign in."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "sign_in_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("machine_began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("machine_last_act_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("machine_ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "end_reason IN ('signed-out', 'code-replayed', 'token-reused', 'person-removed', 'password-reset', 'no-demo-people')",
            name="sign_in_session_end_reason",
        ),
        sa.CheckConstraint("method IN ('demo', 'password', 'clinic-issuer')", name="sign_in_session_method"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sign_in_session_by_begin", "sign_in_session", ["machine_began_at"], unique=False)
    op.create_index("sign_in_session_by_person", "sign_in_session", ["subject", "issuer"], unique=False)
    op.create_table(
        "authorization_code",
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("redirect_uri", sa.String(), nullable=False),
        sa.Column("code_challenge", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=True),
        sa.Column("machine_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("machine_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sign_in_session.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mark"),
    )
    op.create_index(
        op.f("ix_authorization_code_session_id"), "authorization_code", ["session_id"], unique=False
    )
    op.create_table(
        "refresh_token",
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("machine_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sign_in_session.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mark"),
    )
    op.create_index(op.f("ix_refresh_token_session_id"), "refresh_token", ["session_id"], unique=False)
