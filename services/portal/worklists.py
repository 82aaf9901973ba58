"""Worklists of the services as rows of a page: what is to be done, the most urgent first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.portal.acts import Act
from services.portal.calls import Answer

_WAITS = "waits-for-sender"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing to do; `sign` says how urgent it is, `acts` what the person may do with it now."""

    kind: str
    service: str
    resource: str
    focus: str
    referral: str
    patient: str
    name: str
    born: str | None
    programme: str
    requester: str
    state: str
    sign: str
    reason: Mapping[str, Any] | None
    rules: Sequence[Mapping[str, Any]]
    since: str | None
    due: str | None
    owner: str
    acts: Sequence[Act] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """A page of a worklist; `counts` are by kind over all of it."""

    total: int
    next: str | None
    counts: Mapping[str, int]
    rows: Sequence[Row]


def read(answer: Answer, service: str) -> Worklist | None:
    """Read a worklist; None where it cannot be read."""
    if not answer.is_good:
        return None
    body = answer.body
    return Worklist(
        total=body["total"],
        next=body.get("next"),
        counts=body.get("counts", {}),
        rows=without_repeats([_row(one, service) for one in body["rows"]]),
    )


def urgent(lists: Sequence[Worklist | None]) -> str | None:
    """Count what is overdue or an emergency on all lists: "9+" where more may follow, None where one is away.

    Promises are counted on their board.
    """
    count, is_more = 0, False
    for one in lists:
        if one is None:
            return None
        signs = [row.sign == "stop" for row in one.rows if row.kind != "guarantee"]
        count += sum(signs)
        is_more = is_more or (one.next is not None and bool(signs) and all(signs))
    return f"{count}+" if is_more else str(count)


def without_repeats(rows: Sequence[Row]) -> list[Row]:
    """Leave out that a referral waits for its sender where something else is to be done about it."""
    busy = {row.referral for row in rows if row.kind != _WAITS}
    return [row for row in rows if row.kind != _WAITS or row.referral not in busy]


def _row(one: Mapping[str, Any], service: str) -> Row:
    patient = one.get("patient") or {}
    return Row(
        kind=one["kind"],
        service=service,
        resource=one.get("resource", ""),
        focus=one.get("focus", ""),
        referral=one.get("referral") or "",
        patient=patient.get("id") or "",
        name=patient.get("name") or "",
        born=patient.get("birth_date"),
        programme=one.get("programme") or "",
        requester=(one.get("requester") or {}).get("display", ""),
        state=one.get("state") or "",
        sign=one.get("urgency", "waiting"),
        reason=one.get("reason"),
        rules=one.get("rules", ()),
        since=one.get("since"),
        due=one.get("due"),
        owner=(one.get("owner") or {}).get("display", ""),
        acts=[act_of(act) for act in one.get("actions", ())],
    )


def act_of(one: Mapping[str, Any]) -> Act:
    """Read an act as a row of a worklist or of a day names it."""
    path = "/" + one["url"].split("/", 3)[3] if "://" in one["url"] else one["url"]
    return Act(
        name=one["name"],
        kind=one.get("kind", "operation"),
        method=one["method"],
        path=path,
        text="",
        fields=(),
        is_available=True,
    )
