"""The page behind the link of a message to a patient: no sign-in, but a birth date before anything is shown.

Invariants:
- A GET shows the form for the birth date and calls nobody: what only looks at a link uses up nothing.
- The secret stands in no address but the letter's own; everything after that is a POST of this page.
- The birth date goes on from form to form in the page alone: no cookie and no store has it.
"""

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time, get_month_names, get_timezone_name
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.portal import labels, patient_labels
from services.portal.api.portal import Portal
from services.portal.calls import Answer, post_openly
from services.portal.languages import Language
from services.portal.typed import first, whole_number
from shared.http.origins import is_of_our_origin

# The buttons of an offer, and the answers that they are.
_OFFER_ANSWERS = {"takes": "accepted", "keeps": "declined"}
_SHOWN = "plain/patient_link.html"
_ASKED = "plain/patient_link_asks.html"
_ENDED = "plain/patient_link_ended.html"


def patient_link_routes(portal: Portal) -> list[Route]:
    """Give the routes behind the links of messages to patients."""
    return [
        Route("/m/{secret}", partial(_ask, portal), methods=["GET"]),
        Route("/m/{secret}", partial(_act, portal), methods=["POST"]),
    ]


async def _ask(portal: Portal, request: Request) -> Response:
    """Ask for the birth date."""
    return _form(portal, request)


async def _act(portal: Portal, request: Request) -> Response:
    """Open the link, or do what the patient chose, and show what stands behind it now."""
    if not is_of_our_origin(request.headers, base_url=portal.runtime.base_url):
        return portal.plain(request, "plain/not_from_here.html", status=403)
    form = await request.form(max_files=0, max_fields=20)
    typed = {name: [str(value) for value in form.getlist(name)] for name in form}
    born = _born(typed)
    if born is None:
        return _form(portal, request, typed=typed, problem=patient_labels.BIRTH_DATE_AS, status=422)
    said = {"token": request.path_params["secret"], "birth_date": born.isoformat()}
    done = await _do(portal, typed, said)
    if done is not None and done.file is not None and done.is_good:
        named = {"Content-Disposition": 'attachment; filename="appointment.ics"'}
        return Response(done.file, media_type="text/calendar; charset=utf-8", headers=named)
    opened = await post_openly(portal.runtime.http, "/notifications/links/$open", said)
    if opened.is_away or (done is not None and done.is_away):
        return portal.plain(request, "plain/away.html", status=503)
    if opened.status == 403:
        return _form(portal, request, typed=typed, problem=patient_labels.WRONG_BIRTH_DATE, status=403)
    if not opened.is_good:
        return portal.plain(request, _ENDED, status=opened.status)
    was_refused = done is not None and not done.is_good
    shown = _shown(opened.body, portal.language_of(request))
    return portal.plain(
        request, _SHOWN, born=born.isoformat(), was_refused=was_refused, was_done=done is not None, **shown
    )


async def _do(portal: Portal, typed: Mapping[str, list[str]], said: Mapping[str, str]) -> Answer | None:
    """Make the call of the button that was pressed; None where the link is only opened."""
    http, act = portal.runtime.http, first(typed, "act")
    if act in _OFFER_ANSWERS:
        taken = {"answer": _OFFER_ANSWERS[act]}
        return await post_openly(http, "/notifications/links/$answer", {**said, **taken})
    if act in patient_labels.LINK_ANSWERS:
        answer = {"answer": act, "comment": first(typed, "comment")[:1000]}
        return await post_openly(http, "/notifications/links/$answer", {**said, **answer})
    if act == "intake":
        answers = {link: text for link in patient_labels.INTAKE if (text := first(typed, f"intake.{link}"))}
        pain = whole_number(answers.pop("pain-now", ""))
        said_so: dict[str, int | str] = {**answers, **({} if pain is None else {"pain-now": pain})}
        return await post_openly(http, "/notifications/links/$intake", {**said, "answers": said_so})
    if act == "choose":
        days = [int(day) for day in typed.get("reminder", ()) if day in ("1", "7")]
        chosen = {"reminder_days": days, "sends_calendar": first(typed, "sends_calendar") == "yes"}
        return await post_openly(http, "/notifications/links/$choose", {**said, **chosen})
    if act == "calendar":
        return await post_openly(http, "/notifications/links/$calendar", said)
    return None


def _born(typed: Mapping[str, list[str]]) -> date | None:
    """Read a birth date: of its three fields, or as this page has it already; None where there is none."""
    try:
        if whole := first(typed, "born"):
            return date.fromisoformat(whole)
        parts = (whole_number(first(typed, f"born.{part}")) for part in ("year", "month", "day"))
        year, month, day = (part or 0 for part in parts)
        return date(year, month, day)
    except ValueError:
        return None


def _form(
    portal: Portal,
    request: Request,
    *,
    typed: Mapping[str, list[str]] | None = None,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    language = portal.language_of(request)
    months = get_month_names("wide", context="stand-alone", locale=language.locale)
    values = {part: first(typed or {}, f"born.{part}") for part in ("year", "month", "day")}
    return portal.plain(
        request,
        _ASKED,
        status=status,
        months=months,
        values=values,
        problem=None if problem is None else language.say(problem),
    )


def _shown(found: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Say what stands behind a link in the reader's language, at the site's wall clock with its zone."""
    zone = ZoneInfo(found["site"]["time_zone"])

    def told(visit: Mapping[str, Any]) -> dict[str, Any]:
        kind = labels.VISITS.get(visit["kind"] or "", "")
        return {**visit, "when": _when(visit, zone=zone, language=language), "kind": language.say(kind)}

    answer, offer = found["answer"], found["offer"]
    brings = patient_labels.BRING
    answers = patient_labels.LINK_ANSWERS if offer is None else patient_labels.OFFER_ANSWERS
    others = [
        told(one) for one in found["to_come"] if not found["visit"] or one["id"] != found["visit"]["id"]
    ]
    return {
        "found": found,
        "visit": None if found["visit"] is None else told(found["visit"]),
        "others": others,
        "bring": [language.say(brings[code]) for code in found["bring"] if code in brings],
        "answered": None if answer is None else language.say(answers[answer["answer"]]),
        "offer": None if offer is None else _offer(offer, zone=zone, language=language),
    }


def _offer(offer: Mapping[str, Any], *, zone: ZoneInfo, language: Language) -> dict[str, Any]:
    """Say when an offered time is, and until when it can be taken, by the wall clock of the site."""
    until = datetime.fromisoformat(offer["until"])
    told = format_datetime(until.astimezone(zone), "EEE d MMM, HH:mm", tzinfo=zone, locale=language.locale)
    return {**offer, "when": _when(offer, zone=zone, language=language), "until": told}


def _when(visit: Mapping[str, Any], *, zone: ZoneInfo, language: Language) -> str:
    """Write when a visit is, and by whose clock: `Tuesday 10 March 2026, 14:00-15:00 (Eastern ...)`."""
    start, end = (datetime.fromisoformat(visit[name]).astimezone(zone) for name in ("start", "end"))
    day = format_datetime(start, "EEEE d MMMM y, HH:mm", tzinfo=zone, locale=language.locale)
    until = format_time(end, "HH:mm", tzinfo=zone, locale=language.locale)
    return f"{day}\u2013{until} ({get_timezone_name(start, locale=language.locale)})"
