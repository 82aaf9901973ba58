"""Following a batch: as many round trips as for one event, and the effects of one event after the other."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from services.referral.worker import handler_table
from shared.clinic import load_clinic
from shared.db import Database
from shared.events.catalog.types import typed
from shared.events.envelope import Event
from shared.events.inbox.handling import BatchHandler, EventBatch, EventContext, SomeNotYet
from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM, LUMBAR
from shared.ids import new_text_id
from tests.integration.referral.doors import located, send
from tests.support.clinic import TestClinic
from tests.support.context import a_context
from tests.support.news import NOON, an_event
from tests.support.referrals import bundle
from tests.support.sql import sql

CLINIC = load_clinic(Path(__file__).parents[3] / "examples" / "clinic.yaml")


def appointment(name: str, referral: str) -> Event:
    focus = {
        "resourceType": "Appointment",
        "id": new_text_id(),
        "appointmentType": {"coding": [{"system": APPOINTMENT_KIND_SYSTEM, "code": "first"}]},
        "basedOn": [{"reference": f"ServiceRequest/{referral}"}],
        "start": "2026-03-10T14:00:00Z",
    }
    return an_event(f"appointment.{name}", focus)


def team(referral: str, member: str) -> Event:
    focus = {
        "resourceType": "CareTeam",
        "id": new_text_id(),
        "status": "active",
        "identifier": [{"system": f"{LUMBAR}/referral", "value": referral}],
        "participant": [{"member": {"reference": f"Practitioner/{member}"}}],
    }
    return an_event("careteam.formed", focus)


async def follow(database: Database, events: Sequence[Event]) -> int:
    table = handler_table()
    (together,) = {table[event.type] for event in events}
    assert isinstance(together, BatchHandler)
    ctx = a_context(at=NOON, clinic=CLINIC)
    run = EventBatch([EventContext(typed(event), replace(ctx, cause=event.id)) for event in events])
    before = database.round_trips
    async with database.transaction() as tx:
        await together.handle(ctx, tx, run)
        run.raise_if_deferred()
    return database.round_trips - before


async def taken(clinic: TestClinic, number: int) -> list[str]:
    found = [located(await send(clinic, bundle())) for _ in range(number)]
    await clinic.settle()
    for worker in clinic.workers.values():
        await worker.stop()
    return found


async def test_a_batch_costs_the_same_round_trips_whatever_its_size(clinic: TestClinic) -> None:
    database = clinic.databases["referral"]
    one, *many = await taken(clinic, 13)
    few = await follow(database, [appointment("booked", one), team(one, "wei")])
    assert few == await follow(
        database, [event for each in many for event in (appointment("booked", each), team(each, "wei"))]
    )
    assert few <= 6
    async with database.transaction() as tx:
        rows = (await sql(tx, "SELECT state, team, count(*) AS how_many FROM referral GROUP BY 1, 2")).all()
    assert [(row.state, row.team, row.how_many) for row in rows] == [("booked", ["wei"], 13)]


async def test_two_events_of_one_referral_in_a_batch_are_two_steps(clinic: TestClinic) -> None:
    database = clinic.databases["referral"]
    (referral,) = await taken(clinic, 1)
    await follow(database, [appointment("booked", referral), appointment("missed", referral)])
    async with database.transaction() as tx:
        rows = (
            await sql(
                tx,
                "SELECT task.version, 1 + count(*) AS versions FROM task JOIN resource_version AS old"
                " ON old.type = 'Task' AND old.id = task.id::text"
                " WHERE task.code = 'process-request' GROUP BY 1",
            )
        ).all()
        state = (await sql(tx, "SELECT state FROM referral")).scalar()
    assert (state, [row.version == row.versions for row in rows]) == ("missed", [True])


async def test_an_unknown_referral_is_its_own_events_matter(clinic: TestClinic) -> None:
    (referral,) = await taken(clinic, 1)
    events = [appointment("booked", about) for about in (new_text_id(), referral, new_text_id())]
    with pytest.raises(SomeNotYet) as caught:
        await follow(clinic.databases["referral"], events)
    assert list(caught.value.early) == [0, 2]
