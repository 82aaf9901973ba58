"""What forming the teams of a batch costs: the same round trips for one booking and for many."""

from services.careteam import handlers
from shared.events.catalog.types import typed
from shared.events.envelope import Event
from shared.events.inbox.handling import EventBatch, EventContext
from shared.events.message import head, message
from shared.ids import new_text_id
from tests.integration.careteam.events import an_appointment
from tests.support.clinic import MONDAY, TestClinic
from tests.support.context import a_context
from tests.support.roundtrips import round_trips
from tests.support.sql import sql


def booked(referral: str) -> Event:
    focus = an_appointment(referral, programme="rapid-access", practitioner="physiotherapist")
    event_id = new_text_id()
    value = message(
        event_id=event_id,
        event_type="appointment.booked",
        source="test",
        at=MONDAY,
        resources=[(head(focus), focus)],
    )
    return Event(
        id=event_id,
        type="appointment.booked",
        source="test",
        subject=f"Appointment/{focus['id']}",
        time=MONDAY,
        key=referral,
        version=1,
        value=value,
    )


async def hear(clinic: TestClinic, *referrals: str) -> None:
    ctx = a_context(at=MONDAY, clinic=clinic.workers["careteam"].runtime.clinic, service="careteam")
    run = EventBatch([EventContext(typed(booked(referral)), ctx) for referral in referrals])
    async with clinic.databases["careteam"].transaction() as tx:
        await handlers.on_appointments_booked(ctx, tx, run)


async def test_a_batch_costs_the_same_round_trips_whatever_its_size(clinic: TestClinic) -> None:
    await clinic.workers["careteam"].stop()
    # A statement is prepared once for one row and once for several.
    for size in (1, 2):
        await hear(clinic, *(f"warm-{size}-{number}" for number in range(size)))
    found = []
    for size in (1, 20):
        with round_trips() as counted:
            await hear(clinic, *(f"{size}-{number}" for number in range(size)))
        found.append(counted.total())

    assert found[0] == found[1] <= 10
    async with clinic.databases["careteam"].transaction() as tx:
        assert (await sql(tx, "SELECT count(*) FROM team")).scalar() == 24
        assert (await sql(tx, "SELECT max(teams) FROM caseload")).scalar() == 24
