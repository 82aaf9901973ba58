"""What times are looked for, as the parameters of `$find`, and the Bundle of those that were found."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from services.scheduling.fhir import proposals
from services.scheduling.models.booking import FoundTime, TimesWanted
from services.scheduling.models.rows import Referral
from services.scheduling.models.spans import Span
from shared.context import Context
from shared.errors import Invalid, Problem
from shared.fhir import references
from shared.fhir.instants import read_instant
from shared.urls import Urls

LONGEST_LOOK = timedelta(days=190)
_USUAL, _MOST = 20, 100


def read(values: Mapping[str, Any], *, urls: Urls) -> TimesWanted:
    """Read the parameters; raises Invalid with everything that is wrong."""
    problems: list[Problem] = []
    start, end = _moment(values, "start", problems), _moment(values, "end", problems)
    if start is not None and end is not None and not start < end:
        problems.append(_problem("end", "lies after start", code="business-rule"))
    elif start is not None and end is not None and end - start > LONGEST_LOOK:
        problems.append(
            _problem("end", f"lies at most {LONGEST_LOOK.days} days after start", code="too-costly")
        )
    limit = values.get("_count", _USUAL)
    if not 1 <= limit <= _MOST:
        problems.append(_problem("_count", f"is a number from 1 to {_MOST}", code="value"))
    referral_id = _referral(values, problems, urls=urls)
    if problems or start is None or end is None:
        raise Invalid(problems=problems)
    patients = _ids(values, "patient", urls=urls)
    return TimesWanted(
        window=Span(start, end),
        visit=values.get("visit-type"),
        specialty=values.get("specialty"),
        practitioners=_ids(values, "practitioner", urls=urls),
        locations=_ids(values, "location", urls=urls),
        referral_id=referral_id,
        patient_id=patients[0] if patients else None,
        programme=values.get("service-type"),
        language=values.get("language"),
        wheelchair=bool(values.get("wheelchair")),
        same_clinician=bool(values.get("same-clinician")),
        limit=limit,
    )


def bundle(
    ctx: Context, times: Sequence[FoundTime], *, programme: str, referral: Referral | None, is_all: bool
) -> dict[str, Any]:
    """Write what was found as a searchset; `total` stands there only where these are all.

    A proposal is no Appointment yet: its id is made of what it says, and nothing is read by it.
    """
    found = [proposals.render(ctx, one, programme=programme, referral=referral) for one in times]
    entries = [_entry(resource) for resource in found]
    total = {"total": len(entries)} if is_all else {}
    listed = {"entry": entries} if entries else {}
    return {"resourceType": "Bundle", "type": "searchset", **total, **listed}


def _entry(resource: Mapping[str, Any]) -> dict[str, Any]:
    made_of = uuid5(NAMESPACE_URL, msgspec.json.encode(resource).decode())
    named = {"resourceType": "Appointment", "id": f"{proposals.PROPOSAL}{made_of}", **resource}
    return {"fullUrl": made_of.urn, "resource": named, "search": {"mode": "match"}}


def _moment(values: Mapping[str, Any], name: str, problems: list[Problem]) -> datetime | None:
    moment = read_instant(values.get(name))
    if moment is None:
        problems.append(_problem(name, "is an instant with a zone", code="required"))
    return moment


def _referral(values: Mapping[str, Any], problems: list[Problem], *, urls: Urls) -> UUID | None:
    named = _ids(values, "referral", urls=urls)
    try:
        return UUID(named[0]) if named else None
    except ValueError:
        problems.append(_problem("referral", "is a ServiceRequest of this clinic", code="not-found"))
        return None


def _ids(values: Mapping[str, Any], name: str, *, urls: Urls) -> list[str]:
    given = values.get(name)
    each = given if isinstance(given, list) else [] if given is None else [given]
    return [references.own_id(one, urls=urls, expression=_where(name)) for one in each]


def _where(name: str) -> str:
    return f"Parameters.parameter.where(name='{name}')"


def _problem(name: str, text: str, *, code: str) -> Problem:
    return Problem(text=f"{name} {text}", code=code, expression=_where(name))
