"""What a composition root hands to a service: its database, clock, clinic, transport and the rest.

One Runtime per service and process; `main.create_app(runtime)` and `worker.create_worker(runtime)` take it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.actor import Actor
from shared.clinic import Clinic
from shared.clinic.current import CurrentClinic
from shared.clock import Clock
from shared.context import Context
from shared.db import Database
from shared.events.transport.base import Transport
from shared.urls import Urls

if TYPE_CHECKING:
    # A worker needs no token and a clinic without receivers no HTTP client, nor the libraries behind them.
    from shared.auth.principal import Principal
    from shared.auth.verifier import TokenVerifier
    from shared.outbound import Outbound


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Everything that a service does not make itself.

    `service` is its name, `current` the clinic as its database knows it, `base_url` the public address of
    the clinic without a trailing slash (`http://127.0.0.1:8080`), `former_urls` those of before,
    `smtp_url` where e-mail goes and `sms_url` where text messages do, None for nowhere, `cors` says that
    pages of other origins may call,
    `outbound` is the way to other systems, needed where clinic.yaml has receivers, `code_systems` makes
    those that an HTTP process serves.
    """

    service: str
    database: Database
    clock: Clock
    current: CurrentClinic
    transport: Transport
    verifier: "TokenVerifier"
    base_url: str
    smtp_url: str | None = None
    sms_url: str | None = None
    cors: bool = False
    former_urls: tuple[str, ...] = ()
    outbound: "Outbound | None" = None
    code_systems: Callable[[], Sequence[Mapping[str, Any]]] = tuple

    def context(self, *, cause: str | None, principal: "Principal | None" = None) -> Context:
        """Make the context of a caller's request, or of an event or a timer that this service handles."""
        return Context(
            at=self.clock.now(),
            actor=Actor.service(self.service) if principal is None else principal.actor,
            cause=cause,
            clinic=self.clinic,
            urls=Urls(base=self.base_url, service=self.service, former=self.former_urls),
            principal=principal,
            current=self.current,
        )

    @property
    def clinic(self) -> Clinic:
        """The clinic as it is now; another one once a roster has changed."""
        return self.current.value

    @property
    def fhir_base(self) -> str:
        """The absolute address of this service's FHIR root."""
        return f"{self.base_url}/{self.service}/fhir"
