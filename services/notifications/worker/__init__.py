"""The worker of `notifications`: it takes every event of the other three services and sends what is due."""

from collections.abc import Sequence
from functools import partial

from services.notifications import handlers, rules, use_cases
from services.notifications.states import Channel
from services.notifications.worker import letters, sender, smtp
from shared import directory, roster
from shared.clinic import ClinicFileError
from shared.events.catalog.referral import PatientChanged
from shared.events.catalog.scheduling import DirectoryChanged, RosterChanged
from shared.events.inbox.handling import BatchHandler, HandlerTable
from shared.events.topics import CARETEAM, REFERRAL, SCHEDULING
from shared.events.worker import Loop, Worker
from shared.runtime import Runtime


class NotForThisParty(ClinicFileError):
    """A receiver in clinic.yaml asks for an event that its party is never told of; the text is one line."""


def create_worker(runtime: Runtime) -> Worker:
    """Make the worker of this service; raises NotForThisParty."""
    mail = smtp.Smtp(runtime.smtp_url) if runtime.smtp_url else None
    return Worker(
        runtime,
        topics=(REFERRAL, SCHEDULING, CARETEAM),
        handlers=handler_table(runtime),
        timers={use_cases.reminders.KIND: partial(handlers.on_reminders_due, without=_without(runtime))},
        causal=True,
        loops=(
            letters.email_sender(runtime, mail=mail),
            sender.MessageSender(runtime, channel=Channel.SMS, way=_gateway(runtime)),
            *_deliveries(runtime),
        ),
        on_start=use_cases.deliver.end_left_over,
    )


def _gateway(runtime: Runtime) -> sender.Carrier | None:
    """Give the way of text messages, None where there is no gateway."""
    if not runtime.sms_url:
        return None
    from services.notifications.worker import sms  # its HTTP client is seldom needed

    return sms.Gateway(runtime, runtime.sms_url)


def _deliveries(runtime: Runtime) -> Sequence[Loop]:
    """Give each receiver of clinic.yaml a loop of its own."""
    for hook, event in rules.webhooks.unavailable_events(runtime.clinic):
        available = ", ".join(rules.webhooks.available_events(hook))
        raise NotForThisParty(
            f"webhooks: {hook.id} is never told of {event!r}; its party hears of {available}"
        )
    if runtime.outbound is None:
        if runtime.clinic.webhooks:
            raise ValueError("a clinic with receivers needs a way to reach them: Runtime.outbound")
        return ()
    from services.notifications.worker import webhook_sender  # its HTTP client is seldom needed

    return [
        webhook_sender.WebhookSender(runtime, hook, outbound=runtime.outbound)
        for hook in runtime.clinic.webhooks
    ]


def _without(runtime: Runtime) -> frozenset[Channel]:
    """Name the channels by which nothing goes anywhere here."""
    servers = {Channel.EMAIL: runtime.smtp_url, Channel.SMS: runtime.sms_url, Channel.TELEPHONE: None}
    return frozenset(channel for channel, server in servers.items() if not server)


def handler_table(runtime: Runtime) -> HandlerTable:
    """Give every event type of the table the one handler, so that a batch is one run.

    What tells nobody is heard too: what it causes waits until it was.
    """
    together = BatchHandler(partial(handlers.on_events, without=_without(runtime)))
    table: HandlerTable = dict.fromkeys(rules.routing.NOTIFICATION_ROUTES, together)
    return {
        **table,
        PatientChanged.name: handlers.on_patient_changed,
        DirectoryChanged.name: directory.copies.follow,
        RosterChanged.name: roster.copies.follow,
    }
