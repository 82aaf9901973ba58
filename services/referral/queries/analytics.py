"""How long people waited, and how complete referrals came: counted in the database, no row leaves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.referral.models.cells import Cell
from shared.clinic import Site
from shared.db import Transaction

_AWAY = """
(SELECT coalesce(sum(upper(part) - lower(part)), 0)
 FROM unnest((SELECT range_agg(daterange((span ->> 0)::date, (span ->> 1)::date, '[]'))
              FROM jsonb_array_elements(referral.unavailable) AS span
              WHERE (span ->> 0)::date <= (span ->> 1)::date)
             * datemultirange(daterange(since, until, '[)'))) AS part)
"""
_WAITS = f"""
WITH waited AS (
  SELECT referral.programme, wait.name AS wait, wait.until - wait.since AS days,
    wait.until - wait.since - {_AWAY} AS adjusted,
    wait.until - wait.since <= due_on - (sent_at AT TIME ZONE $2)::date AS within
  FROM referral CROSS JOIN LATERAL (VALUES
    ('wait-1', (sent_at AT TIME ZONE $2)::date, (care_began_at AT TIME ZONE $2)::date),
    ('wait-1a', (sent_at AT TIME ZONE $2)::date, (first_seen_at AT TIME ZONE $2)::date),
    ('wait-1b', (first_seen_at AT TIME ZONE $2)::date, (care_began_at AT TIME ZONE $2)::date)
  ) AS wait (name, since, until)
  WHERE referral.site = $1 AND referral.programme IS NOT NULL
    AND sent_at >= $3::date::timestamp AT TIME ZONE $2 AND sent_at < ($4::date + 1)::timestamp AT TIME ZONE $2
    AND wait.since IS NOT NULL AND wait.until >= wait.since
)
SELECT programme, wait, count(*) AS people, count(*) FILTER (WHERE within) AS within,
  percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY days) AS raw,
  percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY adjusted) AS adjusted
FROM waited GROUP BY programme, wait ORDER BY programme, wait
"""  # noqa: S608
_SENT = """
SELECT requester, missing_at_first, complete_at, sent_at
FROM unnest($1::text[], $2::text[]) AS place (site, zone) JOIN referral USING (site)
WHERE ($3::text IS NULL OR requester = $3) AND missing_at_first IS NOT NULL AND NOT self_referred
  AND sent_at >= $4::date::timestamp AT TIME ZONE zone
  AND sent_at < ($5::date + 1)::timestamp AT TIME ZONE zone
"""
_COMPLETENESS = f"""
SELECT requester, count(*) AS referrals, count(*) FILTER (WHERE missing_at_first = '{{}}') AS complete,
  count(complete_at) AS became_complete,
  percentile_disc(0.5) WITHIN GROUP (ORDER BY complete_at - sent_at)
    FILTER (WHERE complete_at IS NOT NULL) AS until_complete
FROM ({_SENT}) AS sent GROUP BY requester ORDER BY requester
"""  # noqa: S608
_MISSED = f"""
SELECT requester, code, count(*) AS times
FROM ({_SENT}) AS sent CROSS JOIN LATERAL unnest(missing_at_first) AS code
GROUP BY requester, code ORDER BY requester, times DESC, code
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitCell:
    """One wait of one programme at one site: days in whole local days, `within` those promised to each."""

    site: str
    programme: str
    wait: str
    people: Cell
    within: Cell
    raw: Sequence[int]
    adjusted: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeCard:
    """How complete a practice's referrals came, and what was missed most, by code."""

    practice: str
    referrals: Cell
    complete: Cell
    days_until_complete: int | None
    missed: Sequence[tuple[str, Cell]]


async def waits(tx: Transaction, site: Site, *, first: date, last: date) -> Sequence[WaitCell]:
    """Count the waits of those who were sent on these local days, both included."""
    found = await tx.records(_WAITS, site.id, site.time_zone, first, last)
    return [
        WaitCell(
            site=site.id,
            programme=row["programme"],
            wait=row["wait"],
            people=Cell.of(row["people"]),
            within=Cell.part(row["within"], of=row["people"]),
            raw=row["raw"],
            adjusted=row["adjusted"],
        )
        for row in found
    ]


async def completeness(
    tx: Transaction, sites: Sequence[Site], *, practice: str | None, first: date, last: date
) -> Sequence[PracticeCard]:
    """Count how complete the referrals of each practice came, or of one, sent on these local days."""
    values = ([site.id for site in sites], [site.time_zone for site in sites], practice, first, last)
    missed: dict[str, list[tuple[str, int]]] = {}
    for row in await tx.records(_MISSED, *values):
        missed.setdefault(row["requester"], []).append((row["code"], row["times"]))
    return [
        PracticeCard(
            practice=row["requester"],
            referrals=Cell.of(row["referrals"]),
            complete=Cell.part(row["complete"], of=row["referrals"]),
            days_until_complete=_days(
                row["until_complete"], of=Cell.part(row["became_complete"], of=row["referrals"])
            ),
            missed=[
                (code, Cell.part(times, of=row["referrals"]))
                for code, times in missed.get(row["requester"], ())
            ],
        )
        for row in await tx.records(_COMPLETENESS, *values)
    ]


def _days(waited: timedelta | None, *, of: Cell) -> int | None:
    return None if waited is None or of.is_hidden else waited.days
