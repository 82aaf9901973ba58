"""The directory as a caller reads it: the clinic's own, and what senders sent of the same types.

Invariants:
- A row of the clinic's is the same for everybody and shows the id of clinic.yaml; a row of a sender's belongs
  to its referral, has that referral's row scope and shows its own id.
- What a sender's resource is searched by is read out of its bytes, where a search asks for it.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Text,
    Uuid,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.referral.models.tables import EnclosureTable, ReferralTable
from services.referral.queries import scope
from shared.auth.principal import Principal
from shared.db import core
from shared.directory import rows

_STORED = ("id", "version", "last_updated", "body", "type", "identifiers")
_TEXTS = ("name", "family", "given", "status", "organization", "practitioner", "part_of")
_LISTS = ("locations", "services", "specialties", "categories", "codes", "characteristics")


def _of_senders() -> Any:
    sent = core.columns(EnclosureTable)
    resource = cast(func.convert_from(sent.body, "UTF8"), JSONB)
    family, given = _first(resource, ("name", "0", "family")), _first(resource, ("name", "0", "given", "0"))
    texts = {
        "name": case(
            (func.jsonb_typeof(resource["name"]) == "string", _first(resource, ("name",))),
            else_=func.coalesce(
                _first(resource, ("name", "0", "text")), func.nullif(func.concat_ws(" ", given, family), "")
            ),
        ),
        "family": family,
        "given": given,
        "status": _first(resource, ("active",), ("status",)),
        "organization": _referred(resource, ("organization", "reference"), ("providedBy", "reference")),
        "practitioner": _referred(resource, ("practitioner", "reference")),
        "part_of": _referred(resource, ("partOf", "reference")),
    }
    return select(
        *(sent[name] for name in _STORED),
        *(texts[name].label(name) for name in _TEXTS),
        *(cast(null(), ARRAY(Text)).label(name) for name in _LISTS),
        sent.patient_id,
        sent.referral_id,
        sent.requester,
        cast(null(), Text).label("logical_id"),
        literal(False).label("is_ours"),
    ).where(sent.type.in_(rows.TYPES))


def _of_the_clinic() -> Any:
    ours = rows.COLUMNS
    return select(
        *(ours[name] for name in (*_STORED, *_TEXTS, *_LISTS)),
        cast(null(), Uuid).label("patient_id"),
        cast(null(), Uuid).label("referral_id"),
        cast(null(), Text).label("requester"),
        ours.logical_id,
        literal(True).label("is_ours"),
    )


def _first(resource: Any, *paths: tuple[str, ...]) -> Any:
    return func.coalesce(*(func.jsonb_extract_path_text(resource, *path) for path in paths))


def _referred(resource: Any, *paths: tuple[str, ...]) -> Any:
    return func.split_part(_first(resource, *paths), "/", 2)


DIRECTORY = union_all(_of_senders(), _of_the_clinic()).subquery("directory").c


def of_type(resource_type: str) -> Callable[[Principal], ColumnElement[bool]]:
    """Give the row scope of a type: all of the clinic's, and what was sent with the caller's referrals."""

    def visible(principal: Principal) -> ColumnElement[bool]:
        # A subquery for each row, and no list of all referrals that the caller may see: a read finds one row.
        sent: ColumnElement[bool] = exists(
            select(literal(1)).where(
                core.columns(ReferralTable).id == DIRECTORY.referral_id, scope.referrals(principal)
            )
        )
        if principal.party == "referrer":
            sent = and_(sent, DIRECTORY.requester == principal.organization)
        return and_(DIRECTORY.type == resource_type, or_(DIRECTORY.is_ours, sent))

    return visible
