"""What came with a referral."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col

from services.referral.models.rows import Enclosure
from services.referral.models.tables import EnclosureTable
from shared.db import Transaction

_OF_REFERRAL = "SELECT * FROM enclosure WHERE referral_id = $1 ORDER BY id"
_BY_ID = "SELECT * FROM enclosure WHERE id = ANY($1::uuid[])"


async def of_referral(tx: Transaction, referral_id: UUID) -> Sequence[Enclosure]:
    """List what came with a referral, in the order of arrival."""
    return await tx.rows(Enclosure, _OF_REFERRAL, referral_id)


async def by_id(tx: Transaction, ids: Sequence[UUID]) -> Sequence[Enclosure]:
    """List enclosures by their ids."""
    return await tx.rows(Enclosure, _BY_ID, list(ids)) if ids else ()


def names_its_referral() -> ColumnElement[bool]:
    """Hold for what refers to the referral that it came with: some of it only lies beside the referral."""
    named = func.concat('"ServiceRequest/', cast(col(EnclosureTable.referral_id), Text))
    found: ColumnElement[bool] = func.strpos(func.convert_from(col(EnclosureTable.body), "UTF8"), named) > 0
    return found


def is_about_its_patient() -> ColumnElement[bool]:
    """Hold for a Provenance whose target is the patient: an author it may be of any."""
    named = func.concat('"Patient/', cast(col(EnclosureTable.patient_id), Text))
    body = cast(func.convert_from(col(EnclosureTable.body), "UTF8"), JSONB)
    found: ColumnElement[bool] = func.strpos(cast(body["target"], Text), named) > 0
    return found
