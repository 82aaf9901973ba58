"""The process of this service that consumes events and fires timers."""

from services.referral import handlers, use_cases
from shared import directory, roster
from shared.events.catalog.scheduling import DirectoryChanged, RosterChanged
from shared.events.inbox.handling import BatchHandler, HandlerTable
from shared.events.topics import CARETEAM, SCHEDULING
from shared.events.worker import Worker
from shared.runtime import Runtime


def create_worker(runtime: Runtime) -> Worker:
    """Make the worker."""
    return Worker(
        runtime,
        topics=(SCHEDULING, CARETEAM),
        handlers=handler_table(),
        timers={
            use_cases.redirect.ESCALATION: handlers.on_escalation_due,
            use_cases.urgent_triage.OVERDUE: handlers.on_urgent_triage_overdue,
            use_cases.changes.WAITS_TOO_LONG: handlers.on_waiting_too_long,
            use_cases.nightly_look.NIGHTLY_LOOK: handlers.on_nightly_look,
            use_cases.nightly_look.LOOK_AT_ONE: handlers.on_look_at_one,
            use_cases.forget_attachments.UNATTACHED: handlers.on_unattached_attachments,
            use_cases.follow_consent.CONSENT_END: handlers.on_consent_end_due,
        },
        on_start=handlers.on_start,
    )


def handler_table() -> HandlerTable:
    """Give every event about a referral the one handler, so that a batch is taken together."""
    together: HandlerTable = dict.fromkeys(handlers.HANDLERS, BatchHandler(handlers.on_events))
    return {
        **together,
        DirectoryChanged.name: directory.copies.follow,
        RosterChanged.name: roster.copies.follow,
    }
