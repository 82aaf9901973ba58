"""The HTTP border of this service: parse, one use case, answer."""

from services.referral.api import (
    analytics,
    attachments,
    definitions,
    intake,
    reads,
    revoking,
    work,
    worklist,
)

ROUTERS = (
    intake.router,
    work.router,
    revoking.router,
    attachments.router,
    analytics.router,
    worklist.router,
    reads.router,
    definitions.router,
)
