"""Searches of referrals in a small and in a large database: they cost what a page costs, and not the table.

The rows are made in the database; each search is the one that a reader of the API asks, by the same code.
Blocks are those of the referral table and its indexes that one search looks at, a number that no machine
changes.
"""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from bench.running import running_clinic
from services.referral import queries
from services.referral.api.reads import REFERRAL_PARAMS
from services.referral.models.tables import ReferralTable
from shared.auth.principal import Principal
from shared.auth.scopes import Scopes
from shared.db import Database
from shared.fhir import search, search_query
from shared.urls import Urls

SIZES = (10_000, 1_000_000)
RUNS = 200
LIMIT_MS = 20.0
# Two practices, one site; one referral in a thousand was revoked. Ids grow with time, as uuid7 does.
_FILL = """
WITH made AS (
  SELECT place, patient_id, overlay(patient_id::text placing
    to_char(place, 'FM00000000"-0000-7"') from 1 for 15)::uuid AS id
  FROM (SELECT place, gen_random_uuid() AS patient_id FROM generate_series($2::int, $1::int) AS place) AS one
), people AS (
  INSERT INTO patient (id, event_version, version, last_updated, body, identifiers, family, given,
    deceased, requester)
  SELECT patient_id, 0, 1, now(), '{"resourceType":"Patient"}', '{}', 'Bench', 'Robin', false,
    'family-practice'
  FROM made
)
INSERT INTO referral (id, event_version, version, last_updated, body, patient_id, requester, sender,
  identifiers, status, intent, priority, priority_by_person, authored_on, sent_at, due_on, site, state, turn,
  reason, funding, sessions, rules, team, asked, unavailable, doubt, unacknowledged, has_duplicates, answer,
  reviewers)
SELECT id, 1, 1, now(), convert_to(repeat('x', 400), 'UTF8'), patient_id,
  CASE WHEN place % 2 = 0 THEN 'family-practice' ELSE 'second-practice' END, 'bench', '{}',
  CASE WHEN place % 1000 = 0 THEN 'revoked' ELSE 'active' END, 'order', 'routine', false,
  '2020-01-01'::timestamptz + make_interval(mins => place), now(), current_date, 'toronto', 'accepted',
  'clinic', '[]', '[]', '[]', '[]', '{}', '{}', '[]', false, false, false, '[]', '{}'
FROM made
"""
_BLOCKS = """
SELECT coalesce(sum(pg_stat_get_xact_blocks_fetched(oid)), 0)::int FROM pg_class
WHERE oid = 'referral'::regclass
  OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'referral'::regclass)
"""
_ASKED: Mapping[str, str] = {
    "all": "",
    "patient": "patient={patient}",
    "status, usual": "status=active",
    "status, rare": "status=revoked",
    "requester": "requester=Organization/family-practice",
    "authored, a day": "authored=2020-01-03",
    "authored, since": "authored=ge2020-01-02",
    "authored, newest first": "_sort=-authored",
    "status and authored": "status=revoked&authored=ge2020-01-02",
}


@dataclass(frozen=True, slots=True)
class Timed:
    """One search by one party: the most blocks, and milliseconds of the median and the 99th percentile."""

    party: str
    asked: str
    rows: int
    blocks: int
    median: float
    p99: float


async def run() -> list[Timed]:
    """Fill a database twice, and time each search as a practice and as the coordinator."""
    with running_clinic(example=True) as clinic:
        database = Database.connect(clinic.database_url("referral"), name="bench")
        try:
            return await measure(database, sizes=SIZES, runs=RUNS)
        finally:
            await database.close()


async def measure(database: Database, *, sizes: Sequence[int], runs: int) -> list[Timed]:
    """Fill an empty database to each size in turn, and make each search so many times."""
    timed: list[Timed] = []
    stored = 0
    for size in sizes:
        connection = await asyncpg.connect(database.url)
        await connection.execute("SET synchronous_commit = off")
        await connection.execute(_FILL, size, stored + 1, timeout=900)
        await connection.execute("VACUUM ANALYZE referral", timeout=900)
        patient = await connection.fetchval("SELECT patient_id FROM referral OFFSET 50 LIMIT 1")
        await connection.close()
        stored = size
        for party in (_practice(), _coordinator()):
            for name, asked in _ASKED.items():
                wanted = asked.format(patient=patient)
                timed.append(await _timed(database, party, name, wanted, rows=size, runs=runs))
    return timed


def told(timed: list[Timed]) -> list[str]:
    """Write a line for each search, with how much longer it takes in the large database."""
    heads = " ".join(f"{f'{size:,}:':>12} blocks    p50    p99 ms" for size in SIZES)
    lines = [f"{'party':12} {'search':24} {heads}"]
    small = {(one.party, one.asked): one for one in timed if one.rows == SIZES[0]}
    for one in timed:
        if one.rows == SIZES[-1]:
            before = small[one.party, one.asked]
            lines.append(
                f"{one.party:12} {one.asked:24} "
                + " ".join(f"{it.blocks:19} {it.median:6.2f} {it.p99:6.2f}   " for it in (before, one))
            )
    return lines


async def _timed(
    database: Database, party: Principal, name: str, asked: str, *, rows: int, runs: int
) -> Timed:
    pairs = [(key, value) for key, _, value in (part.partition("=") for part in asked.split("&") if part)]
    wanted = search_query.parse(
        pairs,
        REFERRAL_PARAMS,
        resource_type="ServiceRequest",
        urls=Urls(base="http://bench", service="referral"),
    )
    took, blocks = [], []
    for _ in range(runs):
        async with database.transaction() as tx:
            [before] = await tx.records(_BLOCKS)
            started = time.perf_counter()
            await search.run(tx, wanted, ReferralTable, queries.scope.referrals(party))
            took.append((time.perf_counter() - started) * 1000)
            [after] = await tx.records(_BLOCKS)
            blocks.append(after[0] - before[0])
    late = sorted(took)[max(int(runs * 0.99) - 1, 0)]
    return Timed(party.party, name, rows, max(blocks), statistics.median(took), late)


def _practice() -> Principal:
    scopes = Scopes.parse(["system/*.rs"])
    return Principal(client="bench", party="referrer", scopes=scopes, organization="family-practice")


def _coordinator() -> Principal:
    return Principal(client="bench", party="coordinator", scopes=Scopes.parse(["user/*.rs"]), site="toronto")


def main() -> int:
    """Print the table; 1 where a search of the large database takes longer than it may."""
    timed = asyncio.run(run())
    print("\n".join(told(timed)))
    late = [one for one in timed if one.p99 > LIMIT_MS]
    return 1 if late else 0
