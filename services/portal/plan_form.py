"""A care plan as a form: its words, its activities one a line, its goals, and how it ended."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.reading import Resource
from services.portal.typed import Typed, first

_NEW_GOAL = "new-goal"


def written(plan: Resource) -> dict[str, list[str]]:
    """Give what a plan says as the fields of its form."""
    return {
        "description": [str(plan.get("description", ""))],
        "activities": ["\n".join(activities_of(plan))],
        "goal": [goal.get("reference", "") for goal in plan.get("goal", ())],
    }


def activities_of(plan: Resource) -> list[str]:
    """Give the activities of a plan in words; one that is a reference has none here."""
    details = (one.get("detail", {}) for one in plan.get("activity", ()))
    return [text for one in details if (text := one.get("description") or one.get("code", {}).get("text"))]


def plan_of(current: Resource, typed: Typed, *, status: str) -> dict[str, Any]:
    """Lay what was typed over a plan as it stands; what the form does not show stays as it is."""
    plan = {**current, "status": status}
    lines = [line.strip() for line in first(typed, "activities").splitlines() if line.strip()]
    plan["activity"] = [*_kept(current, lines), *(_activity(line) for line in _new(current, lines))]
    if text := first(typed, "description"):
        plan["description"] = text
    else:
        plan.pop("description", None)
    plan["goal"] = [{"reference": one} for one in typed.get("goal", ()) if one]
    if goal := first(typed, _NEW_GOAL):
        contained = {
            "resourceType": "Goal",
            "id": _NEW_GOAL,
            "lifecycleStatus": "proposed",
            "description": {"text": goal},
            "subject": current["subject"],
        }
        plan["contained"] = [*current.get("contained", ()), contained]
        plan["goal"].append({"reference": f"#{_NEW_GOAL}"})
    if note := first(typed, "note"):
        plan["note"] = [*current.get("note", ()), {"text": note}]
    return {name: value for name, value in plan.items() if value != []}


def _kept(current: Resource, lines: Sequence[str]) -> list[Mapping[str, Any]]:
    """Give the activities that stay: those whose words still stand there, and those without words."""
    return [
        one
        for one in current.get("activity", ())
        if not (words := activities_of({"activity": [one]})) or words[0] in lines
    ]


def _new(current: Resource, lines: Sequence[str]) -> list[str]:
    known = set(activities_of(current))
    return [line for line in lines if line not in known]


def _activity(line: str) -> dict[str, Any]:
    return {"detail": {"kind": "ServiceRequest", "status": "scheduled", "description": line}}
