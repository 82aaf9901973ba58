"""The HTTP border of this service: parse, one use case, answer."""

from services.referral.api import intake, reads, work

ROUTERS = (intake.router, work.router, reads.router)
