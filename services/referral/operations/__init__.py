"""What may be done with a referral, a patient, a Claim and a Task: of these tables all else is made."""

from typing import Any

from services.referral.operations import claims, patients, referrals, tasks
from shared.operations import OperationTable

TABLES: tuple[OperationTable[Any], ...] = (
    referrals.REFERRALS,
    patients.PATIENTS,
    claims.CLAIMS,
    tasks.TASKS,
)
