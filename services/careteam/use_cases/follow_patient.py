"""What `referral` says of a patient: who they are, and who has died is brought to the team."""

from services.careteam import queries
from services.careteam.models.rows import KnownPatient, Team
from services.careteam.use_cases import put_on_agenda
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.referral import PatientChanged
from shared.reasons import Reason

_DIED = Reason.of("patient-died")


async def run(ctx: Context, tx: Transaction, event: PatientChanged) -> None:
    """Remember who a patient is, and put the case of one who has died on the next agenda of each team that
    still cares for them.

    What is open ends when a person closes the referral; a death that turns out to be a mistake leaves the
    case on the agenda. An event that is older than what is known says nothing.
    """
    patient_id = str(event.focus["id"])
    before = await queries.patients.known(tx, patient_id)
    said = KnownPatient(
        id=patient_id, event_version=event.version, is_deceased=event.is_deceased, person=event.person
    )
    if not await queries.patients.learn(tx, said) or not event.is_deceased:
        return
    for team in await queries.teams.active_of_patient(tx, patient_id):
        if not await _is_known_dead(tx, team, before):
            await put_on_agenda.run(ctx, tx, team, why=_DIED)


async def _is_known_dead(tx: Transaction, team: Team, before: KnownPatient | None) -> bool:
    """Tell whether a team has heard of a death before: all patients are published again now and then."""
    if before is not None:
        return before.is_deceased
    return await queries.tasks.was_case_because(tx, team.id, _DIED.code)
