"""The pages, a module for each part of the work."""

from services.portal.api.pages import (
    answers,
    audit,
    claims,
    day,
    meetings,
    messages,
    new_referral,
    patients,
    plans,
    referrals,
    teams,
)

ROUTES = (
    *referrals.ROUTES,
    *new_referral.ROUTES,
    *answers.ROUTES,
    *day.ROUTES,
    *patients.ROUTES,
    *plans.ROUTES,
    *teams.ROUTES,
    *meetings.ROUTES,
    *messages.ROUTES,
    *claims.ROUTES,
    *audit.ROUTES,
)
