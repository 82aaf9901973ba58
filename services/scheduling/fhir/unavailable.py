"""A time at which a person is away or a site is closed, as a Slot that is `busy-unavailable`.

Its `schedule` says whose: `Schedule/{person}`, or `Schedule/{site}` where the site is closed. `comment` is
the reason, which coordinators alone see.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from services.scheduling.models.roster_changes import AbsenceChange
from services.scheduling.models.rows import UnavailableTime
from services.scheduling.states import AbsenceStatus
from shared.clinic import Clinic
from shared.context import Context
from shared.errors import Invalid, Problem
from shared.fhir import references, store
from shared.fhir.instants import to_the_second

_LONGEST_COMMENT = 500


def render(ctx: Context, row: UnavailableTime, *, comment: str | None = None) -> dict[str, Any]:
    """Write the row as a Slot."""
    resource = {
        "resourceType": "Slot",
        "id": str(row.id),
        "schedule": _schedule(ctx.clinic, row.person or row.site),
        "status": row.status,
        "start": to_the_second(row.starts_at),
        "end": to_the_second(row.ends_at),
        "comment": comment,
    }
    return {name: value for name, value in resource.items() if value is not None}


def without_reason(body: bytes) -> bytes:
    """Leave out why somebody is away."""
    return store.overlaid(body, {"comment": None})


def comment_of(row: UnavailableTime) -> str | None:
    """Return the reason that was given."""
    comment: str | None = msgspec.json.decode(row.body).get("comment")
    return comment


def read(ctx: Context, sent: Mapping[str, Any]) -> AbsenceChange:
    """Read what a coordinator sent, of the own site; raises Invalid."""
    status, comment = sent.get("status"), sent.get("comment")
    if status not in list(AbsenceStatus):
        allowed = " or ".join(AbsenceStatus)
        raise Invalid(f"a Slot that is written is {allowed}; free time is computed", expression="Slot.status")
    if comment is not None and len(comment) > _LONGEST_COMMENT:
        raise Invalid(f"a reason has at most {_LONGEST_COMMENT} characters", expression="Slot.comment")
    starts_at, ends_at = (datetime.fromisoformat(sent[name]) for name in ("start", "end"))
    if starts_at >= ends_at:
        raise Invalid("it ends after it has begun", expression="Slot.end")
    return AbsenceChange(
        person=_whose(ctx, sent),
        starts_at=starts_at,
        ends_at=ends_at,
        comment=comment,
        is_error=status == AbsenceStatus.IN_ERROR,
    )


def _whose(ctx: Context, sent: Mapping[str, Any]) -> str | None:
    """Read whose calendar it is: a person's of the site, or that of the site itself as None."""
    site_id = str(ctx.caller.site)
    written = str(sent["schedule"].get("reference", ""))
    parsed = references.parse(written)
    people = [person.id for person in ctx.clinic.people if person.site == site_id]
    is_schedule = parsed.type == "Schedule" and references.is_ours(parsed, ctx.urls)
    if is_schedule and parsed.id == site_id:
        return None
    if is_schedule and parsed.id in people:
        return parsed.id
    allowed = ", ".join(f"Schedule/{one}" for one in (*people, site_id))
    text = f"there is no {written[:80]} at your site; allowed are {allowed}"
    raise Invalid(problems=[Problem(text=text, code="not-found", expression="Slot.schedule.reference")])


def _schedule(clinic: Clinic, whose: str) -> dict[str, str]:
    name = clinic.name_of("Practitioner", whose) or clinic.name_of("Location", whose)
    return {"reference": f"Schedule/{whose}"} | ({} if name is None else {"display": name})
