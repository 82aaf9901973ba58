"""A morning's reminders: how long it takes to queue those of ten thousand patients.

Ten thousand patients who permit e-mail have a visit tomorrow. The timer of the morning is fired as the worker
fires it, part after part; in turns the rows that it wrote are inserted once more by asyncpg alone.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg

from bench.clinic import EXAMPLE
from bench.running import Broken, running_clinic
from services.notifications import handlers
from services.notifications.use_cases.reminders import KIND
from shared import timers
from shared.actor import Actor
from shared.clinic import Clinic, load_clinic
from shared.context import Context
from shared.db import Database
from shared.urls import Urls

PATIENTS, LIMIT_SECONDS = 10_000, 60.0
_SITE = "toronto"
# Far ahead, so that the clinic that is measured does not fire the timer itself.
_NOW = datetime(2099, 3, 2, 14, tzinfo=UTC)
_FILL = """
WITH one AS (SELECT number, gen_random_uuid()::text AS id FROM generate_series(1, $1::integer) AS number),
referral AS (
  INSERT INTO known_referral (id, patient_id, requester, site) SELECT id, id, 'family-practice', $2 FROM one
), patient AS (
  INSERT INTO known_patient (id, event_version, person, contact_points, channel_consents)
  SELECT id, 1, '{"family": "Bench", "given": "Ann", "birth_date": "1980-01-01", "language": "en"}',
         jsonb_build_array(jsonb_build_object('system', 'email', 'value', number || '@mail.example')),
         '[{"channel": "email", "permitted": true, "date": "2026-01-01"}]' FROM one
)
INSERT INTO known_visit (id, referral_id, patient_id, site, starts_at, ends_at, status, sequence)
SELECT id, id, id, $2, $3::timestamptz, $3::timestamptz + interval '1 hour', 'booked', 0 FROM one
"""
_AGAIN = """
INSERT INTO notification SELECT (jsonb_populate_record(row, jsonb_build_object(
  'id', gen_random_uuid(), 'event_id', row.event_id || '/again'))).* FROM notification AS row
"""


@dataclass(frozen=True, slots=True)
class ReminderFigures:
    """Seconds to queue a morning, and to insert the same rows once more by one statement."""

    queued: float
    floor: float

    @property
    def ratio(self) -> float:
        """What share of the floor's rate is reached."""
        return self.floor / self.queued


async def run(clinic: Clinic) -> ReminderFigures:
    """Fill a database, and measure."""
    with running_clinic(example=True) as running:
        database = Database.connect(running.database_url("notifications"), name="bench")
        try:
            return await measure(database, clinic, patients=PATIENTS)
        finally:
            await database.close()


async def measure(database: Database, clinic: Clinic, *, patients: int) -> ReminderFigures:
    """Fill an empty database with patients who have a visit tomorrow, and queue their reminders."""
    connection = await asyncpg.connect(database.url)
    try:
        await connection.execute(_FILL, patients, _SITE, _NOW + timedelta(days=1))
        await connection.execute("ANALYZE")
        ref = f"{_SITE}/{_NOW.date().isoformat()}"
        async with database.transaction() as tx:
            await timers.schedule(tx, kind=KIND, ref=ref, due=_NOW)
        started = time.perf_counter()
        while await timers.fire_next(
            database, {KIND: handlers.on_reminders_due}, context=partial(_context, clinic)
        ):
            pass
        queued = time.perf_counter() - started
        if await connection.fetchval("SELECT count(*) FROM notification") != patients:
            raise Broken("not every patient is to be reminded once")
        started = time.perf_counter()
        await connection.execute(_AGAIN)
        return ReminderFigures(queued=queued, floor=time.perf_counter() - started)
    finally:
        await connection.close()


def told(found: ReminderFigures) -> list[str]:
    """Write the figures."""
    return [
        f"{PATIENTS} reminders of a morning: queued in {found.queued:.1f} s, {PATIENTS / found.queued:.0f} a"
        f" second, {100 * found.ratio:.0f}% of the same rows by one statement ({found.floor:.1f} s)"
    ]


def main() -> int:
    """Measure, print, and give 1 where the morning takes more than a minute."""
    found = asyncio.run(run(load_clinic(EXAMPLE)))
    print("\n".join(told(found)))
    return int(found.queued > LIMIT_SECONDS)


def _context(clinic: Clinic, cause: str) -> Context:
    return Context(
        at=_NOW,
        actor=Actor.service("notifications"),
        cause=cause,
        clinic=clinic,
        urls=Urls(base="http://bench.example", service="notifications"),
    )
