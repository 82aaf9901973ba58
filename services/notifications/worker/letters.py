"""The way of letters: what each says, and the mail server that takes them."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.notifications.rules.mail import mail, to_patient
from services.notifications.rules.routing import NOTIFICATION_ROUTES
from services.notifications.states import Channel
from services.notifications.use_cases.record import Result
from services.notifications.use_cases.take import Outgoing
from services.notifications.worker.sender import LEASE, MessageSender
from services.notifications.worker.smtp import Letter, Smtp
from shared.runtime import Runtime


class Letters:
    """Writes messages as letters, and hands them to a mail server."""

    def __init__(self, runtime: Runtime, mail: Smtp) -> None:
        self._runtime = runtime
        self._mail = mail

    def send(
        self, outgoing: Sequence[Outgoing], *, at: datetime
    ) -> AsyncGenerator[tuple[UUID, Result], None]:
        """Hand letters over, dated `at`, and tell what became of each before the next one goes."""
        return self._mail.send([self._letter(message) for message in outgoing], at=at)

    def _letter(self, outgoing: Outgoing) -> Letter:
        clinic, base_url = self._runtime.clinic, self._runtime.base_url
        if outgoing.to_patient is not None:
            said = outgoing.to_patient
            written = to_patient(
                outgoing.id, secret=said.secret, language=said.language, clinic=clinic, base_url=base_url
            )
            return Letter(id=outgoing.id, address=outgoing.address, mail=written, calendar=said.calendar)
        urgent = NOTIFICATION_ROUTES[outgoing.event_type].urgent
        written = mail(outgoing.id, urgent=urgent, clinic=clinic, base_url=base_url)
        return Letter(id=outgoing.id, address=outgoing.address, mail=written)


def email_sender(runtime: Runtime, *, mail: Smtp | None, lease: timedelta = LEASE) -> MessageSender:
    """Make the loop that sends e-mail; `mail` is None where there is no server."""
    way = None if mail is None else Letters(runtime, mail)
    return MessageSender(runtime, channel=Channel.EMAIL, way=way, lease=lease)
