"""What a service's `handlers.py` and `worker.py` need to name: handlers, `NotYet`, and the table of both."""

from collections.abc import Awaitable, Callable, Mapping

from shared.act import Act
from shared.db import Transaction
from shared.events.envelope import Event

Handler = Callable[[Transaction, Event, Act], Awaitable[None]]
HandlerTable = Mapping[str, Handler]


class NotYet(Exception):
    """What must have come before is not here yet: hold the event and try again, without an alert for 10
    minutes.
    """
