"""The worker of scheduling: what it hears, what falls due, and how it starts."""

from functools import partial

from services.scheduling import handlers
from services.scheduling.settings import Desk
from services.scheduling.use_cases import TimerKind
from shared.events.inbox.handling import BatchHandler
from shared.events.topics import CARETEAM, REFERRAL
from shared.events.worker import Worker
from shared.runtime import Runtime

# Handlers claim things that others claim too: a batch is short enough that nobody waits long for its commit.
_BATCH = 50


def create_worker(runtime: Runtime) -> Worker:
    """Make the worker: handlers, timers, and an offer of free time at the start."""
    desk = Desk.of(runtime)
    return Worker(
        runtime,
        topics=(REFERRAL, CARETEAM),
        handlers={
            "referral.accepted": BatchHandler(partial(handlers.on_referrals_accepted, desk=desk)),
            "referral.revoked": partial(handlers.on_referral_revoked, desk=desk),
            "referral.closed": partial(handlers.on_referral_closed, desk=desk),
            "referral.merged": partial(handlers.on_referral_merged, desk=desk),
            "authorization.pended": partial(handlers.on_authorization_changed, desk=desk),
            "authorization.decided": partial(handlers.on_authorization_changed, desk=desk),
            "authorization.cancelled": partial(handlers.on_authorization_changed, desk=desk),
            "patient.discharged": partial(handlers.on_patient_discharged, desk=desk),
        },
        timers={
            TimerKind.AT_RISK: partial(handlers.on_at_risk_due, desk=desk),
            TimerKind.DUE: partial(handlers.on_promise_due, desk=desk),
            TimerKind.OFFER: partial(handlers.on_offer_due, desk=desk),
            TimerKind.TRY: partial(handlers.on_try_due, desk=desk),
        },
        batch=_BATCH,
        on_start=partial(handlers.on_start, desk=desk),
    )
