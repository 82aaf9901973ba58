"""Rows of records, without a session."""

import subprocess
import sys

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
