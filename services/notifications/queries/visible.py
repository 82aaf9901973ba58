"""The row scope of messages: who may read which."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select
from sqlmodel import col

from services.notifications.models.tables import (
    KnownAuthorizationTable,
    KnownReferralTable,
    NotificationTable,
    TeamMemberTable,
)
from services.notifications.states import Audience
from shared.auth.principal import Principal


def visible_to(reader: Principal) -> ColumnElement[bool]:
    """Cut messages to the reader's scope: a coordinator its site's, everybody else what was sent to them."""
    match reader.party:
        case "coordinator":
            return col(NotificationTable.site) == reader.site if reader.site else false()
        case "clinician":
            return and_(
                col(NotificationTable.recipient) == f"Practitioner/{reader.practitioner}", _on_team(reader)
            )
        case "referrer":
            return _sent_to(reader, Audience.REFERRER)
        case "insurer":
            return and_(_sent_to(reader, Audience.INSURER), _claim_consented())
        case _:
            return false()


def patients_of_site(site: str) -> Select[Any]:
    """Select the ids of a site's patients: whose AuditEvents its coordinators read."""
    return select(col(KnownReferralTable.patient_id)).where(col(KnownReferralTable.site) == site)


def _sent_to(reader: Principal, audience: Audience) -> ColumnElement[bool]:
    return and_(
        col(NotificationTable.recipient) == f"Organization/{reader.organization}",
        col(NotificationTable.audience).in_([audience, Audience.OWNER]),
    )


def _on_team(reader: Principal) -> ColumnElement[bool]:
    """What was told to a team is its members', and whoever left it sees nothing of the patient any more."""
    member = exists().where(
        col(TeamMemberTable.referral_id) == col(NotificationTable.referral_id),
        col(TeamMemberTable.practitioner) == reader.practitioner,
    )
    return or_(col(NotificationTable.audience) != Audience.TEAM, member)


def _claim_consented() -> ColumnElement[bool]:
    return exists().where(
        col(KnownAuthorizationTable.claim_id) == col(NotificationTable.claim_id),
        col(KnownAuthorizationTable.consented),
    )
