"""Read what the rows of a worklist are about, for a whole page by a few statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.scheduling import queries
from services.scheduling.models.guarantees import GuaranteeOverview
from services.scheduling.models.offers import TimeOffer
from services.scheduling.models.rows import (
    Appointment,
    Referral,
    ReplanTask,
    Series,
    TellingTask,
    VisitTask,
)
from services.scheduling.rules.acts import AppointmentFacts
from services.scheduling.states import LIVE_FIRST
from shared.db import Transaction
from shared.fhir.worklists import WorklistEntry
from shared.people import KnownPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOfPage:
    """What stands behind the entries of a page, by their ids.

    `facts` are by the appointment's id, first appointments of the guarantees included; `patients` are the
    Tasks to tell, call or ask a patient; `people` are by the referral's.
    """

    guarantees: Mapping[UUID, GuaranteeOverview]
    facts: Mapping[UUID, AppointmentFacts]
    tasks: Mapping[UUID, ReplanTask]
    patients: Mapping[UUID, TellingTask | VisitTask | TimeOffer]
    series: Mapping[UUID, Series]
    referrals: Mapping[UUID, Referral]
    people: Mapping[UUID, KnownPerson | None]


async def run(tx: Transaction, entries: Sequence[WorklistEntry]) -> WorkOfPage:
    """Read the guarantees, visits and Tasks of a page as they now are: each table once."""
    ids: dict[str, list[UUID]] = defaultdict(list)
    for entry in entries:
        ids[entry.kind].append(entry.id)
    named = [*ids["waitlist"], *ids["unrecorded"]]
    guarantees = await queries.board.guarantees(tx, ids["guarantee"]) if ids["guarantee"] else []
    visits = await queries.worklist.appointments(tx, named) if named else []
    tasks = await queries.worklist.replan_tasks(tx, ids["replan"]) if ids["replan"] else []
    patients: list[TellingTask | VisitTask | TimeOffer] = [
        *(await queries.worklist.telling_tasks(tx, ids["tell"]) if ids["tell"] else ()),
        *(await queries.visit_tasks.by_ids(tx, ids["recall"]) if ids["recall"] else ()),
        *(await queries.offers.by_ids(tx, ids["offer"]) if ids["offer"] else ()),
    ]
    series = await queries.worklist.series(tx, ids["series"]) if ids["series"] else []
    of_tasks = {task.id: task for task in tasks}
    about = (guarantees, visits, patients, series)
    wanted = {row.referral_id for rows in about for row in rows}
    if not wanted:
        return WorkOfPage(
            guarantees={},
            facts={},
            tasks=of_tasks,
            patients={},
            series={},
            referrals={},
            people={},
        )

    referrals = await queries.board.referrals_of(tx, wanted)
    firsts: dict[UUID, list[Appointment]] = defaultdict(list)
    for first in await queries.worklist.firsts_of(tx, wanted):
        firsts[first.referral_id].append(first)
    people = await queries.board.people(tx, referrals.values())
    return WorkOfPage(
        guarantees={
            row.id: GuaranteeOverview(
                guarantee=row,
                referral=referrals[row.referral_id],
                first=_living(firsts[row.referral_id]),
                person=people[row.referral_id],
            )
            for row in guarantees
        },
        facts={
            row.id: AppointmentFacts(
                row=row, referral=referrals[row.referral_id], firsts=firsts[row.referral_id]
            )
            for row in (*visits, *(first for of_one in firsts.values() for first in of_one))
        },
        tasks=of_tasks,
        patients={task.id: task for task in patients},
        series={row.id: row for row in series},
        referrals=referrals,
        people=people,
    )


def _living(firsts: Sequence[Appointment]) -> Appointment | None:
    """Return the first appointment that lives, of which a referral has one at most."""
    return next((row for row in firsts if row.status in LIVE_FIRST), None)
