"""The guarantees of a site as a board: a page of them in the order of their ends, and their figures."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select
from sqlmodel import col

from services.scheduling.models.guarantees import GuaranteeFigures, GuaranteeFilter, GuaranteeOverview
from services.scheduling.models.rows import Appointment, Guarantee, KnownPatient, Referral
from services.scheduling.models.tables import GuaranteeTable, ReferralTable
from services.scheduling.queries import scope
from services.scheduling.states import LIVE_FIRST
from shared.auth.principal import Principal
from shared.db import Transaction
from shared.errors import Invalid
from shared.fhir import merged_pages, search_pages
from shared.people import KnownPerson

_KEYS: tuple[Any, ...] = (col(GuaranteeTable.due_at), col(GuaranteeTable.id))
_GUARANTEES = "SELECT * FROM guarantee WHERE id = ANY($1::uuid[])"
_REFERRALS = "SELECT * FROM referral WHERE id = ANY($1::uuid[])"
_LIVING = """
SELECT * FROM appointment
WHERE referral_id = ANY($1::uuid[]) AND kind IN ('first', 'joint-first') AND status = ANY($2::text[])
"""
_PEOPLE = "SELECT * FROM known_patient WHERE id = ANY($1::text[])"
_BY_STATUS = """
SELECT status, count(*)::int AS rows FROM guarantee
WHERE site = $1 AND due_at > $2 AND due_at <= $3
  AND (cardinality($4::text[]) = 0
       OR EXISTS (SELECT FROM referral WHERE id = referral_id AND priority = ANY($4::text[])))
GROUP BY status
"""
_WAITS = """
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY raw_days) AS median,
  percentile_disc(0.9) WITHIN GROUP (ORDER BY raw_days) AS ninetieth
FROM guarantee JOIN appointment ON appointment.referral_id = guarantee.referral_id
WHERE guarantee.site = $1 AND guarantee.due_at > $2 AND guarantee.due_at <= $3 AND raw_days IS NOT NULL
  AND appointment.kind IN ('first', 'joint-first') AND appointment.status = 'fulfilled'
  AND (cardinality($4::text[]) = 0
       OR EXISTS (SELECT FROM referral WHERE id = guarantee.referral_id AND priority = ANY($4::text[])))
"""


async def page(
    tx: Transaction, principal: Principal, asked: GuaranteeFilter, *, count: int, after: str | None
) -> tuple[list[UUID], int, str | None]:
    """Read the ids of one page, how many there are in all, and the token of the next page.

    Raises Invalid for a token that is none of ours.
    """
    branches = [_branch(principal, asked, status=status) for status in dict.fromkeys(asked.statuses)]
    behind = branches if after is None else [one.where(_after(after, asked)) for one in branches]
    found = []
    if count and behind:
        merged = merged_pages.merged(
            behind, keys=("due_at", "id"), limit=count + 1, descending=asked.descending
        )
        found = await tx.select(merged)
    total = await merged_pages.counted(tx, (("all", branch.order_by(None)) for branch in branches))
    shown = found[:count]
    following = search_pages.token([*shown[-1]]) if len(found) > count else None
    return [record["id"] for record in shown], total.get("all", 0), following


async def overviews(tx: Transaction, ids: Sequence[UUID]) -> list[GuaranteeOverview]:
    """Read these guarantees with what belongs to them, in this order."""
    found = {row.id: row for row in await guarantees(tx, ids)}
    referrals = await referrals_of(tx, {row.referral_id for row in found.values()})
    living = await tx.rows(Appointment, _LIVING, list(referrals), [*map(str, LIVE_FIRST)])
    firsts = {row.referral_id: row for row in living}
    known = await people(tx, referrals.values())
    return [
        GuaranteeOverview(
            guarantee=found[id],
            referral=referrals[found[id].referral_id],
            first=firsts.get(found[id].referral_id),
            person=known[found[id].referral_id],
        )
        for id in ids
    ]


async def guarantees(tx: Transaction, ids: Collection[UUID]) -> Sequence[Guarantee]:
    """Read guarantees by their ids, without a lock."""
    return await tx.rows(Guarantee, _GUARANTEES, list(ids))


async def referrals_of(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, Referral]:
    """Read referrals by their ids, without a lock."""
    return {row.id: row for row in await tx.rows(Referral, _REFERRALS, list(ids))}


async def people(tx: Transaction, referrals: Collection[Referral]) -> dict[UUID, KnownPerson | None]:
    """Read who the patients of referrals are, by the referrals' ids: as they are known now, else as they were
    when the referral was accepted.
    """
    patients = {row.patient_id for row in referrals}
    known = {row.id: row.person for row in await tx.rows(KnownPatient, _PEOPLE, list(patients))}
    return {row.id: known.get(row.patient_id) or row.person for row in referrals}


async def figures(
    tx: Transaction, site: str, *, after: datetime, until: datetime, priorities: Sequence[str] = ()
) -> GuaranteeFigures:
    """Count the guarantees of a site that end after one moment and not after another, of these priorities or
    of all.
    """
    found = await tx.records(_BY_STATUS, site, after, until, list(priorities))
    [waits] = await tx.records(_WAITS, site, after, until, list(priorities))
    return GuaranteeFigures(
        by_status={record["status"]: record["rows"] for record in found},
        median_days=waits["median"],
        p90_days=waits["ninetieth"],
    )


def _branch(principal: Principal, asked: GuaranteeFilter, *, status: str) -> Select[Any]:
    due = col(GuaranteeTable.due_at)
    holds: list[ColumnElement[bool]] = [
        scope.guarantees(principal),
        col(GuaranteeTable.status) == status,
        *([due >= asked.due_from] if asked.due_from is not None else []),
        *([due <= asked.due_until] if asked.due_until is not None else []),
    ]
    if asked.programme is not None:
        of_programme = select(col(ReferralTable.id)).where(col(ReferralTable.programme) == asked.programme)
        holds.append(col(GuaranteeTable.referral_id).in_(of_programme))
    if asked.priorities:
        of_priority = select(col(ReferralTable.id)).where(col(ReferralTable.priority).in_(asked.priorities))
        holds.append(col(GuaranteeTable.referral_id).in_(of_priority))
    order = [key.desc() if asked.descending else key for key in _KEYS]
    columns: list[Any] = [due.label("due_at"), col(GuaranteeTable.id).label("id")]
    return select(*columns).where(and_(*holds)).order_by(*order)


def _after(text: str, asked: GuaranteeFilter) -> ColumnElement[bool]:
    values = search_pages.values_of(text)
    match values:
        case [datetime() as due, UUID()] if due.tzinfo is not None:
            return merged_pages.after(_KEYS, values, descending=asked.descending)
    raise Invalid("this token is of another list", expression="_after")
