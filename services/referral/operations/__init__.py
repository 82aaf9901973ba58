"""What may be done with a referral, a Claim and a Task: the tables of which routes and documents are made."""

from typing import Any

from services.referral.operations import claims, referrals, tasks
from shared.operations import OperationTable

TABLES: tuple[OperationTable[Any], ...] = (referrals.REFERRALS, claims.CLAIMS, tasks.TASKS)
