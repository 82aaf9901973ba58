"""Read a clinician's free time: computed now, promised to nobody."""

from services.scheduling import queries, rules
from services.scheduling.models.spans import Span
from shared.clinic import Person
from shared.context import Context
from shared.db import Transaction


async def run(ctx: Context, tx: Transaction, person: Person, *, window: Span) -> list[Span]:
    """Return the free time of a clinician inside the window, for first visits and sessions alike."""
    taken = await queries.occupancy.taken(tx, [rules.needs.person_key(person.id)], window=window, at=ctx.at)
    return rules.free_time.of_person(person, site=ctx.clinic.site(person.site), taken=taken, window=window)
