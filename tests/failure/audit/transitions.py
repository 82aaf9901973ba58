"""I6: reads every history of every service and lists each step that its service's own table does not have.

A history is all that is stored of one resource. A version that leaves the state as it was is no
step; a missing version is a finding too, since it could hide one.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import msgspec

from services.careteam import states as care
from services.notifications import states as notifying
from services.referral import states as referring
from services.scheduling import states as scheduling
from services.scheduling.states import AppointmentStatus
from shared.fhir.codes import TaskCode
from tests.failure.audit.evidence import Evidence
from tests.support.history import versions_of
from tests.support.sql import sql

Resource = Mapping[str, Any]
Steps = Mapping[Any, frozenset[Any]]


@dataclass(frozen=True, kw_only=True)
class LifeCycle:
    """A table of states.py, where resources of its kind show their state, and the states they begin in."""

    kind: str
    steps: Steps
    begins: frozenset[str]
    state: Callable[[Resource], str]


async def illegal_steps(evidence: Evidence) -> AsyncIterator[str]:
    """List every step in every history that no table allows."""
    for service, database in evidence.databases.items():
        every = await versions_of(database)
        async with database.transaction() as tx:
            histories = f"SELECT type, id, version, body FROM ({every}) AS every ORDER BY type, id, version"
            rows = (await sql(tx, histories)).all()
        for (kind, id_), history in groupby(rows, key=lambda row: (row.type, row.id)):
            versions = list(history)
            numbers = [row.version for row in versions]
            if numbers != list(range(1, len(numbers) + 1)):
                yield f"I6: the history of {service}'s {kind} {id_} has the versions {numbers}"
            bodies = [msgspec.json.decode(row.body) for row in versions]
            life = life_cycle(service, bodies[0])
            if life is not None:
                for finding in wrong_steps(life, bodies):
                    yield f"I6: {service}'s {life.kind} {id_} {finding}"


def wrong_steps(life: LifeCycle, versions: list[Resource]) -> list[str]:
    """Say which steps of one history its life cycle does not have."""
    states = [life.state(version) for version in versions]
    began = [] if states[0] in life.begins else [f"began {states[0]}"]
    return began + [
        f"went from {now} to {then}"
        for now, then in pairwise(states)
        if now != then and then not in life.steps.get(now, frozenset())
    ]


def life_cycle(service: str, resource: Resource) -> LifeCycle | None:
    """Find the life cycle of a resource; None for what has none, such as a Patient."""
    kind = resource["resourceType"]
    code = _code(resource.get("code", {})) if kind == "Task" else None
    return _LIVES.get((service, kind, code)) or _LIVES.get((service, kind, None))


def _code(concept: Resource) -> str | None:
    return next((coding.get("code") for coding in concept.get("coding", ())), None)


def _status(resource: Resource) -> str:
    return str(resource["status"])


def _business_status(resource: Resource) -> str:
    return str(_code(resource["businessStatus"]))


def _meeting_state(resource: Resource) -> str:
    return str(next(one["valueCode"] for one in resource["extension"] if "valueCode" in one))


def _either(steps: Steps, more: Mapping[Any, Any]) -> Steps:
    """Join the steps of a life cycle with those by which a mistake is corrected."""
    return {now: frozenset(steps.get(now, ())) | frozenset(more.get(now, ())) for now in {*steps, *more}}


def _pairs(allowed: frozenset[tuple[Any, Any]]) -> Steps:
    return {now: frozenset(then for first, then in allowed if first == now) for now, _ in allowed}


_LIVES: dict[tuple[str, str, str | None], LifeCycle] = {
    ("referral", "Task", TaskCode.PROCESS_REQUEST): LifeCycle(
        kind="referral",
        steps=referring.ALLOWED,
        begins=frozenset({referring.State.AWAITING_TRIAGE}),
        state=_business_status,
    ),
    ("referral", "Task", None): LifeCycle(
        kind="Task", steps=referring.TASK_ALLOWED, begins=frozenset({"requested"}), state=_status
    ),
    ("scheduling", "Appointment", None): LifeCycle(
        kind="Appointment",
        steps=_either(_pairs(scheduling.ALLOWED), scheduling.CORRECTIONS),
        begins=frozenset({*scheduling.UNTIMED, AppointmentStatus.PENDING, AppointmentStatus.BOOKED}),
        state=_status,
    ),
    ("scheduling", "Task", TaskCode.REPLAN_VISITS): LifeCycle(
        kind="Task",
        steps=scheduling.REPLANNING,
        begins=frozenset({scheduling.ReplanStatus.REQUESTED}),
        state=_status,
    ),
    ("scheduling", "Task", TaskCode.OFFER_TIME): LifeCycle(
        kind="Task",
        steps=scheduling.OFFERS,
        begins=frozenset({scheduling.OfferStatus.REQUESTED}),
        state=_status,
    ),
    **{
        ("scheduling", "Task", code): LifeCycle(
            kind="Task",
            steps=scheduling.VISIT_TASKS,
            begins=frozenset({scheduling.VisitTaskStatus.REQUESTED}),
            state=_status,
        )
        for code in (TaskCode.TELL_PATIENT, TaskCode.RECORD_VISIT, TaskCode.RECALL)
    },
    ("careteam", "CareTeam", None): LifeCycle(
        kind="CareTeam", steps=care.TEAM, begins=frozenset({care.TeamState.ACTIVE}), state=_status
    ),
    ("careteam", "CarePlan", None): LifeCycle(
        kind="CarePlan",
        steps=_either(care.PLAN, care.CORRECTED_PLAN),
        begins=frozenset({care.PlanState.DRAFT}),
        state=_status,
    ),
    ("careteam", "Goal", None): LifeCycle(
        kind="Goal",
        steps=_either(care.GOAL, care.CORRECTED_GOAL),
        begins=frozenset({care.GoalState.PROPOSED, care.GoalState.ACTIVE}),
        state=lambda goal: str(goal["lifecycleStatus"]),
    ),
    ("careteam", "Task", TaskCode.AGENDA_ITEM): LifeCycle(
        kind="case",
        steps=care.CASE,
        begins=frozenset({care.CaseState.QUEUED, care.CaseState.ON_AGENDA}),
        state=_business_status,
    ),
    ("careteam", "Task", None): LifeCycle(
        kind="action", steps=care.ACTION, begins=frozenset({care.ActionState.REQUESTED}), state=_status
    ),
    ("careteam", "Appointment", None): LifeCycle(
        kind="meeting",
        steps=care.MEETING,
        begins=frozenset({care.MeetingState.SCHEDULED}),
        state=_meeting_state,
    ),
    ("notifications", "Communication", None): LifeCycle(
        kind="message",
        steps=_pairs(notifying.ALLOWED),
        begins=frozenset({notifying.Status.PREPARATION, notifying.Status.NOT_DONE}),
        state=_status,
    ),
}
