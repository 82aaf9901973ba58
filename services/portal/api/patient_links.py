"""The page behind the link of a message to a patient: no sign-in, but a birth date before anything is shown.

Invariants:
- A GET shows the form for the birth date and calls nobody: what only looks at a link uses up nothing.
- The secret stands in no address but the letter's own; everything after that is a POST of this page.
- The birth date goes on from form to form in the page alone: no cookie and no store has it.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time, get_month_names, get_timezone_name
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.portal import labels, patient_form, patient_labels
from services.portal.acts import Wrong
from services.portal.api.portal import PREFERENCE_KEPT, Portal
from services.portal.calls import Answer, post_openly
from services.portal.languages import Language
from services.portal.patient_form import LinkCall
from services.portal.typed import Typed, first
from shared.http.origins import is_of_our_origin

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
    form = await request.form(max_files=0, max_fields=30)
    typed = {name: [str(value) for value in form.getlist(name)] for name in form}
    response = await _answered(portal, request, typed)
    if (picked := first(typed, "language")) in portal.runtime.languages:
        portal.cookies.set(response, "language", picked, seconds=PREFERENCE_KEPT)
    return response


async def _answered(portal: Portal, request: Request, typed: Typed) -> Response:
    switches = first(typed, "language") in portal.runtime.languages
    born = patient_form.born(typed)
    if born is None or (switches and "born" not in typed):
        problem = None if switches else patient_labels.BIRTH_DATE_AS
        return _form(portal, request, typed=typed, problem=problem, status=200 if switches else 422)
    said = {"token": request.path_params["secret"], "birth_date": born.isoformat()}
    http, call = portal.runtime.http, None if switches else patient_form.call_of(typed)
    done = await post_openly(http, call.path, {**said, **call.said}) if isinstance(call, LinkCall) else None
    if done is not None and done.file is not None and done.is_good:
        named = {"Content-Disposition": 'attachment; filename="appointment.ics"'}
        return Response(done.file, media_type="text/calendar; charset=utf-8", headers=named)
    opened = await post_openly(http, "/notifications/links/$open", said)
    if opened.is_away or (done is not None and done.is_away):
        return portal.plain(request, "plain/away.html", status=503)
    if opened.status == 403:
        return _form(portal, request, typed=typed, problem=patient_labels.WRONG_BIRTH_DATE, status=403)
    if not opened.is_good:
        return portal.plain(request, _ENDED, status=opened.status)
    wrong = call if isinstance(call, Wrong) else None
    return _page(portal, request, typed, opened.body, done=done, wrong=wrong)


def _page(
    portal: Portal,
    request: Request,
    typed: Typed,
    found: Mapping[str, Any],
    *,
    done: Answer | None,
    wrong: Wrong | None,
) -> Response:
    """Show what stands behind the link; what was typed and not sent stands in its fields again."""
    language = _language(portal, request, typed)
    choice, is_of_page = found["choice"], "born" in typed
    chosen = [str(day) for day in choice["reminder_days"]]
    born = patient_form.born(typed)
    return portal.plain(
        request,
        _SHOWN,
        status=200 if wrong is None else 422,
        language=language,
        born="" if born is None else born.isoformat(),
        was_refused=done is not None and not done.is_good,
        was_done=done is not None,
        wrong={} if wrong is None else {wrong.name: language.say(wrong.text)},
        typed=partial(first, typed),
        reminders=typed.get("reminder", ()) if is_of_page else chosen,
        by_letter="sends_calendar" in typed if is_of_page else choice["sends_calendar"],
        **_shown(found, language),
    )


def _language(portal: Portal, request: Request, typed: Typed) -> Language:
    """Give the language that is picked now, was picked before, or is the message's; else the browser's."""
    picked = first(typed, "language") or portal.cookies.read(request.cookies, "language")
    return portal.language_of(request, wanted=picked or request.query_params.get("lang"))


def _form(
    portal: Portal,
    request: Request,
    *,
    typed: Typed | None = None,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    language = _language(portal, request, typed or {})
    months = get_month_names("wide", context="stand-alone", locale=language.locale)
    values = {part: first(typed or {}, f"born.{part}") for part in ("year", "month", "day")}
    return portal.plain(
        request,
        _ASKED,
        status=status,
        language=language,
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
