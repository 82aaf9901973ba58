"""Noticing that another process has taken our place in a group, because it has our number.

The client would join again at once and take the place back, and so both for ever, once a second.

Invariant: only a broker that had heard us within the session and knows us no more means that; whoever was
silent for longer has lost the place by that and joins again.
"""

from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.protocol.group import HeartbeatRequest

from shared.clock import monotonic

_NO_ERROR = 0
_UNKNOWN_MEMBER = 25
_FENCED_INSTANCE = 82


class PlaceTaken(Exception):
    """Another process has our place in the group."""


def tell_taken_place(consumer: AIOKafkaConsumer, *, session: float) -> None:
    """Let a started consumer raise PlaceTaken once somebody has its place; `session` is in seconds."""
    coordinator = consumer._coordinator
    send, heard_at = coordinator._send_req, monotonic()

    async def send_and_look(request: Any) -> Any:
        nonlocal heard_at
        answer = await send(request)
        if isinstance(request, HeartbeatRequest):
            lost = answer.error_code in (_UNKNOWN_MEMBER, _FENCED_INSTANCE)
            if lost and monotonic() < heard_at + session:
                raise PlaceTaken
            heard_at = monotonic() if answer.error_code == _NO_ERROR else heard_at
        return answer

    coordinator._send_req = send_and_look
