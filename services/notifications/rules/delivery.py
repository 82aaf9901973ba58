"""When a message is tried again, and why it is not sent at all."""

from datetime import datetime, timedelta

from services.notifications.states import Channel
from shared.reasons import Reason

GIVE_UP_AFTER = timedelta(hours=24)
_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240))


# Why a message did not arrive.
NO_SERVER = Reason.of("no-server")
NO_GATEWAY = Reason.of("no-gateway")
NO_ADDRESS = Reason.of("no-address")
NO_CONSENT = Reason.of("no-consent")
LEFT_TEAM = Reason.of("left-team")
REFUSED = Reason.of("refused")
GAVE_UP = Reason.of("gave-up")
BY_TELEPHONE = Reason.of("by-telephone")
GATEWAY_REFUSED = Reason.of("gateway-refused")
GATEWAY_GAVE_UP = Reason.of("gateway-gave-up")
NOT_TAKEN = Reason.of("not-taken")
GONE = Reason.of("gone")
ENDED = Reason.of("ended")
NO_RECEIVER = Reason.of("no-receiver")


# Why nothing goes by a channel for which the clinic has no server.
NO_WAY = {Channel.EMAIL: NO_SERVER, Channel.SMS: NO_GATEWAY, Channel.TELEPHONE: BY_TELEPHONE}
_REFUSED = {Channel.EMAIL: REFUSED, Channel.SMS: GATEWAY_REFUSED, Channel.WEBHOOK: GONE}
_GAVE_UP = {Channel.EMAIL: GAVE_UP, Channel.SMS: GATEWAY_GAVE_UP, Channel.WEBHOOK: NOT_TAKEN}


def refused(channel: Channel) -> Reason:
    """Say why a message ends that its channel refused for good."""
    return _REFUSED[channel]


def gave_up(channel: Channel) -> Reason:
    """Say why a message ends that was tried for a day."""
    return _GAVE_UP[channel]


def next_attempt(*, created_at: datetime, attempts: int, now: datetime) -> datetime | None:
    """Tell when to try again after so many attempts, or None when it is time to give up."""
    again = now + _PAUSES[min(attempts, len(_PAUSES)) - 1]
    return again if again <= created_at + GIVE_UP_AFTER else None
