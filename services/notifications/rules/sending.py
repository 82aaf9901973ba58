"""When a message is tried again, and why it is not sent at all."""

from datetime import datetime, timedelta
from enum import StrEnum

from services.notifications.states import Channel

GIVE_UP_AFTER = timedelta(hours=24)
_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240))


class DeliveryReason(StrEnum):
    """Why a message did not arrive, in the words of Communication.statusReason."""

    NO_SERVER = "There is no mail server."
    NO_ADDRESS = "The recipient has no address."
    NO_CONSENT = "The consent does not stand any more."
    LEFT_TEAM = "The recipient is no longer on the team."
    REFUSED = "The mail server refused the message."
    GAVE_UP = "The mail server did not take the message within 24 hours."
    NOT_TAKEN = "The receiver did not take the message within 24 hours."
    GONE = "The receiver said that it is gone."
    ENDED = "The receiver has ended."
    NO_RECEIVER = "The receiver is not registered any more."


def refused(channel: Channel) -> DeliveryReason:
    """Say why a message ends that its channel refused for good."""
    return DeliveryReason.GONE if channel is Channel.WEBHOOK else DeliveryReason.REFUSED


def gave_up(channel: Channel) -> DeliveryReason:
    """Say why a message ends that was tried for a day."""
    return DeliveryReason.NOT_TAKEN if channel is Channel.WEBHOOK else DeliveryReason.GAVE_UP


def next_attempt(*, created_at: datetime, attempts: int, now: datetime) -> datetime | None:
    """Tell when to try again after so many attempts, or None when it is time to give up."""
    again = now + _PAUSES[min(attempts, len(_PAUSES)) - 1]
    return again if again <= created_at + GIVE_UP_AFTER else None
