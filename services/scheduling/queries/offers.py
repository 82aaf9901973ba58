"""Freed times, to whom they were offered, and whom to ask next."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.scheduling.models.offers import OfferRound, TimeOffer
from services.scheduling.models.rows import Appointment
from services.scheduling.models.task_tables import OfferTable
from services.scheduling.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction

_ROUND = "SELECT * FROM offer_round WHERE id = $1 FOR UPDATE"
_OF_GROUP = """
SELECT * FROM offer_round WHERE group_session = $1 AND status = 'open' ORDER BY id FOR UPDATE
"""
_ASKED = """
SELECT * FROM offer_round WHERE site = $1 AND status = 'open' AND batch > 0 ORDER BY id FOR UPDATE
"""
_OPEN = "SELECT * FROM offer WHERE round_id = $1 AND status = 'requested' ORDER BY id FOR UPDATE"
_IS_ASKED = "SELECT EXISTS (SELECT FROM offer WHERE round_id = $1 AND status = 'requested')"
_OF_VISIT = "SELECT * FROM offer WHERE appointment_id = $1 AND status = 'requested' FOR UPDATE"
_LOCKED = "SELECT * FROM offer WHERE id = $1 FOR UPDATE"
_BY_IDS = "SELECT * FROM offer WHERE id = ANY($1::uuid[])"
# Who is booked too late comes first, then who would gain most.
_TO_ASK = """
SELECT appointment.* FROM appointment JOIN referral ON referral.id = appointment.referral_id
WHERE appointment.site = $1 AND appointment.status = 'booked' AND appointment.starts_at >= $2
  AND appointment.kind = $3 AND appointment.visit_type IS NOT DISTINCT FROM $4
  AND appointment.programme = ANY($5::text[]) AND appointment.minutes = $6
  AND appointment.overbooked_because IS NULL AND appointment.patient_id <> $7
  AND (appointment.group_session IS NULL) = $11 AND appointment.series_id IS NULL
  AND referral.state = 'open'
  AND NOT EXISTS (
    SELECT FROM offer WHERE offer.patient_id = appointment.patient_id
      AND (offer.round_id = $8 OR offer.status = 'requested'))
ORDER BY (appointment.starts_at >= appointment.due_at) DESC, appointment.starts_at DESC, appointment.id
LIMIT $9 OFFSET $10
"""
_PROMISED = """
SELECT EXISTS (
  SELECT FROM appointment WHERE site = $1 AND status = 'proposed' AND programme = ANY($2::text[]))
"""
_COUNTED = """
SELECT count(*) AS freed, count(*) FILTER (WHERE status = 'filled') AS filled,
  count(*) FILTER (WHERE asked > 0) AS offered, count(*) FILTER (WHERE status = 'taken') AS taken,
  count(*) FILTER (WHERE status = 'left') AS "left"
FROM offer_round WHERE site = $1 AND starts_at >= $2 AND starts_at < $3
"""


async def round_locked(tx: Transaction, round_id: UUID) -> OfferRound | None:
    """Lock a freed time."""
    return await tx.row(OfferRound, _ROUND, round_id)


async def rounds_of_group(tx: Transaction, session_id: UUID) -> Sequence[OfferRound]:
    """Lock the freed seats of a group session that are still to be given."""
    return await tx.rows(OfferRound, _OF_GROUP, session_id)


async def rounds_asked(tx: Transaction, site: str) -> Sequence[OfferRound]:
    """Lock the freed times of a site that people were asked about and that are still to be given."""
    return await tx.rows(OfferRound, _ASKED, site)


async def open_of(tx: Transaction, round_id: UUID) -> Sequence[TimeOffer]:
    """Lock the open offers of a freed time."""
    return await tx.rows(TimeOffer, _OPEN, round_id)


async def is_asked(tx: Transaction, round_id: UUID) -> bool:
    """Tell whether somebody is asked about a freed time now, without a lock."""
    return bool(await tx.value(_IS_ASKED, round_id))


async def open_of_visit(tx: Transaction, appointment_id: UUID) -> TimeOffer | None:
    """Lock the open offer of another time for a visit."""
    return await tx.row(TimeOffer, _OF_VISIT, appointment_id)


async def locked(tx: Transaction, offer_id: UUID) -> TimeOffer | None:
    """Lock an offer."""
    return await tx.row(TimeOffer, _LOCKED, offer_id)


async def by_ids(tx: Transaction, ids: Collection[UUID]) -> Sequence[TimeOffer]:
    """Read offers, without a lock."""
    return await tx.rows(TimeOffer, _BY_IDS, list(ids))


async def visible_to(tx: Transaction, principal: Principal, offer_id: UUID | str) -> TimeOffer | None:
    """Read an offer that this caller may see, without a lock."""
    visible = scope.tasks(principal, table=OfferTable)
    return await scope.find(tx, TimeOffer, offer_id, table=OfferTable, visible=visible)


async def to_ask(
    tx: Transaction,
    freed: OfferRound,
    *,
    programmes: Sequence[str],
    later_than: datetime,
    limit: int,
    skip: int,
) -> Sequence[Appointment]:
    """Read who has such a visit later and was not asked about this time, nor is asked about another now."""
    return await tx.rows(
        Appointment,
        _TO_ASK,
        *(freed.site, later_than, freed.kind, freed.visit_type, list(programmes), freed.minutes),
        *(freed.patient_id, freed.id, limit, skip, freed.group_session is None),
    )


async def is_promised(tx: Transaction, site: str, *, programmes: Sequence[str]) -> bool:
    """Tell whether somebody waits for the plan of an evening to find a day for such a visit."""
    return bool(await tx.value(_PROMISED, site, list(programmes)))


async def counted(tx: Transaction, site: str, *, since: datetime, until: datetime) -> Mapping[str, int]:
    """Count what became of the freed times of a site that begin in a period."""
    [record] = await tx.records(_COUNTED, site, since, until)
    return dict(record)
