"""The auditor: reads all databases and logs after everything healed and drained, and lists what must not be.

Its invariants are numbered as in docs/reliability.md. It trusts nobody's word but the clients' history and
the mail server's letters; an empty list means that everything holds.
"""

from tests.failure.audit.acknowledged import acknowledged
from tests.failure.audit.days import days
from tests.failure.audit.drained import drained
from tests.failure.audit.ends import ends
from tests.failure.audit.events import events
from tests.failure.audit.evidence import Evidence, Published, published_on_postgres
from tests.failure.audit.handled import handled
from tests.failure.audit.occupied import occupied
from tests.failure.audit.offers import offers
from tests.failure.audit.people import people
from tests.failure.audit.rosters import rosters
from tests.failure.audit.series import series
from tests.failure.audit.told import told
from tests.failure.audit.transitions import illegal_steps

__all__ = ["Evidence", "Published", "audit", "published_on_postgres"]

INVARIANTS = (
    *(acknowledged, events, handled, occupied, illegal_steps, ends),
    *(told, people, rosters, days, series, offers, drained),
)


async def audit(evidence: Evidence) -> list[str]:
    """List every invariant that does not hold, each with its number and the ids concerned."""
    findings = list(evidence.history.complaints)
    for invariant in INVARIANTS:
        findings += [finding async for finding in invariant(evidence)]
    return findings
