"""Plans and goals as CarePlan and Goal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from services.careteam import texts
from services.careteam.fhir.elements import REFERRAL_SYSTEM, Resource, decoded, practitioner
from services.careteam.fhir.request_parsing import Findings, unchanged
from services.careteam.models.instruments import INSTRUMENTS, Instrument
from services.careteam.models.rows import Goal, Plan, Team
from services.careteam.states import GoalState, PlanState
from shared.context import Context
from shared.fhir.codes import LOINC
from shared.fhir.elements import reference, referral_reference
from shared.fhir.instants import to_the_second
from shared.fhir.received import Received
from shared.fhir.references import Form, parse

_OURS = ("identifier", "subject", "careTeam", "supportingInfo", "author", "created", "intent")


class _Contained(msgspec.Struct):
    contained: list[msgspec.Raw] = []


_CONTAINED = msgspec.json.Decoder(_Contained)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPlan:
    """A plan as it was sent: the bytes of the Goals inside it by their `#id`, and what else it contains."""

    received: Received
    goals: Mapping[str, bytes]
    others: Sequence[msgspec.Raw]


def draft_plan(ctx: Context, plan: Plan, *, team: Team, goals: Sequence[Goal]) -> Resource:
    """Render the draft that waits for a clinician to fill it."""
    return {
        "resourceType": "CarePlan",
        "identifier": [{"system": REFERRAL_SYSTEM, "value": plan.referral_id}],
        "status": PlanState.DRAFT,
        "intent": "plan",
        "title": ctx.clinic.programme(team.programme).name,
        "subject": referral_reference(ctx, "Patient", plan.patient_id),
        "supportingInfo": [referral_reference(ctx, "ServiceRequest", plan.referral_id)],
        "careTeam": [reference("CareTeam", team.id)],
        "author": practitioner(ctx, plan.owner),
        "created": to_the_second(plan.drafted_at),
        "goal": [reference("Goal", goal.id) for goal in goals],
    }


def draft_goals(ctx: Context, plan: Plan) -> list[tuple[Goal, Resource]]:
    """Propose one goal for each instrument that the clinic measures with."""
    return [_draft_goal(ctx, plan, instrument) for instrument in INSTRUMENTS.values()]


def is_as_drafted(ctx: Context, plan: Plan, *, team: Team, goals: Sequence[Goal]) -> bool:
    """Tell whether a draft and its goals say what they were opened with, and nothing that somebody wrote."""
    now = [_said(plan.body), *(_said(goal.body) for goal in goals)]
    drafted = draft_plan(ctx, plan, team=team, goals=goals)
    proposed = (rendered for _, rendered in draft_goals(ctx, plan))
    return sorted(map(_comparable, now)) == sorted(map(_comparable, [drafted, *proposed]))


def asked_plan(data: Mapping[str, Any], stored: Mapping[str, Any], *, findings: Findings) -> PlanState:
    """Read the status that a plan shall have, and note what the caller may not change."""
    unchanged(data, stored, members=_OURS, findings=findings)
    try:
        return PlanState(data["status"])
    except ValueError:
        allowed = ", ".join(PlanState)
        findings.add(f"the status of a plan is one of {allowed}", expression="CarePlan.status")
        return PlanState(stored["status"])


def asked_goal_state(data: Mapping[str, Any], *, before: GoalState, findings: Findings) -> GoalState:
    """Read the lifecycle status that a goal shall have; as before where it is none."""
    try:
        return GoalState(data["lifecycleStatus"])
    except ValueError:
        allowed = ", ".join(GoalState)
        findings.add(f"a goal is one of {allowed}", expression="Goal.lifecycleStatus")
        return before


def taken_apart(received: Received) -> SentPlan:
    """Take out of a plan what it contains."""
    goals, others = dict[str, bytes](), []
    raws = _CONTAINED.decode(received.raw).contained
    for resource, raw in zip(received.data.get("contained", []), raws, strict=True):
        if resource.get("resourceType") != "Goal":
            others.append(raw)
        elif "id" in resource:
            goals[f"#{resource['id']}"] = bytes(raw)
    return SentPlan(received=received, goals=goals, others=others)


def plan_overlay(
    sent: SentPlan, stored: Mapping[str, Any], *, goals: Sequence[Mapping[str, Any]]
) -> Resource:
    """What a plan's new version does not take from what was sent.

    The clinic's own members come from the stored version; goals are resources of their own, so those that
    came inside the plan leave it.
    """
    laid = {name: stored.get(name) for name in _OURS} | {"goal": list(goals) or None}
    return laid | ({"contained": sent.others or None} if sent.goals else {})


def goal_ids(sent: SentPlan, *, findings: Findings) -> list[str]:
    """Read which goals a plan refers to: ids of Goals of ours, or `#id` of contained ones."""
    found = []
    for index, element in enumerate(sent.received.data.get("goal", [])):
        target = parse(element)
        if target.form is Form.FRAGMENT and target.text in sent.goals:
            found.append(target.text)
        elif target.type == "Goal" and target.id is not None:
            found.append(target.id)
        else:
            findings.add("this refers to no Goal", expression=f"CarePlan.goal[{index}]")
    return found


def summary(data: Mapping[str, Any]) -> str:
    """Read how a plan ended: the texts of its notes."""
    return " ".join(note.get("text", "").strip() for note in data.get("note", [])).strip()


def _said(body: bytes) -> Resource:
    """Decode what a stored resource says beside its id and version."""
    return {name: value for name, value in decoded(body).items() if name not in ("id", "meta")}


def _comparable(resource: Resource) -> bytes:
    """Write a resource so that two can be compared; the clinic may have another address than it had."""
    said = _local(resource)
    goals = sorted(said.get("goal", ()), key=lambda goal: str(goal.get("reference")))
    return msgspec.json.encode({**said, "goal": goals}, order="deterministic")


def _local(node: Any) -> Any:
    if isinstance(node, list):
        return [_local(part) for part in node]
    if not isinstance(node, Mapping):
        return node
    named = parse(node) if isinstance(node.get("reference"), str) else None
    said = {name: _local(value) for name, value in node.items()}
    if named is not None and named.type is not None and named.id is not None:
        said["reference"] = f"{named.type}/{named.id}"
        # Drafts of before name nobody by name, and people change theirs.
        said.pop("display", None)
    return said


def _draft_goal(ctx: Context, plan: Plan, instrument: Instrument) -> tuple[Goal, Resource]:
    goal = Goal(plan_id=plan.id, team_id=plan.team_id, patient_id=plan.patient_id)
    measure = {"coding": [{"system": LOINC, "code": instrument.loinc, "display": instrument.name}]}
    rendered = {
        "resourceType": "Goal",
        "lifecycleStatus": GoalState.PROPOSED,
        "description": {"text": texts.GOALS[instrument.id]},
        "subject": referral_reference(ctx, "Patient", plan.patient_id),
        "target": [{"measure": measure}],
    }
    return goal, rendered
