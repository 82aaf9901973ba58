"""The pages, a module for each part of the work."""

from services.portal.api.pages import audit, claims, day, meetings, messages, new_referral, referrals

ROUTES = (
    *referrals.ROUTES,
    *new_referral.ROUTES,
    *day.ROUTES,
    *meetings.ROUTES,
    *messages.ROUTES,
    *claims.ROUTES,
    *audit.ROUTES,
)
