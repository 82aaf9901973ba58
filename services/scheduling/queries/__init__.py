"""Every SELECT and every claim of scheduling."""

from services.scheduling.queries.occupancy import (
    Claim,
    claim,
    claim_each,
    count_freed,
    freed,
    know_resources,
    release,
    taken,
    taken_in,
)
from services.scheduling.queries.reading import (
    appointment_by_id,
    appointment_visible_to,
    first_appointments,
    funding_of,
    guarantee_of,
    guarantees_visible_to,
    known_referrals,
    locked_appointment,
    locked_referral,
    series_of,
    sessions_of,
    waiting_at,
)
from services.scheduling.queries.scope import (
    appointment_scope,
    guarantee_scope,
    series_scope,
)

__all__ = [
    "Claim",
    "appointment_by_id",
    "appointment_scope",
    "appointment_visible_to",
    "claim",
    "claim_each",
    "count_freed",
    "first_appointments",
    "freed",
    "funding_of",
    "guarantee_of",
    "guarantee_scope",
    "guarantees_visible_to",
    "know_resources",
    "known_referrals",
    "locked_appointment",
    "locked_referral",
    "release",
    "series_of",
    "series_scope",
    "sessions_of",
    "taken",
    "taken_in",
    "waiting_at",
]
