"""Row scopes: which rows a caller's party may reach, as SQL (docs/how/access.md).

- referrer: its own organisation's referrals and all that belongs to them;
- coordinator: its site's;
- clinician: those in whose care team they are now, or were until the team's own end, and urgent ones that
  wait for their decision;
- insurer: its own Claims with the patient's active consent, and the Coverage and Task that belong to them;
- operator: nothing.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, cast, false, literal, or_, select, union_all
from sqlmodel import col

from services.referral.models.tables import (
    AttachmentTable,
    AttachmentUseTable,
    ClaimResponseTable,
    ClaimTable,
    EnclosureTable,
    PatientTable,
    ReferralTable,
    SourceRecordTable,
    TaskTable,
)
from shared.auth.principal import Principal
from shared.db import Transaction, core
from shared.db.models import Resource
from shared.fhir.codes import TaskCode
from shared.fhir.search_values import as_uuid

Row = TypeVar("Row", bound=Resource)
RowRule = Callable[[Principal], ColumnElement[bool]]

ROWS = (
    "a referrer's own referrals; a coordinator's site; a clinician's own teams, and what waits for their "
    "triage; an insurer's own Claims with active consent"
)


async def find(
    tx: Transaction,
    row: type[Row],
    row_id: UUID | str,
    *,
    table: type[Resource],
    visible: ColumnElement[bool],
    lock: bool = False,
) -> Row | None:
    """Find a row inside a scope, and lock it where that is wanted; what is no id of ours finds none."""
    key, columns = as_uuid(row_id), core.columns(table)
    if key is None:
        return None
    wanted = select(*columns).where(columns.id == key, visible)
    found = await tx.select(wanted.with_for_update() if lock else wanted)
    return row(**found[0]) if found else None


def referrals(principal: Principal) -> ColumnElement[bool]:
    """The referrals that a caller may see."""
    if principal.party == "referrer" and principal.organization is not None:
        return col(ReferralTable.requester) == principal.organization
    if principal.party == "coordinator" and principal.site is not None:
        return col(ReferralTable.site) == principal.site
    if principal.party == "clinician" and principal.practitioner is not None:
        mine = [principal.practitioner]
        return or_(col(ReferralTable.team).contains(mine), col(ReferralTable.reviewers).contains(mine))
    return false()


def patients_of_site(site: str) -> Select[Any]:
    """Select the ids of a site's patients, as texts: whose AuditEvents its coordinators read."""
    return select(cast(col(ReferralTable.patient_id), Text)).where(col(ReferralTable.site) == site)


def patients(principal: Principal) -> ColumnElement[bool]:
    """The patients of the referrals that a caller may see."""
    return col(PatientTable.id).in_(select(col(ReferralTable.patient_id)).where(referrals(principal)))


def _patients_as_seen() -> Any:
    """Select each patient as the clinic knows them, and as each further sender has described them."""
    own, described = core.columns(PatientTable), core.columns(SourceRecordTable)
    shown = (
        "version",
        "last_updated",
        "body",
        "identifiers",
        "family",
        "given",
        "requester",
        "birth_date",
        "found_by",
    )
    return union_all(
        select(
            own.id,
            own.id.label("patient_id"),
            *(own[name] for name in shown),
            own.id.label("history_id"),
            literal(True).label("known"),
        ),
        select(
            described.patient_id.label("id"),
            described.patient_id.label("patient_id"),
            *(described[name] for name in shown),
            described.id.label("history_id"),
            literal(False).label("known"),
        ),
    ).subquery("patient_as_seen")


PATIENTS = _patients_as_seen().c


def patients_as_seen(principal: Principal) -> ColumnElement[bool]:
    """The patients of the referrals that a caller may see: a sender sees what it said of them itself."""
    mine = PATIENTS.id.in_(select(col(ReferralTable.patient_id)).where(referrals(principal)))
    if principal.party == "referrer":
        return and_(mine, PATIENTS.requester == principal.organization)
    return and_(mine, PATIENTS.known)


def claims(principal: Principal) -> ColumnElement[bool]:
    """The Claims that a caller may see; an insurer only with the patient's active consent."""
    if principal.party == "insurer" and principal.organization is not None:
        return and_(col(ClaimTable.payer) == principal.organization, col(ClaimTable.consented))
    return col(ClaimTable.referral_id).in_(_referral_ids(principal))


def claim_responses(principal: Principal) -> ColumnElement[bool]:
    """The answers to the Claims that a caller may see."""
    return col(ClaimResponseTable.claim_id).in_(select(col(ClaimTable.id)).where(claims(principal)))


def tasks(principal: Principal) -> ColumnElement[bool]:
    """The Tasks that a caller may see: an insurer the ones that wait for its decision."""
    if principal.party == "insurer" and principal.organization is not None:
        own_claims = select(col(ClaimTable.id)).where(claims(principal))
        return and_(col(TaskTable.owner) == principal.organization, col(TaskTable.claim_id).in_(own_claims))
    if principal.party == "referrer":
        return and_(
            col(TaskTable.referral_id).in_(_referral_ids(principal)), col(TaskTable.code).in_(_FOR_REFERRERS)
        )
    return col(TaskTable.referral_id).in_(_referral_ids(principal))


def enclosures(resource_type: str) -> RowRule:
    """The resources of one type that belong to referrals a caller may see."""

    def visible(principal: Principal) -> ColumnElement[bool]:
        return and_(col(EnclosureTable.type) == resource_type, _enclosures(resource_type, principal))

    return visible


def attachments(principal: Principal) -> ColumnElement[bool]:
    """The attachments that resources which a caller may see name; before that their uploader's own."""
    mine = select(col(EnclosureTable.id)).where(_enclosures("", principal))
    used = select(col(AttachmentUseTable.attachment_id)).where(col(AttachmentUseTable.enclosure_id).in_(mine))
    if principal.party == "referrer":
        return col(AttachmentTable.requester) == principal.organization
    if principal.party == "coordinator":
        own = col(AttachmentTable.requester) == principal.actor.reference
        return or_(own, col(AttachmentTable.id).in_(used))
    return col(AttachmentTable.id).in_(used)


def _enclosures(resource_type: str, principal: Principal) -> ColumnElement[bool]:
    if principal.party == "insurer":
        covered = select(col(ClaimTable.coverage_id)).where(claims(principal))
        return col(EnclosureTable.id).in_(covered) if resource_type == "Coverage" else false()
    belongs = col(EnclosureTable.referral_id).in_(_referral_ids(principal))
    if principal.party == "referrer":
        # What the clinic keeps for itself about a patient is no sender's to read.
        return and_(belongs, col(EnclosureTable.requester) == principal.organization)
    return belongs


def _referral_ids(principal: Principal) -> Any:
    return select(col(ReferralTable.id)).where(referrals(principal))


# What the clinic's own people and the insurer have to do is not the referrer's to read.
_FOR_REFERRERS = (TaskCode.PROCESS_REQUEST, TaskCode.ACKNOWLEDGE_EMERGENCY, TaskCode.ANSWER_CLINIC)
