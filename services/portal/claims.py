"""An insurer's decision: what a ClaimResponse says item by item, and one made from a form.

The status of a request comes from its items' review actions (X12 306), never from `outcome`: a pended answer
is `complete` too. An item that nobody answered is pended.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from services.portal import labels
from services.portal.acts import Wrong
from services.portal.reading import Resource, code_of
from services.portal.typed import Typed, first, whole_number
from shared.fhir.codes import REVIEW_ACTION_CODE_EXTENSION, REVIEW_ACTION_EXTENSION, X12_306_SYSTEM

APPROVED, PARTLY, DENIED, PENDED, CHANGED = "A1", "A2", "A3", "A4", "A6"
# What a person may choose for an item; another service instead of it is for an insurer's system to say.
CHOICES = (APPROVED, PARTLY, DENIED, PENDED)
_STATUS = {
    APPROVED: "approved",
    PARTLY: "partially-approved",
    DENIED: "denied",
    PENDED: "pended",
    "CT": "pended",
    CHANGED: "modified",
    "C": "cancelled",
    "NA": "not-required",
}
_SUBMITTED = {"system": "http://terminology.hl7.org/CodeSystem/adjudication", "code": "submitted"}


def newest(responses: Sequence[Resource] | None) -> Resource | None:
    """Give the answer that counts: the newest one."""
    ordered = sorted(responses or (), key=lambda one: one.get("meta", {}).get("lastUpdated", ""))
    return ordered[-1] if ordered else None


def actions_of(response: Resource | None) -> dict[int, str]:
    """Give the review action of each item that was answered, by its sequence."""
    return {
        int(item["itemSequence"]): action
        for item in (response or {}).get("item", ())
        if (action := _action(item))
    }


def status_of(claim: Resource, response: Resource | None) -> str:
    """Give where a request stands: its worst open item first, then what was decided."""
    if claim.get("status") == "cancelled":
        return "cancelled"
    if response is None:
        return "requested"
    actions = actions_of(response)
    answered = [actions.get(int(item["sequence"]), "") for item in claim.get("item", ())]
    statuses = [_STATUS.get(action, "pended") for action in answered]
    order = ("pended", "denied", "modified", "partially-approved", "approved", "not-required", "cancelled")
    if "denied" in statuses and {"approved", "partially-approved", "modified"} & set(statuses):
        return "pended" if "pended" in statuses else "partially-approved"
    return next((one for one in order if one in statuses), "pended")


def answer_of(
    claim: Resource, typed: Typed, *, insurer: str, now: datetime
) -> tuple[dict[str, Any], list[Wrong]]:
    """Make the ClaimResponse that a form says, and what in it is missing or wrong."""
    wrong: list[Wrong] = []
    items = [_item(item, typed, wrong) for item in claim.get("item", ())]
    chosen = {first(typed, f"action-{item['sequence']}") for item in claim.get("item", ())}
    response: dict[str, Any] = {
        "resourceType": "ClaimResponse",
        "status": "active",
        "type": claim["type"],
        "use": "preauthorization",
        "patient": claim["patient"],
        "created": now.date().isoformat(),
        "insurer": {"reference": insurer},
        "request": {"reference": f"Claim/{claim['id']}"},
        "outcome": "complete",
        "item": items,
    }
    if reason := first(typed, "reason"):
        response["processNote"] = [{"number": 1, "type": "display", "text": reason}]
    elif chosen & {DENIED, PENDED}:
        wrong.append(Wrong(name="reason", text=labels.NEEDED))
    if number := first(typed, "number"):
        response["preAuthRef"] = number
    if chosen & {APPROVED, PARTLY} and (period := _period(typed, wrong)):
        response["preAuthPeriod"] = period
    return response, wrong


def _item(item: Resource, typed: Typed, wrong: list[Wrong]) -> dict[str, Any]:
    sequence = item["sequence"]
    action = first(typed, f"action-{sequence}")
    if action not in CHOICES:
        wrong.append(Wrong(name=f"action-{sequence}", text=labels.NEEDED))
    code = {"coding": [{"system": X12_306_SYSTEM, "code": action}]}
    stated = {"url": REVIEW_ACTION_CODE_EXTENSION, "valueCodeableConcept": code}
    adjudication: dict[str, Any] = {
        "category": {"coding": [_SUBMITTED]},
        "extension": [{"url": REVIEW_ACTION_EXTENSION, "extension": [stated]}],
    }
    if action == PARTLY:
        asked = int(item.get("quantity", {}).get("value", 0))
        units = whole_number(first(typed, f"units-{sequence}"))
        if units is not None and 0 < units < asked:
            adjudication["value"] = units
        else:
            wrong.append(Wrong(name=f"units-{sequence}", text=labels.FEWER_UNITS))
    return {"itemSequence": sequence, "adjudication": [adjudication]}


def _period(typed: Typed, wrong: list[Wrong]) -> dict[str, str]:
    days: dict[str, date] = {}
    for name in ("start", "end"):
        text = first(typed, name)
        try:
            days[name] = date.fromisoformat(text)
        except ValueError:
            wrong.append(Wrong(name=name, text=labels.DAY_AS if text else labels.NEEDED))
    if len(days) == 2 and days["end"] < days["start"]:
        wrong.append(Wrong(name="end", text=labels.ENDS_BEFORE))
    return {name: day.isoformat() for name, day in days.items()}


def _action(item: Resource) -> str:
    for adjudication in item.get("adjudication", ()):
        for review in adjudication.get("extension", ()):
            for code in review.get("extension", ()):
                if code.get("url") == REVIEW_ACTION_CODE_EXTENSION:
                    return code_of(code.get("valueCodeableConcept"))
    return ""
