"""The row scope of messages: who may read which."""

from sqlalchemy import ColumnElement, and_, exists, false, or_
from sqlmodel import col

from services.notifications.models import KnownAuthorization, Notification, TeamMember
from services.notifications.states import Audience
from shared.auth.principal import Principal


def visible_to(reader: Principal) -> ColumnElement[bool]:
    """Cut messages to the reader's scope: a coordinator its site's, everybody else what was sent to them."""
    match reader.party:
        case "coordinator":
            return col(Notification.site) == reader.site if reader.site else false()
        case "clinician":
            return and_(
                col(Notification.recipient) == f"Practitioner/{reader.practitioner}", _on_team(reader)
            )
        case "referrer":
            return _sent_to(reader, Audience.REFERRER)
        case "insurer":
            return and_(_sent_to(reader, Audience.INSURER), _claim_consented())
        case _:
            return false()


def _sent_to(reader: Principal, audience: Audience) -> ColumnElement[bool]:
    return and_(
        col(Notification.recipient) == f"Organization/{reader.organization}",
        col(Notification.audience).in_([audience, Audience.OWNER]),
    )


def _on_team(reader: Principal) -> ColumnElement[bool]:
    """What was told to a team is its members', and whoever left it sees nothing of the patient any more."""
    member = exists().where(
        col(TeamMember.referral_id) == col(Notification.referral_id),
        col(TeamMember.practitioner) == reader.practitioner,
    )
    return or_(col(Notification.audience) != Audience.TEAM, member)


def _claim_consented() -> ColumnElement[bool]:
    return exists().where(
        col(KnownAuthorization.claim_id) == col(Notification.claim_id), col(KnownAuthorization.consented)
    )
