"""An event that a service has given up, with a patient's name in it."""

from shared.clock import machine_now
from shared.db import Database

KEY = "0191d4b2-7a70-7000-8000-00000000000a"
GROUP = "scheduling"
_HOLD = """
WITH held AS (
  INSERT INTO held_key (consumer_group, key, state, attempts, machine_since, machine_next_at, error)
  VALUES ($1, $2, 'dead', 3, $3, NULL, 'ValueError at handlers.py:7')
)
INSERT INTO held_event
  (consumer_group, key, event_id, topic, log_partition, log_offset, headers, value, machine_at)
VALUES ($1, $2, 'e1', 'lumbar.referral', 0, 1, $4, $5, $3)
"""


async def hold(database: Database) -> None:
    """Hold a key of one event, as the consumer does when it gives up."""
    async with database.transaction() as tx:
        headers = {"ce_type": "referral.accepted"}
        await tx.run(_HOLD, GROUP, KEY, machine_now(), headers, b"Yuki Tanabe")
