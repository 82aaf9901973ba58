"""Rows of records, without a session."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

from sqlmodel import select

from services.referral.models import Referral
from shared.db.mapped import changed, mark
from shared.ids import new_id

READS_FIRST = """
from services.referral.models import Referral
from shared.db.mapped import mapped

known = mapped(Referral)
record = [None] * len(known.attributes)
row = known.row(record, 0)
print(row.state, row.id)
"""


def test_a_process_that_reads_a_row_before_it_makes_one_finds_its_attributes() -> None:
    ran = subprocess.run([sys.executable, "-c", READS_FIRST], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "None None\n"), ran.stderr[-500:]


def test_a_row_is_read_without_a_call_and_its_class_still_gives_the_columns() -> None:
    row = made(state="booked")
    assert row.__dict__["state"] == row.state == "booked"
    assert not hasattr(type.__getattribute__(Referral, "__dict__")["state"], "__set__")
    assert "referral.state" in str(select(Referral.state))


def test_what_is_set_on_a_row_that_the_database_has_is_noted() -> None:
    row = made(state="booked")
    row.state = "closed"
    assert changed(row) == frozenset()
    mark(row, (row.id,))
    row.state, row.reason = "missed", row.reason
    assert changed(row) == {"state"}


def made(**given: Any) -> Referral:
    moment = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
    return Referral(patient_id=new_id(), requester="a", sender="a", sent_at=moment, turn="clinic", **given)
