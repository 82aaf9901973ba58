"""A whole clinic in one process: services, events, simulated clock, and a client for every party.

async with TestClinic() as clinic:
    answer = await clinic.as_("family-practice").post("/referral/fhir", content=bundle)
    await clinic.days(3)
    assert await clinic.events("appointment.booked")
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

import httpx
from cryptography.fernet import Fernet
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from deploy.app import make_app, make_workers, running
from deploy.identity import open_identity
from deploy.pages import open_pages
from deploy.runtime import make_runtimes
from deploy.services import SERVICES
from services.portal import models as portal_models
from shared.auth import tables
from shared.clinic import Clinic
from shared.clock import SimulatedClock
from shared.db import Database
from shared.events.catalog import CATALOG, DomainEvent
from shared.events.envelope import Event
from shared.events.message import head, message
from shared.events.settle import NotSettled, settle
from shared.events.topics import TOPICS
from shared.events.transport.base import OutboxRow
from shared.events.worker import Worker
from shared.events.worker_status import WorkerStatus
from shared.fhir.codes import LUMBAR
from shared.ids import new_text_id
from shared.outbound import Outbound
from tests.support.context import example_clinic
from tests.support.identity import PartyAuth, keys_of
from tests.support.logs import Logs, on_databases, on_kafka
from tests.support.mailbox import Mailbox
from tests.support.postgres import log_database, service_database, toy_database
from tests.support.sql import sql

EXAMPLE = Path(__file__).parents[2] / "examples" / "clinic.yaml"
BASE_URL = "http://clinic.test"
# A Monday, eight in the morning in Toronto.
MONDAY = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)


class TestClinic:
    """The clinic of examples/clinic.yaml, or another; with `services`, only those run.

    `transport` says what carries its events: the embedded log, or the run's Kafka. Its e-mail goes to the
    `mailbox`, or to whoever listens at `smtp_url`, texts to `sms_url`; `outbound` is its way to the receivers
    of its description, and with `pages` it has its portal. Whoever serves its app on a port gives the
    `base_url` at which it answers.
    """

    __test__ = False

    def __init__(
        self,
        *,
        services: Sequence[str] = SERVICES,
        clinic: Clinic | None = None,
        start: datetime = MONDAY,
        mailbox: Mailbox | None = None,
        smtp_url: str | None = None,
        sms_url: str | None = None,
        transport: Literal["embedded", "kafka"] = "embedded",
        outbound: Outbound | None = None,
        pages: bool = False,
        base_url: str = BASE_URL,
    ) -> None:
        self.services = tuple(services)
        self.clinic = clinic or example_clinic()
        self.clock = SimulatedClock(start)
        self.databases: dict[str, Database] = {}
        self.workers: dict[str, Worker] = {}
        self.logs: Logs
        self.mailbox = mailbox
        self._smtp_url = smtp_url if mailbox is None else mailbox.url
        self._sms_url = sms_url
        self._outbound = outbound
        self._has_pages = pages
        self.base_url = base_url
        self._on_kafka = transport == "kafka"
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._ends = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for service in SERVICES:
            made = service_database if service in self.services else log_database
            self.databases[service] = await made(service)
            self._ends.push_async_callback(self.databases[service].close)
        of_identity = await toy_database(tables.METADATA, name="identity")
        self._ends.push_async_callback(of_identity.close)
        self.logs = await self._ends.enter_async_context(
            on_kafka() if self._on_kafka else on_databases(self.databases)
        )
        keys = keys_of(tuple(client.id for client in self.clinic.clients))
        identity = await open_identity(
            self.clinic,
            keys=keys,
            database=of_identity,
            base_url=self.base_url,
            demo_people=self.clinic.demo_people,
        )
        runtimes = make_runtimes(
            self.databases,
            clock=self.clock,
            clinic=self.clinic,
            verifier=identity.verifier,
            base_url=self.base_url,
            smtp_url=self._smtp_url,
            sms_url=self._sms_url,
            transport=self.logs.transport,
        )
        runtimes["notifications"] = replace(runtimes["notifications"], outbound=self._outbound)
        mine = {service: runtimes[service] for service in self.services}
        self.workers = make_workers(mine)
        of_pages = await self._pages() if self._has_pages else ()
        self.app = make_app(
            mine,
            self.workers,
            issuer_routes=identity.routes,
            identity=of_identity,
            pages=of_pages,
            portal=self.of_portal if self._has_pages else None,
        )
        await self._ends.enter_async_context(running(self.workers.values()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            await client.aclose()
        await self._ends.aclose()

    async def _pages(self) -> Sequence[BaseRoute]:
        """Make the portal, whose calls come back to this app."""

        async def this_app(scope: Scope, receive: Receive, send: Send) -> None:
            await self.app(scope, receive, send)

        inside = httpx.ASGITransport(app=this_app, raise_app_exceptions=False)
        self.of_portal = await toy_database(portal_models.Base.metadata, name="portal")
        self._ends.push_async_callback(self.of_portal.close)
        opened = open_pages(
            self.of_portal,
            self.clinic,
            clock=self.clock,
            base_url=self.base_url,
            calls_at=self.base_url,
            secret=Fernet.generate_key(),
            transport=inside if self.base_url == BASE_URL else None,
        )
        return await self._ends.enter_async_context(opened)

    def as_(self, client: str) -> httpx.AsyncClient:
        """Give the HTTP client of a party, with its own token."""
        if client not in self._clients:
            self._clients[client] = self.anonymous()
            self._clients[client].auth = PartyAuth(client, base_url=self.base_url, http=self.anonymous())
        return self._clients[client]

    def anonymous(self) -> httpx.AsyncClient:
        """Give an HTTP client without a token."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=self.base_url)

    async def settle(self, *, timeout: float = 30.0) -> datetime | None:  # noqa: ASYNC109
        """Wait until nothing is on its way, and tell when the next timer of any service is due.

        Where something stays held, say what and why.
        """
        try:
            return await settle(list(self.workers.values()), timeout=timeout)
        except NotSettled as error:
            raise AssertionError(f"{error}\n{await self._held()}") from None

    async def at(self, moment: datetime) -> None:
        """Move care time to a moment, through every timer on the way."""
        while (due := await self.settle()) is not None and due < moment:
            self.clock.set(due)
        self.clock.set(moment)
        await self.settle()

    async def days(self, number: float) -> None:
        """Move care time on by so many days of 24 hours."""
        await self.at(self.clock.now() + timedelta(days=number))

    async def read_status(self) -> dict[str, WorkerStatus]:
        """Read what every service has left to do."""
        return {service: await worker.read_status() for service, worker in self.workers.items()}

    async def events(self, name: str | None = None) -> list[Event]:
        """Give the events published so far, of one type or of all, in the order in which they were made."""
        wanted = [event for event in await self.logs.read() if name is None or event.type == name]
        return sorted(wanted, key=lambda event: event.id)

    async def publish(
        self,
        event_type: type[DomainEvent] | str,
        *,
        focus: Mapping[str, Any],
        carries: Sequence[Mapping[str, Any]] = (),
        key: str | None = None,
        version: int = 1,
        cause: str | None = None,
    ) -> Event:
        """Put an event of a service that does not run here into its log; the key is the focus's patient."""
        declared = CATALOG[event_type] if isinstance(event_type, str) else event_type
        event = _event(declared, focus, carries, key=key, version=version, cause=cause, at=self.clock.now())
        row = OutboxRow(
            id=0,
            event_id=event.id,
            topic=declared.topic,
            key=event.key,
            headers=event.headers(),
            value=event.value,
        )
        async with self.databases[TOPICS[declared.topic].publisher].transaction() as tx:
            await self.logs.transport.send(tx, [row])
        return event

    async def _held(self) -> str:
        lines = []
        for service in self.services:
            async with self.databases[service].transaction() as tx:
                for row in await sql(tx, "SELECT * FROM held_key WHERE state <> 'done'"):
                    lines.append(f"  {service}: {row.key} is {row.state} after {row.attempts}: {row.error}")
                for row in await sql(tx, "SELECT * FROM timer WHERE error <> ''"):
                    lines.append(f"  {service}: timer {row.kind}/{row.ref} after {row.attempts}: {row.error}")
        return "\n".join(lines)


def _event(
    declared: type[DomainEvent],
    focus: Mapping[str, Any],
    carries: Sequence[Mapping[str, Any]],
    *,
    key: str | None,
    version: int,
    cause: str | None,
    at: datetime,
) -> Event:
    event_id, source = new_text_id(), f"{LUMBAR}/{TOPICS[declared.topic].publisher}"
    resources = [(head(resource), resource) for resource in (focus, *carries)]
    return Event(
        id=event_id,
        type=declared.name,
        source=source,
        subject=resources[0][0].reference,
        time=at,
        key=key or _patient_of(focus),
        version=version,
        causation=cause,
        value=message(event_id=event_id, event_type=declared.name, source=source, at=at, resources=resources),
    )


def _patient_of(focus: Mapping[str, Any]) -> str:
    """Read the id of the patient that a resource is about."""
    references = [focus.get(member, {}) for member in ("subject", "patient", "for")]
    references += [participant.get("actor", {}) for participant in focus.get("participant", ())]
    for reference in references:
        kind, _, patient = str(reference.get("reference", "")).rpartition("/")
        if kind.endswith("Patient"):
            return patient
    raise ValueError("give the key: the focus names no patient")
