"""What is said of a change of a series: the act that a call asks for, and the dates that come of it."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from services.scheduling.models.series_change import (
    ChangedSeries,
    ChangedSession,
    Scope,
    SeriesAct,
    SeriesChange,
)
from services.scheduling.states import AppointmentStatus
from shared.context import Context
from shared.errors import Invalid
from shared.fhir import references
from shared.fhir.codes import DISCIPLINE_SYSTEM
from shared.fhir.elements import coded, directory_reference, reference
from shared.fhir.instants import read_instant, to_the_second
from shared.urls import Urls

Code = TypeVar("Code", bound=StrEnum)
_YEARS = range(2000, 2200)
_WORDS_NEEDED = (SeriesAct.CANCEL, SeriesAct.HOLD, SeriesAct.SETTLE)


def read(act: SeriesAct, values: Mapping[str, Any], *, urls: Urls) -> SeriesChange:
    """Read what a call asks for; raises Invalid with what is missing."""
    words = str(values.get("reason") or "").strip() or None
    if act in _WORDS_NEEDED and words is None:
        raise Invalid("say why, in words that the other side reads", expression=_where("reason"))
    if act == SeriesAct.BOOK_PARTLY and values.get("consent") is not True:
        text = "a part is booked with the patient's consent only: ask them, and say true"
        raise Invalid(text, expression=_where("consent"))
    scope = _one_of(Scope, values.get("scope") or Scope.ONE, "scope")
    change = SeriesChange(
        act=act,
        words=words,
        code=str(values.get("code") or "prov"),
        scope=scope,
        session=_session(values, urls=urls),
        start=_moment(values),
        practitioner=_named(values, "practitioner", urls=urls),
        room=_named(values, "location", urls=urls),
        first=_day(values, "from"),
        last=_day(values, "until"),
        discipline=values.get("discipline"),
        count=int(values.get("count") or 0),
        on=sorted({_read_day(text, "on") for text in _list(values.get("on"))}),
    )
    if act == SeriesAct.CANCEL and scope != Scope.ALL and change.session is None:
        raise Invalid("name the session, or say that all are meant", expression=_where("session"))
    if act == SeriesAct.MOVE and not (change.start or change.practitioner or change.room):
        raise Invalid("say the new start, or who leads them, or the room", expression=_where("start"))
    if act == SeriesAct.EXTEND and not 1 <= (change.count or len(change.on)) <= 60:
        raise Invalid(
            "say how many sessions more, or the days of boosters: 1 to 60", expression=_where("count")
        )
    return change


def render(ctx: Context, changed: ChangedSeries) -> dict[str, Any]:
    """Write a series after an act, and each session that the act changed, as it was and as it is."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "series", "valueReference": reference("List", changed.series.id)},
            {"name": "status", "valueCode": changed.series.status},
            *({"name": "session", "part": _parts(ctx, one)} for one in changed.sessions),
        ],
    }


def _parts(ctx: Context, one: ChangedSession) -> list[dict[str, Any]]:
    row, was = one.row, one.was
    parts: list[dict[str, Any]] = [
        {"name": "appointment", "valueReference": reference("Appointment", row.id)},
        {"name": "outcome", "valueCode": _outcome(one)},
    ]
    if row.discipline is not None:
        parts.append({"name": "discipline", "valueCodeableConcept": coded(DISCIPLINE_SYSTEM, row.discipline)})
    if was is not None:
        parts.append({"name": "was", "valueInstant": to_the_second(was)})
    if row.status != AppointmentStatus.CANCELLED and row.starts_at is not None:
        parts.append({"name": "start", "valueInstant": to_the_second(row.starts_at)})
    if row.practitioner is not None:
        who = directory_reference(ctx.clinic, f"Practitioner/{row.practitioner}")
        parts.append({"name": "practitioner", "valueReference": who})
    if row.room is not None:
        where = directory_reference(ctx.clinic, f"Location/{row.room}")
        parts.append({"name": "location", "valueReference": where})
    return parts


def _outcome(one: ChangedSession) -> str:
    if one.row.status == AppointmentStatus.CANCELLED:
        return "cancelled"
    if one.was is None:
        return "booked"
    return "reassigned" if one.was == one.row.starts_at else "moved"


def act_of(values: Mapping[str, Any]) -> SeriesAct:
    """Read which act is to be previewed; raises Invalid for another one."""
    return _one_of(SeriesAct, values.get("act"), "act")


def _one_of(kind: type[Code], given: Any, name: str) -> Code:
    try:
        return kind(str(given))
    except ValueError:
        allowed = ", ".join(kind)
        raise Invalid(f"allowed are {allowed}", expression=_where(name)) from None


def _session(values: Mapping[str, Any], *, urls: Urls) -> UUID | None:
    named = values.get("session")
    if named is None:
        return None
    try:
        return UUID(references.own_id(named, urls=urls, expression=_where("session")))
    except ValueError:
        raise Invalid("names an Appointment of this series", expression=_where("session")) from None


def _named(values: Mapping[str, Any], name: str, *, urls: Urls) -> str | None:
    given = values.get(name)
    return None if given is None else references.own_id(given, urls=urls, expression=_where(name))


def _moment(values: Mapping[str, Any]) -> datetime | None:
    text = values.get("start")
    moment = None if text is None else read_instant(str(text))
    if text is not None and (moment is None or moment.year not in _YEARS):
        raise Invalid("is an instant with a zone, in years that can be booked", expression=_where("start"))
    return moment


def _day(values: Mapping[str, Any], name: str) -> date | None:
    return None if values.get(name) is None else _read_day(values[name], name)


def _read_day(text: Any, name: str) -> date:
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        day = date.min
    if day.year not in _YEARS:
        raise Invalid("is a day such as 2026-06-01", expression=_where(name))
    return day


def _list(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def _where(name: str) -> str:
    return f"Parameters.parameter.where(name='{name}')"
