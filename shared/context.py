"""What a verb may know beside its input: when, who, because of what, in which clinic, for whose eyes, where.

Invariants:
- A Context is made once for each request, event and timer (`Runtime.context`) and handed on as `ctx`.
- Every write carries one, so nobody is anonymous and no verb reads a clock.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.actor import Actor
from shared.auth.principal import Principal
from shared.clinic import Clinic
from shared.clinic.current import CurrentClinic
from shared.urls import Urls


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One command, event or timer being handled.

    `at` is care time (aware UTC), `actor` who acts, `cause` the id of the request or event that caused it,
    `principal` the caller of a request and None where an event or a timer is handled. `clinic` is the
    clinic as it was when this was made, `current` what holds it for the contexts to come.
    """

    at: datetime
    actor: Actor
    cause: str | None = None
    clinic: Clinic
    urls: Urls
    principal: Principal | None = None
    current: CurrentClinic | None = None

    @property
    def caller(self) -> Principal:
        """The caller of a request, whose row scope holds; raises LookupError where nobody called."""
        if self.principal is None:
            raise LookupError("an event or a timer has no caller")
        return self.principal
