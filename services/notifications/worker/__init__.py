"""The worker of `notifications`: it hears every event of the other three services and sends what is due."""

from functools import partial

from services.notifications import handlers
from services.notifications.rules import TOLD
from services.notifications.settings import Settings
from services.notifications.worker.email import Smtp
from services.notifications.worker.sending import Sending
from shared.events.handling import HandlerTable, Together
from shared.events.topics import CARETEAM, REFERRAL, SCHEDULING
from shared.events.worker import Worker
from shared.runtime import Runtime

__all__ = ["Sending", "Smtp", "create_worker", "handler_table"]


def create_worker(runtime: Runtime) -> Worker:
    """Make the worker of this service."""
    mail = Smtp(runtime.smtp_url) if runtime.smtp_url else None
    return Worker(
        runtime,
        topics=(REFERRAL, SCHEDULING, CARETEAM),
        handlers=handler_table(runtime),
        timers={},
        loops=(Sending(runtime, mail=mail),),
    )


def handler_table(runtime: Runtime) -> HandlerTable:
    """Give every event type of the table the one handler, so that a batch is one run."""
    together = Together(partial(handlers.on_events, settings=Settings.of(runtime)))
    return dict.fromkeys(TOLD, together)
