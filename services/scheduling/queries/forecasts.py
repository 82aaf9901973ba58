"""What a forecast reads of a site, counted by the database, and the forecasts that are kept.

What is read is bounded: rows are counts by discipline's programme and day, kept forecasts go after a year.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from services.scheduling.models.forecasts import MadeForecast
from services.scheduling.models.rows import ForecastMade
from services.scheduling.models.site_counts import AcceptedCount, FirstVisitCount, Outcomes
from services.scheduling.states import STANDING, AppointmentStatus
from shared.db import Transaction
from shared.fhir.codes import GuaranteeStatus

_FIRST_VISITS = """
SELECT programme, ((due_at - interval '1 microsecond') AT TIME ZONE $2)::date AS due_on,
  (starts_at AT TIME ZONE $2)::date AS visit_on, count(*)::int AS number
FROM appointment
WHERE site = $1 AND kind IN ('first', 'joint-first') AND due_at IS NOT NULL
  AND (status IN ('waitlist', 'proposed') OR (status = ANY($3::text[]) AND ends_at > $4))
GROUP BY 1, 2, 3
"""
_ACCEPTED = """
SELECT programme, (accepted_at AT TIME ZONE $2)::date AS accepted_on, due_on, count(*)::int AS number
FROM referral WHERE site = $1 AND accepted_at >= $3 AND accepted_at < $4
GROUP BY 1, 2, 3
"""
_SINCE = "SELECT min(accepted_at) FROM referral WHERE site = $1"
_OUTCOMES = """
SELECT count(*) FILTER (WHERE status = 'noshow')::int AS failed,
  count(*) FILTER (WHERE status = 'fulfilled')::int AS took_place
FROM appointment
WHERE site = $1 AND starts_at >= $2 AND starts_at < $3 AND kind IN ('first', 'joint-first')
  AND status = ANY($4::text[])
"""
_KEEP = """
INSERT INTO forecast_made (site, need, made_on, week, made_at, q10, q50, q90)
SELECT $1, need, $2, week, $3, q10, q50, q90
FROM unnest($4::text[], $5::int[], $6::int[], $7::int[], $8::int[]) AS said (need, week, q10, q50, q90)
ON CONFLICT DO NOTHING
"""
_OPEN = """
SELECT need, made_on, week FROM forecast_made
WHERE site = $1 AND truth IS NULL AND made_on + week * 7 <= $2
ORDER BY made_on, need, week LIMIT $3
"""
_BREACHED = """
SELECT referral.programme, referral.due_on, count(*)::int AS number
FROM guarantee JOIN referral ON referral.id = guarantee.referral_id
WHERE guarantee.site = $1 AND guarantee.status = $2 AND guarantee.due_at > $3 AND guarantee.due_at <= $4
GROUP BY 1, 2
"""
_FILL = """
UPDATE forecast_made SET truth = said.truth
FROM unnest($2::text[], $3::date[], $4::int[], $5::int[]) AS said (need, made_on, week, truth)
WHERE site = $1 AND forecast_made.need = said.need AND forecast_made.made_on = said.made_on
  AND forecast_made.week = said.week AND forecast_made.truth IS NULL
"""
_FORGET = "DELETE FROM forecast_made WHERE site = $1 AND made_on < $2"
_PAST = """
SELECT week, q10, q50, q90, truth FROM forecast_made
WHERE site = $1 AND truth IS NOT NULL ORDER BY made_on DESC, need, week LIMIT $2
"""
# A site keeps a year of forecasts; what they say is read of the newest ones.
KEPT = timedelta(days=366)
_READ = 20_000
_FILLED_AT_ONCE = 5_000


async def first_visits(tx: Transaction, site: str, *, zone: str, now: datetime) -> Sequence[FirstVisitCount]:
    """Count the first visits of a site that wait for a time or are still to come, by due day and day."""
    standing = [str(status) for status in STANDING]
    found = await tx.records(_FIRST_VISITS, site, zone, standing, now)
    return [FirstVisitCount(**record) for record in found]


async def accepted(
    tx: Transaction, site: str, *, zone: str, since: datetime, until: datetime
) -> Sequence[AcceptedCount]:
    """Count the referrals that a site accepted, by local day and due day."""
    found = await tx.records(_ACCEPTED, site, zone, since, until)
    return [AcceptedCount(**record) for record in found]


async def accepts_since(tx: Transaction, site: str) -> datetime | None:
    """Read when a site accepted its first referral; None where it has accepted none."""
    found: datetime | None = await tx.value(_SINCE, site)
    return found


async def outcomes(tx: Transaction, site: str, *, since: datetime, until: datetime) -> Outcomes:
    """Count the first visits of a site to which nobody came, and those that took place."""
    held = [str(AppointmentStatus.MISSED), str(AppointmentStatus.FULFILLED)]
    [record] = await tx.records(_OUTCOMES, site, since, until, held)
    return Outcomes(**record)


async def keep(tx: Transaction, rows: Sequence[ForecastMade]) -> None:
    """Keep the forecast of a site and day; one that is kept already stands."""
    if rows:
        first = rows[0]
        columns = [[getattr(row, name) for row in rows] for name in ("need", "week", "q10", "q50", "q90")]
        await tx.run(_KEEP, first.site, first.made_on, first.made_at, *columns)


async def over(tx: Transaction, site: str, *, today: date) -> Sequence[tuple[str, date, int]]:
    """Read of which forecasts the week is over and nobody has said what came true: need, day, week."""
    found = await tx.records(_OPEN, site, today, _FILLED_AT_ONCE)
    return [(record["need"], record["made_on"], record["week"]) for record in found]


async def breached(
    tx: Transaction, site: str, *, after: datetime, until: datetime
) -> Sequence[tuple[str, date, int]]:
    """Count the guarantees that were broken, by programme and due day."""
    found = await tx.records(_BREACHED, site, str(GuaranteeStatus.BREACHED), after, until)
    return [(record["programme"], record["due_on"], record["number"]) for record in found]


async def fill(tx: Transaction, site: str, truths: Sequence[tuple[str, date, int, int]]) -> None:
    """Say what came true: need, day and week of a forecast, and the number of breaches."""
    if truths:
        await tx.run(_FILL, site, *map(list, zip(*truths, strict=True)))


async def forget(tx: Transaction, site: str, *, before: date) -> None:
    """Forget the forecasts that were made before a day."""
    await tx.run(_FORGET, site, before)


async def past(tx: Transaction, site: str) -> Sequence[MadeForecast]:
    """Read what past forecasts of a site said and what came true, the newest ones."""
    found = await tx.records(_PAST, site, _READ)
    return [MadeForecast(**record) for record in found]
