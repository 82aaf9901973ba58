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


def booked(referral: str, practitioner: str = "physiotherapist") -> Event:
    focus = an_appointment(referral, programme="rapid-access", practitioner=practitioner)
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


async def hear(clinic: TestClinic, *bookings: str | tuple[str, str]) -> None:
    ctx = a_context(at=MONDAY, clinic=clinic.workers["careteam"].runtime.clinic, service="careteam")
    events = [booked(entry) if isinstance(entry, str) else booked(*entry) for entry in bookings]
    run = EventBatch([EventContext(typed(event), ctx) for event in events])
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


async def test_bookings_that_change_no_team_cost_the_same_whatever_their_number(clinic: TestClinic) -> None:
    await clinic.workers["careteam"].stop()
    referrals = [f"again-{number}" for number in range(20)]
    await hear(clinic, *referrals)
    await hear(clinic, referrals[0])
    found = []
    for size in (1, 20):
        with round_trips() as counted:
            await hear(clinic, *referrals[:size])
        found.append(counted.total())
    assert found[0] == found[1] <= 6


async def test_a_batch_that_forms_a_team_and_changes_it_publishes_both_in_order(clinic: TestClinic) -> None:
    await clinic.workers["careteam"].stop()
    await hear(clinic, "r1", "r2", ("r1", "physiotherapist-2"), "r3")
    async with clinic.databases["careteam"].transaction() as tx:
        sent = await tx.records("SELECT headers ->> 'ce_type' AS type, key FROM outbox ORDER BY id")
        members = await tx.records(
            "SELECT practitioner, left_at IS NULL AS stays FROM team_member JOIN team ON team.id = team_id"
            " WHERE referral_id = 'r1' ORDER BY practitioner"
        )
        load = await tx.records("SELECT practitioner, teams FROM caseload ORDER BY practitioner")
    published = [(row["type"].rpartition(".")[2], row["key"]) for row in sent]
    assert published == [("formed", "r1"), ("formed", "r2"), ("changed", "r1"), ("formed", "r3")]
    assert [tuple(row) for row in members] == [
        ("physiatrist", True),
        ("physiotherapist", False),
        ("physiotherapist-2", True),
    ]
    assert {row["practitioner"]: row["teams"] for row in load} == {
        "physiatrist": 3,
        "physiotherapist": 2,
        "physiotherapist-2": 1,
    }
