"""What scheduling takes out of the events of others."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.clinic import Discipline
from shared.events.envelope import Event
from shared.fhir.codes import LUMBAR, TASK_INPUT_SYSTEM, TaskInput
from shared.fhir.references import local_id

Resource = Mapping[str, Any]
Bound = date | datetime | None


@dataclass(frozen=True, kw_only=True)
class AcceptedReferral:
    """An accepted referral, read from its Task."""

    id: UUID
    patient_id: str
    programme: str
    site: str
    requester: str
    payer: str | None
    sent_at: datetime
    complete_at: datetime
    due_on: date
    unavailable: tuple[tuple[Bound, Bound], ...]


@dataclass(frozen=True, kw_only=True)
class DecidedFunding:
    """What the newest answer of a payer grants, for one discipline."""

    claim_id: str
    status: str
    payer: str | None
    units: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None


def accepted_referral(event: Event) -> AcceptedReferral:
    """Read `referral.accepted`; raises KeyError or ValueError where the contract is broken."""
    inputs = _inputs(_task(event))
    return AcceptedReferral(
        id=UUID(event.focus["id"]),
        patient_id=local_id(event.focus["subject"]),
        programme=inputs["programme"][0]["code"],
        site=inputs["site"][0],
        requester=local_id(inputs["requester"][0]),
        payer=inputs["payer"][0] if "payer" in inputs else None,
        sent_at=_moment(inputs["sent-at"][0]),
        complete_at=_moment(inputs["complete-at"][0]),
        due_on=date.fromisoformat(inputs["due-on"][0]),
        unavailable=tuple(_bounds(period) for period in inputs.get("unavailable", [])),
    )


def decided_funding(event: Event, *, discipline: Discipline | None) -> DecidedFunding:
    """Read an authorization event: its status, and what it grants for a discipline."""
    found = _parameters(event)
    grants = [_parts(grant) for grant in found.get("grant", [])]
    status = found.get("status", [event.type.rpartition(".")[2]])[0]
    fitting = [grant for grant in grants if grant.get("discipline") == discipline]
    bare = DecidedFunding(claim_id=event.focus["id"], status=status, payer=found.get("payer", [None])[0])
    if not fitting:
        unbounded = bare.status in ("not-required", "requested", "pended")
        return bare if unbounded else _granting(bare, units=0)
    starts = [period["start"] for grant in fitting if "start" in (period := grant.get("period", {}))]
    ends = [period["end"] for grant in fitting if "end" in (period := grant.get("period", {}))]
    units = [grant["units"] for grant in fitting if "units" in grant]
    return _granting(
        bare,
        units=sum(units) if units else None,
        starts_on=min(map(_day, starts)) if starts else None,
        ends_on=max(map(_day, ends)) if ends else None,
    )


def referral_of_request(event: Event) -> UUID:
    """Name the referral of a ServiceRequest event."""
    return UUID(event.focus["id"])


def referral_of_claim(event: Event) -> UUID:
    """Name the referral of an authorization event."""
    if "referral" in event.focus:
        return UUID(local_id(event.focus["referral"]))
    return UUID(local_id(_parameters(event)["referral"][0]))


def referral_of_plan(event: Event) -> UUID:
    """Name the referral of a care plan event."""
    for reference in event.focus.get("basedOn", []):
        return UUID(local_id(reference))
    named = {one.get("system"): one.get("value") for one in event.focus.get("identifier", [])}
    return UUID(named[f"{LUMBAR}/referral"])


def _task(event: Event) -> Resource:
    return event.carried("Task")[0]


def _inputs(task: Resource) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in task.get("input", []):
        for coding in one.get("type", {}).get("coding", []):
            if coding.get("system") == TASK_INPUT_SYSTEM:
                found.setdefault(coding["code"], []).append(_value(one))
    missing = {TaskInput.PROGRAMME, TaskInput.SITE, TaskInput.REQUESTER, TaskInput.SENT_AT} - found.keys()
    if missing:
        raise ValueError(f"the referral's Task has no input {', '.join(sorted(missing))}")
    return found


def _parameters(event: Event) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for resource in event.carried("Parameters"):
        for one in resource.get("parameter", []):
            found.setdefault(one["name"], []).append(one["part"] if "part" in one else _value(one))
    return found


def _parts(parts: Sequence[Resource]) -> dict[str, Any]:
    return {part["name"]: _value(part) for part in parts}


def _value(element: Resource) -> Any:
    return next((value for name, value in element.items() if name.startswith("value")), None)


def _granting(
    bare: DecidedFunding, *, units: int | None, starts_on: date | None = None, ends_on: date | None = None
) -> DecidedFunding:
    return DecidedFunding(
        claim_id=bare.claim_id,
        status=bare.status,
        payer=bare.payer,
        units=units,
        starts_on=starts_on,
        ends_on=ends_on,
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is not a time")
    return moment.astimezone(UTC)


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _bounds(period: Resource) -> tuple[Bound, Bound]:
    """Read a FHIR Period; a bound is a moment, a day, or None where it is open."""
    start, end = period.get("start"), period.get("end")
    return (
        None if start is None else _bound(start, last=False),
        None if end is None else _bound(end, last=True),
    )


def _bound(text: str, *, last: bool) -> Bound:
    if "T" in text:
        return _moment(text)
    first, final = _days_of(text)
    return final if last else first


def _days_of(text: str) -> tuple[date, date]:
    """Give the first and the last day of a FHIR date, which may be a whole month or year."""
    year, month, day = (int(part) for part in re.findall(r"\d+", f"{text}-0-0")[:3])
    if day:
        return date(year, month, day), date(year, month, day)
    if month:
        following = date(year + month // 12, month % 12 + 1, 1)
        return date(year, month, 1), following - timedelta(days=1)
    return date(year, 1, 1), date(year, 12, 31)
