"""Freed times as tests free, read and answer them."""

from typing import Any

from services.scheduling import operations
from services.scheduling.models.offers import OfferRound, TimeOffer
from services.scheduling.models.rows import Appointment
from shared.operations import OperationInput
from tests.support.booking.desk import COORDINATOR, Desk

CODES = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
CALLED_OFF = {"status": "cancelled", "cancelationReason": {"coding": [{"system": CODES, "code": "pat"}]}}


async def offers(desk: Desk, status: str = "requested") -> list[TimeOffer]:
    """List the offers in a state, as they were made."""
    async with desk.database.transaction() as tx:
        return await tx.rows(TimeOffer, "SELECT * FROM offer WHERE status = $1 ORDER BY id", status)


async def rounds(desk: Desk) -> list[OfferRound]:
    """List the freed times, as they were noted."""
    async with desk.database.transaction() as tx:
        return await tx.rows(OfferRound, "SELECT * FROM offer_round ORDER BY id")


async def answer(desk: Desk, offer: TimeOffer, verb: str, *, by: Any = COORDINATOR) -> TimeOffer:
    """Answer an offer as the coordinator does who has the patient on the telephone."""
    [run] = [one.run for one in operations.tasks.TASKS.operations if one.name == f"{verb}-offer"]
    assert run is not None
    async with desk.database.transaction() as tx:
        found = await run(desk.ctx(principal=by), tx, OperationInput(id=str(offer.id)))
    assert isinstance(found, TimeOffer)
    return found


async def state_of(desk: Desk, appointment: Any) -> Appointment:
    """Read a visit as it is now."""
    async with desk.database.transaction() as tx:
        found = await tx.row(Appointment, "SELECT * FROM appointment WHERE id = $1", appointment)
    assert found is not None
    return found
