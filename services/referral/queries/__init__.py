"""Every SELECT and lock of this service, and the row scopes."""

from services.referral.queries import (
    analytics,
    attachments,
    claims,
    directory,
    enclosures,
    found_by,
    intake,
    messages,
    overdue,
    patients,
    referrals,
    scope,
    tasks,
    units,
    worklist,
)
