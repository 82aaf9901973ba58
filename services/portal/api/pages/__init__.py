"""The pages, a module for each part of the work."""

from services.portal.api.pages import claims, new_referral, referrals

ROUTES = (*referrals.ROUTES, *new_referral.ROUTES, *claims.ROUTES)
