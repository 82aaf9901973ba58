"""Every SELECT and lock of this service, and the row scopes."""

from services.referral.queries import (
    analytics,
    attachments,
    claims,
    directory,
    enclosures,
    intake,
    messages,
    overdue,
    patients,
    referrals,
    scope,
    tasks,
)
