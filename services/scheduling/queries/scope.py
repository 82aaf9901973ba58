"""The row scope as SQL: a coordinator's site, a clinician's own visits, a referrer's own referrals.

An insurer and an operator see nothing here.
"""

from typing import Any

from sqlalchemy import ColumnElement, exists, false
from sqlmodel import col

from services.scheduling.models import Appointment, Guarantee, Series
from shared.auth.principal import Principal


def appointment_scope(principal: Principal) -> ColumnElement[bool]:
    """The appointments that a caller may see."""
    return _scope(
        principal,
        site=col(Appointment.site),
        requester=col(Appointment.requester),
        own=col(Appointment.practitioner) == principal.practitioner,
    )


def series_scope(principal: Principal) -> ColumnElement[bool]:
    """The series that a caller may see; a clinician those with a session of their own."""
    own = exists().where(
        col(Appointment.series_id) == Series.id, col(Appointment.practitioner) == principal.practitioner
    )
    return _scope(principal, site=col(Series.site), requester=col(Series.requester), own=own)


def guarantee_scope(principal: Principal) -> ColumnElement[bool]:
    """The promises that a caller may see; a clinician those of patients with a visit of their own."""
    own = exists().where(
        col(Appointment.referral_id) == Guarantee.referral_id,
        col(Appointment.practitioner) == principal.practitioner,
    )
    return _scope(principal, site=col(Guarantee.site), requester=col(Guarantee.requester), own=own)


def _scope(principal: Principal, *, site: Any, requester: Any, own: Any) -> ColumnElement[bool]:
    if principal.party == "coordinator" and principal.site is not None:
        return _sql(site == principal.site)
    if principal.party == "clinician" and principal.practitioner is not None:
        return _sql(own)
    if principal.party == "referrer" and principal.organization is not None:
        return _sql(requester == principal.organization)
    return false()


def _sql(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return condition
