"""What tests of scheduling need: a small clinic, referrals as `referral` tells of them, and a booking desk.

`Desk` calls the service's own handlers on a real database, one transaction each, as the worker does.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlmodel import col, select

from services.scheduling import fhir, handlers, use_cases
from services.scheduling.models import Appointment, Guarantee, Series
from services.scheduling.settings import Desk as BookingDesk
from services.scheduling.use_cases import TimerKind
from shared import timers
from shared.act import Act, Actor
from shared.auth.principal import Principal
from shared.auth.scopes import Scopes
from shared.clinic import Clinic
from shared.clock import SimulatedClock
from shared.db import Database
from shared.events.envelope import Event
from shared.events.message import head, message
from shared.fhir.codes import PROGRAMME_SYSTEM, TASK_CODE_SYSTEM, TASK_INPUT_SYSTEM
from shared.ids import new_text_id

TORONTO = "America/Toronto"
# A Monday in June, eight in the morning in Toronto.
MONDAY = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
COORDINATOR = Principal(
    client="coordinator", party="coordinator", scopes=Scopes.parse(["user/Appointment.rus"]), site="toronto"
)


def a_clinic(
    *,
    people: Sequence[Mapping[str, Any]] = (),
    rooms: int = 2,
    closed: Sequence[date] = (),
    sessions: Mapping[str, Any] | None = None,
    payer_asks: bool = True,
    at_risk_days: int = 7,
) -> Clinic:
    """Make a clinic with one site, the programme `rehab` (hour-long first visits) and the payer `insurer`."""
    treatment = {"minutes": 45, "discipline": "physiotherapy", "room": "treatment", "count": 4, "per_week": 2}
    return Clinic.model_validate(
        {
            "id": "clinic",
            "name": "Clinic",
            "email": "no-reply@clinic.example",
            "promise": {"days": 28, "at_risk_days": at_risk_days},
            "emergency": {"acknowledge_within_minutes": 15, "escalate_every_minutes": 15},
            "duplicate_window_days": 90,
            "review_weeks": [4],
            "sites": [
                {
                    "id": "toronto",
                    "name": "Toronto",
                    "time_zone": TORONTO,
                    "closed": list(closed),
                    "rooms": [
                        {"id": f"{kind}-{number}", "name": kind, "kind": kind}
                        for kind in ("assessment", "treatment")
                        for number in range(1, rooms + 1)
                    ],
                    "meeting": {"weekday": "wed", "start": "12:00", "minutes": 60, "chair": "ana"},
                }
            ],
            "people": list(people) or [a_person("ana")],
            "programmes": [
                {
                    "id": "rehab",
                    "name": "Rehabilitation",
                    "streams": ["workplace", "self-pay"],
                    "eligibility": "adult",
                    "site": "toronto",
                    "first": {"minutes": 60, "discipline": "physiotherapy", "room": "assessment"},
                    "sessions": treatment | dict(sessions or {}),
                    "team": ["physiotherapy"],
                    "weeks": 8,
                }
            ],
            "payers": [
                {
                    "id": "insurer",
                    "name": "Insurer",
                    "stream": "workplace",
                    "identifiers": ["https://payers.example|insurer"],
                    "email": "claims@insurer.example",
                    "authorization_required": payer_asks,
                }
            ],
            "organizations": [{"id": "practice", "name": "Practice", "email": "doctor@practice.example"}],
            "clients": [
                {
                    "id": "coordinator",
                    "party": "coordinator",
                    "site": "toronto",
                    "email": "coordinator@clinic.example",
                    "scopes": ["user/Appointment.rus"],
                }
            ],
        }
    )


def a_person(
    person_id: str,
    *,
    days: Sequence[str] = ("mon", "tue", "wed", "thu", "fri"),
    start: str = "09:00",
    end: str = "17:00",
    purpose: Sequence[str] = ("first", "session"),
    absences: Sequence[tuple[date, date]] = (),
) -> dict[str, Any]:
    """Make a physiotherapist with weekly hours."""
    return {
        "id": person_id,
        "family": person_id.title(),
        "given": "P.",
        "discipline": "physiotherapy",
        "site": "toronto",
        "email": f"{person_id}@clinic.example",
        "hours": [{"days": list(days), "from": start, "to": end, "for": list(purpose)}],
        "absences": [{"from": first, "to": last} for first, last in absences],
    }


def an_event(event_type: str, focus: Mapping[str, Any], *carries: Mapping[str, Any], at: datetime) -> Event:
    """Make an event as a consumer gets it."""
    event_id = new_text_id()
    resources = [(head(resource), resource) for resource in (focus, *carries)]
    return Event(
        id=event_id,
        type=event_type,
        source="https://lumbar.care/fhir/referral",
        subject=f"{focus['resourceType']}/{focus['id']}",
        time=at,
        key="patient",
        version=1,
        value=message(event_id=event_id, event_type=event_type, source="test", at=at, resources=resources),
    )


def accepted(
    referral_id: str,
    *,
    at: datetime,
    due_on: date | None = None,
    patient_id: str | None = None,
    payer: str | None = None,
    unavailable: Sequence[Mapping[str, str]] = (),
    sent_at: datetime | None = None,
) -> Event:
    """Make `referral.accepted`; due 28 days after today unless said otherwise."""
    patient = f"Patient/{patient_id or new_text_id()}"
    sent = (sent_at or at).isoformat()
    inputs: list[tuple[str, dict[str, Any]]] = [
        ("programme", {"valueCoding": {"system": PROGRAMME_SYSTEM, "code": "rehab"}}),
        ("site", {"valueString": "toronto"}),
        ("requester", {"valueReference": {"reference": "Organization/practice"}}),
        ("sent-at", {"valueDateTime": sent}),
        ("complete-at", {"valueDateTime": sent}),
        ("due-on", {"valueDate": (due_on or (at + timedelta(days=28)).date()).isoformat()}),
        *[("unavailable", {"valuePeriod": period}) for period in unavailable],
    ]
    if payer is not None:
        inputs.append(("payer", {"valueString": payer}))
    request = a_request(referral_id, patient=patient)
    task = {
        "resourceType": "Task",
        "id": new_text_id(),
        "status": "in-progress",
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": "process-request"}]},
        "focus": {"reference": f"ServiceRequest/{referral_id}"},
        "for": {"reference": patient},
        "input": [
            {"type": {"coding": [{"system": TASK_INPUT_SYSTEM, "code": code}]}, **value}
            for code, value in inputs
        ],
    }
    return an_event("referral.accepted", request, task, at=at)


def a_request(referral_id: str, *, patient: str = "Patient/somebody") -> dict[str, Any]:
    """Make the ServiceRequest that referral events are about."""
    return {
        "resourceType": "ServiceRequest",
        "id": referral_id,
        "status": "active",
        "intent": "order",
        "subject": {"reference": patient},
    }


def authorized(
    referral_id: str,
    *,
    at: datetime,
    status: str = "approved",
    units: int | None = 4,
    starts: date | None = None,
    ends: date | None = None,
) -> Event:
    """Make `authorization.decided` (or `.pended`) with one grant for physiotherapy."""
    claim = {
        "resourceType": "Claim",
        "id": new_text_id(),
        "status": "active",
        "referral": {"reference": f"ServiceRequest/{referral_id}"},
    }
    period = {name: day.isoformat() for name, day in (("start", starts), ("end", ends)) if day is not None}
    grant: list[dict[str, Any]] = [{"name": "discipline", "valueCode": "physiotherapy"}]
    grant += [{"name": "units", "valueInteger": units}] if units is not None else []
    grant += [{"name": "period", "valuePeriod": period}] if period else []
    granting = status in ("approved", "partially-approved", "modified")
    parameters = {
        "resourceType": "Parameters",
        "id": new_text_id(),
        "parameter": [
            {"name": "status", "valueCode": status},
            {"name": "referral", "valueReference": {"reference": f"ServiceRequest/{referral_id}"}},
            {"name": "payer", "valueString": "insurer"},
            *([{"name": "grant", "part": grant}] if granting else []),
        ],
    }
    name = "pended" if status == "pended" else "decided"
    return an_event(f"authorization.{name}", claim, parameters, at=at)


def local(day: date, wall: str) -> datetime:
    """Give the moment of a wall-clock time in Toronto."""
    return datetime.combine(day, time.fromisoformat(wall), tzinfo=ZoneInfo(TORONTO)).astimezone(UTC)


class Desk:
    """Scheduling on a real database and a simulated clock, without HTTP and without a log."""

    def __init__(self, database: Database, clinic: Clinic, *, now: datetime = MONDAY) -> None:
        self.database = database
        self.clock = SimulatedClock(now)
        self.desk = BookingDesk(clinic=clinic)
        self._handlers = {
            "referral.accepted": handlers.on_referral_accepted,
            "referral.revoked": handlers.on_referral_revoked,
            "referral.closed": handlers.on_referral_closed,
            "referral.merged": handlers.on_referral_merged,
            "authorization.pended": handlers.on_authorization_changed,
            "authorization.decided": handlers.on_authorization_changed,
            "authorization.cancelled": handlers.on_authorization_changed,
            "patient.discharged": handlers.on_patient_discharged,
        }
        self._timers: dict[str, timers.TimerHandler] = {
            TimerKind.AT_RISK: partial(handlers.on_at_risk_due, desk=self.desk),
            TimerKind.DUE: partial(handlers.on_promise_due, desk=self.desk),
            TimerKind.OFFER: partial(handlers.on_offer_due, desk=self.desk),
            TimerKind.TRY: partial(handlers.on_try_due, desk=self.desk),
        }

    @property
    def now(self) -> datetime:
        """The care time."""
        return self.clock.now()

    def act(self) -> Act:
        """What the consumer gives a handler."""
        return Act(at=self.now, actor=Actor.service("scheduling"), cause="test")

    async def hear(self, event: Event) -> None:
        """Handle an event in a transaction of its own, without the timers that it set."""
        async with self.database.transaction() as tx:
            await self._handlers[event.type](tx, event, self.act(), desk=self.desk)

    async def accept(self, **details: Any) -> str:
        """Accept a new referral, fire what is due, and give its id."""
        referral_id = new_text_id()
        await self.hear(accepted(referral_id, at=self.now, **details))
        await self.settle()
        return referral_id

    async def authorize(self, referral_id: str, **details: Any) -> None:
        """Hear what the payer decided, and fire what is due."""
        await self.hear(authorized(referral_id, at=self.now, **details))
        await self.settle()

    async def end(self, referral_id: str, how: str = "referral.revoked") -> None:
        """Hear that a referral ended, and fire what is due."""
        await self.hear(an_event(how, a_request(referral_id), at=self.now))
        await self.settle()

    async def settle(self) -> None:
        """Fire every timer that is due."""
        actor = Actor.service("scheduling")
        while await timers.fire_next(self.database, self._timers, clock=self.clock, actor=actor):
            pass

    async def at(self, moment: datetime) -> None:
        """Move the clock through every timer on the way."""
        while True:
            async with self.database.transaction() as tx:
                due = (await tx.sql("SELECT min(due_at) FROM timer")).scalar()
            if due is None or due > moment:
                break
            self.clock.set(max(due, self.now))
            await self.settle()
        self.clock.set(max(moment, self.now))
        await self.settle()

    async def put(self, row: Appointment, **changes: Any) -> Appointment:
        """Change an appointment as the coordinator does by PUT."""
        body = msgspec.json.decode(row.body) | changes
        async with self.database.transaction() as tx:
            locked = await use_cases.appointment_for_change(tx, str(row.id), by=COORDINATOR)
            wanted = fhir.wanted_change(locked, body)
            await use_cases.change_appointment(tx, locked, wanted, desk=self.desk, act=self.act())
        await self.settle()
        return locked

    async def appointments(self, referral_id: str, *, kind: str = "first") -> list[Appointment]:
        """Every appointment of a referral, in the order of making (sessions: of their start)."""
        order = Appointment.id if kind == "first" else Appointment.starts_at
        async with self.database.transaction() as tx:
            mine = (Appointment.referral_id == UUID(referral_id), Appointment.kind == kind)
            return list(await tx.all(select(Appointment).where(*mine).order_by(col(order))))

    async def first(self, referral_id: str) -> Appointment:
        """The newest first appointment of a referral."""
        return (await self.appointments(referral_id))[-1]

    async def sessions(self, referral_id: str) -> list[Appointment]:
        """The sessions of a referral that stand."""
        found = await self.appointments(referral_id, kind="session")
        return [row for row in found if row.status != "cancelled"]

    async def guarantee(self, referral_id: str) -> Guarantee:
        """The promise of a referral."""
        async with self.database.transaction() as tx:
            found = await tx.first(select(Guarantee).where(Guarantee.referral_id == UUID(referral_id)))
        assert found is not None
        return found

    async def series(self, referral_id: str) -> Series | None:
        """The series of a referral, where there is one."""
        async with self.database.transaction() as tx:
            return await tx.first(select(Series).where(Series.referral_id == UUID(referral_id)))

    async def told(self) -> list[str]:
        """The types of all events in the outbox, in order."""
        async with self.database.transaction() as tx:
            rows = await tx.sql("SELECT headers ->> 'ce_type' FROM outbox ORDER BY id")
            return [str(row[0]) for row in rows]

    async def carried(self, event_type: str) -> list[Event]:
        """The events of a type in the outbox, in order."""
        async with self.database.transaction() as tx:
            rows = (await tx.sql("SELECT key, headers, value FROM outbox ORDER BY id")).all()
        events = [Event.from_wire(key=row[0], headers=row[1], value=row[2]) for row in rows]
        return [event for event in events if event.type == event_type]
