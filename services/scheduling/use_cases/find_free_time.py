"""Read a clinician's free time: computed now, promised to nobody."""

from services.scheduling import queries, rules
from shared.clinic import Person
from shared.context import Context
from shared.db import Transaction


async def free_time(ctx: Context, tx: Transaction, person: Person, *, window: rules.Span) -> list[rules.Span]:
    """Give the free time of a clinician inside the window, for first visits and sessions alike."""
    key = rules.person_key(person.id)
    taken = await queries.taken(tx, [key], window=window)
    site = ctx.clinic.site(person.site)
    worked = [
        span
        for purpose in ("first", "session")
        for span in rules.working_spans(person, site=site, purpose=purpose, window=window)
    ]
    return rules.subtracted(worked, taken.get(key, ()))
