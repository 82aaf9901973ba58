"""keep what forecasts said, and read the referrals of a site by when they were accepted."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        CREATE TABLE forecast_made (
          site varchar NOT NULL,
          need varchar NOT NULL,
          made_on date NOT NULL,
          week integer NOT NULL,
          made_at timestamptz NOT NULL,
          q10 integer NOT NULL,
          q50 integer NOT NULL,
          q90 integer NOT NULL,
          truth integer,
          PRIMARY KEY (site, need, made_on, week),
          CONSTRAINT week_is_forecast CHECK (week BETWEEN 1 AND 26),
          CONSTRAINT quantiles_rise CHECK (q10 <= q50 AND q50 <= q90)
        )
    """)
    op.execute("CREATE INDEX forecast_to_fill ON forecast_made (site, made_on, week) WHERE truth IS NULL")
    op.execute("CREATE INDEX referral_of_site_by_acceptance ON referral (site, accepted_at)")
