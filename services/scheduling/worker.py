"""The worker of scheduling: what it receives, what falls due, and how it starts."""

from functools import partial

from services.scheduling import handlers
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared.events.inbox.handling import BatchHandler
from shared.events.topics import CARETEAM, NOTIFICATIONS, REFERRAL
from shared.events.worker import Worker
from shared.runtime import Runtime

_TEAMS = BatchHandler(handlers.on_teams)
# Handlers claim things that others claim too: a batch is short enough that nobody waits long for its commit.
_BATCH = 50


def create_worker(runtime: Runtime) -> Worker:
    """Make the worker: handlers, timers, and an offer of free time at the start."""
    cache = AvailabilityCache()
    return Worker(
        runtime,
        topics=(REFERRAL, CARETEAM, NOTIFICATIONS),
        handlers={
            "referral.accepted": BatchHandler(partial(handlers.on_referrals_accepted, cache=cache)),
            "referral.another-time-requested": handlers.on_another_time_requested,
            "referral.priority-changed": handlers.on_priority_changed,
            "referral.revoked": handlers.on_referral_revoked,
            "referral.closed": handlers.on_referral_closed,
            "referral.merged": handlers.on_referral_merged,
            "appointment.answered": partial(handlers.on_appointment_answered, cache=cache),
            "authorization.pended": handlers.on_authorization_changed,
            "authorization.decided": handlers.on_authorization_changed,
            "authorization.cancelled": handlers.on_authorization_changed,
            "careteam.formed": _TEAMS,
            "careteam.changed": _TEAMS,
            "offer.answered": handlers.on_offer_answered,
            "patient.changed": handlers.on_patient_changed,
            "patient.discharged": handlers.on_patient_discharged,
            "patient.not-told": handlers.on_patient_not_told,
            "patient.told": handlers.on_patient_told,
        },
        timers={
            TimerKind.AT_RISK: handlers.on_at_risk_due,
            TimerKind.DUE: partial(handlers.on_guarantee_due, cache=cache),
            TimerKind.FORECAST: handlers.on_forecast_due,
            TimerKind.SECOND_DUE: handlers.on_second_due,
            TimerKind.HOLD: handlers.on_hold_due,
            TimerKind.OFFER: handlers.on_offer_due,
            TimerKind.ROUND: handlers.on_round_due,
            TimerKind.RECORD: handlers.on_record_due,
            TimerKind.RECHECK: partial(handlers.on_recheck_due, cache=cache),
            TimerKind.LOOK: handlers.on_look_due,
            TimerKind.TRY: partial(handlers.on_try_due, cache=cache),
            TimerKind.PLAN: handlers.on_plan_due,
            TimerKind.TELL: partial(handlers.on_planned_day_due, cache=cache),
        },
        batch=_BATCH,
        on_start=handlers.on_start,
    )
