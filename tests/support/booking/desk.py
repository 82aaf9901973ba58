"""A booking desk: the service's own handlers on a real database, one transaction each, as the worker does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from services.scheduling import fhir, handlers, use_cases
from services.scheduling.models.appointment_change import AppointmentChange
from services.scheduling.models.booking import TimesWanted
from services.scheduling.models.rows import Appointment, Guarantee, Series, UnavailableTime
from services.scheduling.models.series_change import SeriesAct
from services.scheduling.models.spans import Span
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared import timers
from shared.auth.principal import Principal
from shared.auth.scopes import Scopes
from shared.clinic import Clinic
from shared.clinic.current import CurrentClinic
from shared.clock import SimulatedClock
from shared.context import Context
from shared.db import Database
from shared.events.catalog.types import typed
from shared.events.envelope import Event
from shared.events.inbox.handling import EventBatch, EventContext
from shared.ids import new_text_id
from tests.support.booking.heard import a_request, accepted, an_event, authorized, priority_changed
from tests.support.booking.place import MONDAY
from tests.support.context import a_context

COORDINATOR = Principal(
    client="coordinator", party="coordinator", scopes=Scopes.parse(["user/Appointment.crus"]), site="toronto"
)


def a_slot(whose: str, start: datetime, end: datetime, **more: Any) -> dict[str, Any]:
    """Write when somebody is away, as a coordinator sends it."""
    return {
        "resourceType": "Slot",
        "schedule": {"reference": f"Schedule/{whose}"},
        "status": "busy-unavailable",
        "start": start.isoformat(),
        "end": end.isoformat(),
        **more,
    }


class Desk:
    """Scheduling on a real database and a simulated clock, without HTTP and without a log."""

    def __init__(self, database: Database, clinic: Clinic, *, now: datetime = MONDAY) -> None:
        self.database = database
        self.clock = SimulatedClock(now)
        self.current = CurrentClinic(clinic)
        self.cache = AvailabilityCache()
        self._handlers = {
            "referral.priority-changed": handlers.on_priority_changed,
            "referral.revoked": handlers.on_referral_revoked,
            "referral.closed": handlers.on_referral_closed,
            "referral.merged": handlers.on_referral_merged,
            "authorization.pended": handlers.on_authorization_changed,
            "authorization.decided": handlers.on_authorization_changed,
            "authorization.cancelled": handlers.on_authorization_changed,
            "patient.discharged": handlers.on_patient_discharged,
            "patient.changed": handlers.on_patient_changed,
        }
        self._timers: dict[str, timers.TimerHandler] = {
            TimerKind.AT_RISK: handlers.on_at_risk_due,
            TimerKind.DUE: partial(handlers.on_guarantee_due, cache=self.cache),
            TimerKind.SECOND_DUE: handlers.on_second_due,
            TimerKind.FORECAST: handlers.on_forecast_due,
            TimerKind.HOLD: handlers.on_hold_due,
            TimerKind.OFFER: handlers.on_offer_due,
            TimerKind.ROUND: handlers.on_round_due,
            TimerKind.RECORD: handlers.on_record_due,
            TimerKind.RECHECK: partial(handlers.on_recheck_due, cache=self.cache),
            TimerKind.LOOK: handlers.on_look_due,
            TimerKind.TRY: partial(handlers.on_try_due, cache=self.cache),
            TimerKind.PLAN: handlers.on_plan_due,
            TimerKind.TELL: partial(handlers.on_planned_day_due, cache=self.cache),
        }

    @property
    def clinic(self) -> Clinic:
        """The clinic as it is now, with the rosters that were changed."""
        return self.current.value

    @clinic.setter
    def clinic(self, described: Clinic) -> None:
        self.current = CurrentClinic(described)

    @property
    def now(self) -> datetime:
        """The care time."""
        return self.clock.now()

    def ctx(self, cause: str = "test", *, principal: Principal | None = None) -> Context:
        """What the consumer gives a handler."""
        made = a_context(
            at=self.now, cause=cause, clinic=self.clinic, service="scheduling", principal=principal
        )
        return replace(made, current=self.current)

    async def hear(self, event: Event) -> None:
        """Handle an event in a transaction of its own, without the timers that it set."""
        async with self.database.transaction() as tx:
            if event.type == "referral.accepted":
                batch = EventBatch([EventContext(typed(event), self.ctx())])
                await handlers.on_referrals_accepted(self.ctx(), tx, batch, cache=self.cache)
            else:
                await self._handlers[event.type](self.ctx(), tx, typed(event))

    async def hear_together(self, events: Sequence[Event]) -> None:
        """Handle accepted referrals in one transaction, without the timers that they set."""
        async with self.database.transaction() as tx:
            run = EventBatch([EventContext(typed(event), self.ctx()) for event in events])
            await handlers.on_referrals_accepted(self.ctx(), tx, run, cache=self.cache)

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

    async def change_priority(self, referral_id: str, **details: Any) -> None:
        """Hear that a referral got another priority, and fire what is due."""
        await self.hear(priority_changed(referral_id, at=self.now, **details))
        await self.settle()

    async def end(self, referral_id: str, how: str = "referral.revoked") -> None:
        """Hear that a referral ended, and fire what is due."""
        await self.hear(an_event(how, a_request(referral_id), at=self.now))
        await self.settle()

    async def settle(self) -> None:
        """Fire every timer that is due."""
        while await timers.fire_next(self.database, self._timers, context=self.ctx):
            pass

    async def at(self, moment: datetime) -> None:
        """Move the clock through every timer on the way."""
        while True:
            async with self.database.transaction() as tx:
                due = await tx.value("SELECT min(due_at) FROM timer")
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
            ctx = self.ctx(principal=COORDINATOR)
            referral, locked = await use_cases.change.for_caller(ctx, tx, str(row.id))
            wanted = fhir.appointment_change.read(locked, body, urls=ctx.urls)
            await use_cases.change.run(ctx, tx, locked, wanted, referral=referral, cache=self.cache)
        await self.settle()
        return locked

    async def find(
        self, start: datetime, end: datetime, *, by: Principal = COORDINATOR, **wanted: Any
    ) -> list[dict[str, Any]]:
        """Find times as `$find` does; `wanted` are fields of TimesWanted. Gives the proposed Appointments."""
        asked = TimesWanted(window=Span(start, end), **wanted)
        ctx = self.ctx(principal=by)
        async with self.database.transaction() as tx:
            found = await use_cases.find_times.run(ctx, tx, asked, cache=self.cache)
        bundle = fhir.time_search.bundle(
            ctx, found.times, programme=found.programme, referral=found.referral, is_all=found.is_all
        )
        return [entry["resource"] for entry in bundle.get("entry", [])]

    async def book(
        self, proposal: Mapping[str, Any], *, by: Principal = COORDINATOR, **changes: Any
    ) -> Appointment:
        """Book a proposed Appointment as `$book` does, with some elements changed."""
        ctx = self.ctx(principal=by)
        async with self.database.transaction() as tx:
            wanted = fhir.proposals.read({**proposal, **changes}, urls=ctx.urls)
            row = await use_cases.book_visit.run(ctx, tx, wanted)
        await self.settle()
        return row

    async def hold(
        self, proposal: Mapping[str, Any], *, by: Principal = COORDINATOR, **changes: Any
    ) -> Appointment:
        """Hold a proposed Appointment as `$hold` does, with some elements changed."""
        ctx = self.ctx(principal=by)
        async with self.database.transaction() as tx:
            wanted = fhir.proposals.read({**proposal, **changes}, urls=ctx.urls)
            return await use_cases.book_visit.hold(ctx, tx, wanted)

    async def book_hold(
        self, row: Appointment, *, by: Principal = COORDINATOR, at: datetime | None = None
    ) -> Appointment:
        """Book what is held as `$book` does with a reference, without the timers that are due."""
        ctx = replace(self.ctx(principal=by), at=at or self.now)
        wanted = AppointmentChange(status=AppointmentStatus.BOOKED)
        async with self.database.transaction() as tx:
            referral, held = await use_cases.change.for_caller(ctx, tx, str(row.id))
            return await use_cases.change.run(ctx, tx, held, wanted, referral=referral, cache=self.cache)

    async def visits(self, referral_id: str) -> list[Appointment]:
        """The visits of a referral that are neither first ones nor sessions, the earliest first."""
        async with self.database.transaction() as tx:
            sql = (
                "SELECT * FROM appointment WHERE referral_id = $1 AND visit_type IS NOT NULL"
                " AND kind <> 'joint-first' ORDER BY starts_at"
            )
            return await tx.rows(Appointment, sql, UUID(referral_id))

    async def correct(self, row: Appointment, status: str, reason: str = "A slip.") -> Appointment:
        """Correct what was recorded of an appointment as the coordinator does."""
        async with self.database.transaction() as tx:
            ctx = self.ctx(principal=COORDINATOR)
            given = {"status": status, "reason": reason}
            corrected = await use_cases.correct.run(ctx, tx, str(row.id), given=given, expect=lambda _: None)
        await self.settle()
        return corrected

    async def start(self) -> None:
        """Start the worker, and fire what is due."""
        async with self.database.transaction() as tx:
            await handlers.on_start(self.ctx("start"), tx)
        await self.settle()

    async def be_away(self, whose: str, start: datetime, end: datetime, **more: Any) -> UnavailableTime:
        """Say as the coordinator does that a person is away, or the site closed, and fire what is due."""
        return await self.send_absence(a_slot(whose, start, end, **more))

    async def send_absence(self, slot: dict[str, Any]) -> UnavailableTime:
        """Record what a coordinator sends, and fire what is due."""
        ctx = self.ctx(principal=COORDINATOR)
        async with self.database.transaction() as tx:
            change = fhir.unavailable.read(ctx, slot)
            row = await use_cases.change_absence.create(ctx, tx, change)
        await self.settle()
        return row

    async def appointments(self, referral_id: str, *, kind: str = "first") -> list[Appointment]:
        """Every appointment of a referral, in the order of making (sessions: of their start)."""
        order = "id" if kind == "first" else "starts_at"
        async with self.database.transaction() as tx:
            sql = f"SELECT * FROM appointment WHERE referral_id = $1 AND kind = $2 ORDER BY {order}"
            return await tx.rows(Appointment, sql, UUID(referral_id), kind)

    async def first(self, referral_id: str) -> Appointment:
        """The newest first appointment of a referral."""
        return (await self.appointments(referral_id))[-1]

    async def sessions(self, referral_id: str) -> list[Appointment]:
        """The sessions of a referral that stand."""
        found = await self.appointments(referral_id, kind="session")
        return [row for row in found if row.status != "cancelled"]

    async def guarantee(self, referral_id: str) -> Guarantee:
        """The guarantee of a referral."""
        async with self.database.transaction() as tx:
            found = await tx.row(
                Guarantee, "SELECT * FROM guarantee WHERE referral_id = $1", UUID(referral_id)
            )
        assert found is not None
        return found

    async def series(self, referral_id: str) -> Series | None:
        """The series of a referral, where there is one."""
        async with self.database.transaction() as tx:
            return await tx.row(Series, "SELECT * FROM series WHERE referral_id = $1", UUID(referral_id))

    async def told(self) -> list[str]:
        """The types of all events in the outbox, in order."""
        async with self.database.transaction() as tx:
            rows = await tx.records("SELECT headers ->> 'ce_type' FROM outbox ORDER BY id")
            return [str(row[0]) for row in rows]

    async def carried(self, event_type: str) -> list[Event]:
        """The events of a type in the outbox, in order."""
        async with self.database.transaction() as tx:
            rows = await tx.records("SELECT key, headers, value FROM outbox ORDER BY id")
        events = [Event.from_wire(key=row[0], headers=row[1], value=row[2]) for row in rows]
        return [event for event in events if event.type == event_type]

    async def change_series(
        self, referral_id: str, act: str, *, by: Principal = COORDINATOR, preview: bool = False, **given: Any
    ) -> dict[str, Any]:
        """Do an act on the series of a referral as its operation does, or preview it; gives the answer."""
        series = await self.series(referral_id)
        assert series is not None
        ctx = self.ctx(principal=by)
        async with self.database.transaction() as tx:
            read = partial(fhir.series_changes.read, SeriesAct(act), given, urls=ctx.urls)
            changed = await use_cases.change_series.run(ctx, tx, str(series.id), read, is_preview=preview)
            answer = fhir.series_changes.render(ctx, changed)
        await self.settle()
        return answer
