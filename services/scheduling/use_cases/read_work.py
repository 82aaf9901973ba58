"""Read what the rows of a worklist are about, for a whole page by a few statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.scheduling import queries
from services.scheduling.models.guarantees import GuaranteeOverview
from services.scheduling.models.rows import Appointment, ReplanTask
from services.scheduling.rules.acts import AppointmentFacts
from shared.db import Transaction
from shared.fhir.worklists import WorklistEntry
from shared.people import KnownPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOfPage:
    """What stands behind the entries of a page, by their ids; `facts` are by the appointment's id."""

    guarantees: Mapping[UUID, GuaranteeOverview]
    facts: Mapping[UUID, AppointmentFacts]
    tasks: Mapping[UUID, ReplanTask]
    people: Mapping[UUID, KnownPerson | None]


async def run(tx: Transaction, entries: Sequence[WorklistEntry]) -> WorkOfPage:
    """Read the guarantees, visits and Tasks of a page; what has ended meanwhile may be missing."""
    ids: dict[str, list[UUID]] = defaultdict(list)
    for entry in entries:
        ids[entry.kind].append(entry.id)
    overviews = await queries.board.overviews(tx, ids["guarantee"]) if ids["guarantee"] else []
    named = [*ids["waitlist"], *ids["unrecorded"]]
    visits = list(await queries.worklist.appointments(tx, named)) if named else []
    visits += [row.first for row in overviews if row.first is not None]
    facts = await _facts(tx, visits)
    known = await queries.board.people(tx, {row.patient_id for row in visits}) if visits else {}
    tasks = await queries.worklist.replan_tasks(tx, ids["replan"]) if ids["replan"] else []
    return WorkOfPage(
        guarantees={row.guarantee.id: row for row in overviews},
        facts=facts,
        tasks={task.id: task for task in tasks},
        people={
            id: (one.person if (one := known.get(of.row.patient_id)) else None) or of.referral.person
            for id, of in facts.items()
        },
    )


async def _facts(tx: Transaction, visits: Sequence[Appointment]) -> dict[UUID, AppointmentFacts]:
    if not visits:
        return {}
    wanted = {visit.referral_id for visit in visits}
    referrals = await queries.board.referrals_of(tx, wanted)
    firsts: dict[UUID, list[Appointment]] = defaultdict(list)
    for first in await queries.worklist.firsts_of(tx, wanted):
        firsts[first.referral_id].append(first)
    return {
        visit.id: AppointmentFacts(
            row=visit, referral=referrals[visit.referral_id], firsts=firsts[visit.referral_id]
        )
        for visit in visits
        if visit.referral_id in referrals
    }
