"""The pages, a module for each part of the work."""

from services.portal.api.pages import (
    answers,
    audit,
    calendar,
    claims,
    day,
    forecast,
    meetings,
    messages,
    new_referral,
    operating,
    patients,
    plans,
    referrals,
    teams,
    today,
    visits,
)

ROUTES = (
    *referrals.ROUTES,
    *new_referral.ROUTES,
    *answers.ROUTES,
    *today.ROUTES,
    *calendar.ROUTES,
    *forecast.ROUTES,
    *visits.ROUTES,
    *day.ROUTES,
    *patients.ROUTES,
    *plans.ROUTES,
    *teams.ROUTES,
    *meetings.ROUTES,
    *messages.ROUTES,
    *claims.ROUTES,
    *operating.ROUTES,
    *audit.ROUTES,
)
