"""What `referral` says of a patient: who has died is brought to the team."""

from services.careteam import queries
from services.careteam.use_cases import put_on_agenda
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.referral import PatientChanged
from shared.reasons import Reason


async def run(ctx: Context, tx: Transaction, event: PatientChanged) -> None:
    """Put the case of a patient who has died on the next agenda of each team that still cares for them.

    What is open ends when a person closes the referral; a death that turns out to be a mistake leaves the
    case on the agenda.
    """
    if event.is_deceased:
        for team in await queries.teams.active_of_patient(tx, str(event.focus["id"])):
            await put_on_agenda.run(ctx, tx, team, why=Reason.of("patient-died"))
