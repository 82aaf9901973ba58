"""Facts with only what matters changed: a complete rapid-access referral of today."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from services.referral.models.facts import CoverageFact, Day, Facts
from services.referral.models.questions import EMERGENCY_FLAGS, URGENT_FLAGS
from shared.clinic import load_clinic

CLINIC = load_clinic(Path(__file__).parents[3] / "examples" / "clinic.yaml")
TODAY = date(2026, 3, 2)
PUBLIC = CoverageFact(element="Coverage.type.coding.code", kind="PUBLICPOL")
WORKPLACE = CoverageFact(element="Coverage.payor.identifier", kind="WCBPOL", payer="workplace-insurer")
ANSWERS = dict.fromkeys(
    (*EMERGENCY_FLAGS, *URGENT_FLAGS, "chronic-multisite-pain", "opioid-dependency"), "N"
) | {
    "episode": "first",
    "claim-workplace": "none",
    "claim-motor": "none",
    "claim-legal": "none",
    "pregnancy": "no",
}


def day(text: date) -> Day:
    return Day(text, text)


def facts(
    *,
    answers: dict[str, str | None] | None = None,
    days: dict[str, date] | None = None,
    born: Day | None = Day(date(1980, 5, 17), date(1980, 5, 17)),  # noqa: B008
    **changes: Any,
) -> Facts:
    """Make facts; an answer of None was not given."""
    given = {name: code for name, code in (ANSWERS | (answers or {})).items() if code is not None}
    dates = {"onset-date": TODAY - timedelta(days=90)} | (days or {})
    return Facts(
        birth_date=born,
        answers=given,
        days={name: day(when) for name, when in dates.items()},
        **({"coverages": (PUBLIC,)} | changes),
    )
