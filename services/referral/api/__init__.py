"""The HTTP border of this service: parse, one use case, answer."""

from services.referral.api import intake, reads, referral_acts, work

# The operations come before `/{id}`, so that no id can hide one.
ROUTERS = (intake.router, referral_acts.router, work.router, reads.router)

__all__ = ["ROUTERS"]
