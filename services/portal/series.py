"""A series on a page: its sessions, and what a form asks to be done with them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from typing import Any

from services.portal import labels
from services.portal.acts import Wrong
from services.portal.reading import Resource, code_of, id_of, parameters_of, shown

CANCEL, MOVE, HOLD = "cancel-sessions", "move-sessions", "hold"
_USED = "/claim-units-used"


def to_come(sessions: Sequence[Resource], *, now: datetime) -> list[Resource]:
    """List the sessions that are booked and still to come."""
    return [
        one
        for one in sessions
        if one["status"] == "booked" and "start" in one and datetime.fromisoformat(one["start"]) > now
    ]


def asked(act: str, typed: Mapping[str, str], *, zone: tzinfo) -> tuple[list[dict[str, Any]], list[Wrong]]:
    """Read what a form asks for as parameters of the act; days and times are the site's wall clock."""
    if act == HOLD:
        return _held(typed)
    said: list[dict[str, Any]] = [{"name": "scope", "valueCode": typed.get("scope") or "one"}]
    wrong = []
    if typed.get("session"):
        reference = {"reference": f"Appointment/{typed['session']}"}
        said.append({"name": "session", "valueReference": reference})
    elif typed.get("scope") != "all" or act == MOVE:
        wrong.append(Wrong(name="session", text=labels.NEEDED))
    if act == CANCEL:
        wrong += [] if typed.get("reason") else [Wrong(name="reason", text=labels.NEEDED)]
        said += [{"name": "reason", "valueString": typed.get("reason", "")}]
        said += [{"name": "code", "valueCode": "pat" if typed.get("whose") == "pat" else "prov"}]
        return said, wrong
    said += _whom(typed)
    start = _start(typed, zone)
    if start is not None:
        return [*said, {"name": "start", "valueInstant": start.isoformat()}], wrong
    if typed.get("day") or typed.get("time") or not _whom(typed):
        wrong.append(Wrong(name="day", text=labels.NEEDED))
    return said, wrong


def who_else(
    sessions: Sequence[Resource], roles: Sequence[Resource], *, discipline_of: Callable[[str], str]
) -> list[tuple[str, str]]:
    """Name the clinicians of the disciplines of these sessions, where their clinicians work."""
    led = {id_of(actor) for actor in _actors(sessions, "Practitioner")}
    given = {code_of(one["specialty"][0]) for one in sessions if one.get("specialty")}
    sites = {id_of(place) for role in roles if role["id"] in led for place in role.get("location", ())}
    able = [
        (role, discipline)
        for role in roles
        if (discipline := code_of(role["code"][0])) in given
        and sites & {id_of(place) for place in role.get("location", ())}
    ]
    return [
        (role["id"], f"{shown(role['practitioner'])} · {discipline_of(discipline)}")
        for role, discipline in able
    ]


def where_else(sessions: Sequence[Resource], places: Sequence[Resource]) -> list[tuple[str, str]]:
    """Name the rooms of the kinds in which these sessions are, at their sites."""
    used = {id_of(actor) for actor in _actors(sessions, "Location")}
    mine = [(_kind(place), id_of(place.get("partOf"))) for place in places if place["id"] in used]
    alike = [place for place in places if (_kind(place), id_of(place.get("partOf"))) in mine]
    return [(place["id"], place["name"]) for place in alike]


def preview_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the sessions that an act would change, each with what it was and what it will be."""
    return [parameters_of({"parameter": part}) for part in _sessions(body)]


def entries(series: Resource) -> list[str]:
    """Name the appointments of a series by their ids."""
    return [id_of(entry["item"]) for entry in series.get("entry", ())]


def referral_of(series: Resource) -> str:
    """Return the id of the referral of a series."""
    named = [str(one.get("value")) for one in series.get("identifier", ()) if one.get("value")]
    return next(iter(named), "")


def units_of(claim: Resource) -> list[Mapping[str, Any]]:
    """List the units of each item of a Claim: how many were asked for, and how many are used, if known."""
    return [
        {
            "service": code_of(item.get("productOrService")),
            "asked": int(item["quantity"]["value"]),
            "used": next(
                (one["valueInteger"] for one in item.get("extension", ()) if one["url"].endswith(_USED)), None
            ),
        }
        for item in claim.get("item", ())
    ]


def _whom(typed: Mapping[str, str]) -> list[dict[str, Any]]:
    named = {"practitioner": ("practitioner", "Practitioner"), "room": ("location", "Location")}
    return [
        {"name": name, "valueReference": {"reference": f"{kind}/{typed[field]}"}}
        for field, (name, kind) in named.items()
        if typed.get(field)
    ]


def _actors(sessions: Sequence[Resource], kind: str) -> Iterator[Mapping[str, Any]]:
    actors = (one.get("actor", {}) for session in sessions for one in session.get("participant", ()))
    return (actor for actor in actors if f"{kind}/" in actor.get("reference", ""))


def _kind(place: Resource) -> str:
    return code_of(next(iter(place.get("type", ())), None))


def _sessions(body: Mapping[str, Any]) -> list[Any]:
    return [one["part"] for one in body.get("parameter", ()) if one.get("name") == "session"]


def _held(typed: Mapping[str, str]) -> tuple[list[dict[str, Any]], list[Wrong]]:
    said, wrong = [], []
    for name in ("from", "until"):
        try:
            said.append({"name": name, "valueDate": date.fromisoformat(typed.get(name, "")).isoformat()})
        except ValueError:
            wrong.append(Wrong(name=name, text=labels.NEEDED))
    wrong += [] if typed.get("reason") else [Wrong(name="reason", text=labels.NEEDED)]
    return [*said, {"name": "reason", "valueString": typed.get("reason", "")}], wrong


def _start(typed: Mapping[str, str], zone: tzinfo) -> datetime | None:
    try:
        day, wall = date.fromisoformat(typed.get("day", "")), time.fromisoformat(typed.get("time", ""))
    except ValueError:
        return None
    return datetime.combine(day, wall, tzinfo=zone)
