"""A referrer's pages: the referrals that were sent, and one of them with all that happened to it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from starlette.responses import Response

from services.portal.acts import acts_of
from services.portal.api.page import Page, page
from services.portal.calls import Answer, NotThere, by_id, next_of, resources, together
from services.portal.reading import Resource, code_of, id_of, input_of, local, moment_of
from services.portal.signs import REFERRAL
from shared.fhir.codes import LUMBAR

BUSINESS_STATUS = f"{LUMBAR}/CodeSystem/business-status"
_PAGE = 50
_SEEN_BY = ("referrer", "coordinator", "clinician")


async def show_list(page: Page) -> Response:
    """Show the referrals of the person's practice, those that need them first."""
    found = await page.calls.listed(
        "/referral/fhir/Task",
        code="process-request",
        _include="Task:patient",
        _sort="-_lastUpdated",
        _count=_PAGE,
        _after=page.query.get("after"),
    )
    patients = by_id(found, "Patient")
    tasks = resources(found, "Task")
    rows = (
        None
        if tasks is None
        else sorted((_row(task, patients) for task in tasks), key=lambda row: not row["is_mine"])
    )
    return page.render(
        "pages/referrals.html",
        rows=rows,
        total=(found.body or {}).get("total"),
        next=_link("/referrals", next_of(found)),
        first="/referrals" if page.query.get("after") else None,
    )


async def show_one(page: Page) -> Response:
    """Show where a referral stands, why, whose turn it is, and what happened."""
    referral_id = page.param("id")
    answers = await _around(page, referral_id)
    found = answers["referral"]
    referral = by_id(found, "ServiceRequest").get(referral_id)
    if referral is None:
        raise NotThere(referral_id)
    tasks = resources(found, "Task") or []
    process = next((task for task in tasks if code_of(task.get("code")) == "process-request"), None)
    patient = next(iter(by_id(found, "Patient").values()), None)
    more = await _behind(page, process)
    return page.render(
        "pages/referral.html",
        referral=referral,
        patient=patient,
        process=process,
        stands=_status(process),
        programme=_programme(page, process),
        is_mine=process is not None and _is_mine(process),
        visits=_in_order(resources(answers["visits"])),
        acts=acts_of(answers["acts"].body) if answers["acts"].is_good else None,
        days=_by_day(page, _happened(answers, more)),
        is_partial=any(answer.is_away for answer in [*answers.values(), *more.values()]),
        report=more["report"].body if "report" in more and more["report"].is_good else None,
        others=[task for task in tasks if task is not process and task["status"] == "requested"],
        live=f"{referral_id} {patient['id'] if patient else ''}",
    )


async def show_reports(page: Page) -> Response:
    """List the reports that came back, newest first."""
    found = await page.calls.listed(
        "/referral/fhir/Composition",
        _include="Composition:patient",
        _sort="-_lastUpdated",
        _count=_PAGE,
        _after=page.query.get("after"),
    )
    return page.render(
        "pages/reports.html",
        reports=resources(found, "Composition"),
        patients=by_id(found, "Patient"),
        next=_link("/reports", next_of(found)),
        first="/reports" if page.query.get("after") else None,
    )


async def show_report(page: Page) -> Response:
    """Show one report, section by section."""
    report = await page.calls.must_get(f"/referral/fhir/Composition/{page.param('id')}")
    patient = await page.calls.get(f"/referral/fhir/Patient/{id_of(report.body.get('subject'))}")
    return page.render(
        "pages/report.html", report=report.body, patient=patient.body if patient.is_good else None
    )


ROUTES = (
    page("/referrals", show_list, parties=("referrer",)),
    page("/referrals/{id}", show_one, parties=_SEEN_BY),
    page("/reports", show_reports, parties=("referrer",)),
    page("/reports/{id}", show_report, parties=_SEEN_BY),
)


def _row(task: Resource, patients: Mapping[str, Resource]) -> dict[str, Any]:
    return {
        "task": task,
        "patient": patients.get(id_of(task.get("for"))),
        "status": _status(task),
        "is_mine": _is_mine(task),
        "is_nobodys": input_of(task, "turn") is None,
        "referral": id_of(task.get("focus")),
        "due": input_of(task, "due-on"),
    }


def _status(task: Resource | None) -> str:
    return code_of((task or {}).get("businessStatus"), BUSINESS_STATUS)


def _is_mine(task: Resource) -> bool:
    """Whether it is the sender's turn, as the process Task says."""
    turn = input_of(task, "turn")
    return bool(turn) and local(turn) == local(task.get("requester"))


def _programme(page: Page, task: Resource | None) -> str:
    wanted = input_of(task, "programme") if task else None
    return next((one.name for one in page.portal.runtime.clinic.programmes if one.id == wanted), "")


async def _around(page: Page, referral_id: str) -> dict[str, Answer]:
    """Read a referral and all around it, in all services at once; raises NotThere and ServiceAway."""
    referral = f"ServiceRequest/{referral_id}"
    get = page.calls.get
    return await together(
        referral=page.calls.must_get(
            "/referral/fhir/ServiceRequest",
            _id=referral_id,
            _include="ServiceRequest:patient",
            _revinclude=["Task:focus", "Provenance:target", "Communication:based-on"],
        ),
        acts=get(f"/referral/fhir/{referral}/$available-actions"),
        visits=get("/scheduling/fhir/Appointment", based_on=referral, _count=100),
        messages=get("/notifications/fhir/Communication", based_on=referral, _count=50),
    )


async def _behind(page: Page, process: Resource | None) -> dict[str, Answer]:
    """Read the earlier versions of the process Task, and the report that it has for its output."""
    if process is None:
        return {}
    outputs = process.get("output", ())
    report = next((id_of(one["valueReference"]) for one in outputs if one.get("valueReference")), "")
    calls = {"history": page.calls.get(f"/referral/fhir/Task/{process['id']}/_history", _count=100)}
    if report:
        calls["report"] = page.calls.get(f"/referral/fhir/Composition/{report}")
    return await together(**calls)


def _happened(answers: Mapping[str, Answer], more: Mapping[str, Answer]) -> list[dict[str, Any]]:
    return [
        *_states((resources(more["history"]) if "history" in more else None) or []),
        *_sent(resources(answers["messages"])),
        *_words(resources(answers["referral"], "Communication")),
        *_decided(resources(answers["referral"], "Provenance")),
    ]


def _states(versions: Sequence[Resource]) -> Iterator[dict[str, Any]]:
    """Give what the process Task said in turn; a version that says nothing new is left out."""
    earlier = None
    for task in reversed(versions):
        stated = (_status(task), task.get("statusReason", {}).get("text"))
        if stated != earlier and stated[0] in REFERRAL:
            yield {
                "at": task["meta"]["lastUpdated"],
                "kind": "state",
                "status": stated[0],
                "why": task.get("statusReason"),
            }
        earlier = stated


def _sent(messages: Sequence[Resource] | None) -> Iterator[dict[str, Any]]:
    for message in messages or ():
        if message.get("sent"):
            yield {"at": message["sent"], "kind": "message", "message": message}


def _words(said: Sequence[Resource] | None) -> Iterator[dict[str, Any]]:
    for one in said or ():
        if one.get("sent"):
            yield {"at": one["sent"], "kind": "words", "said": one}


def _decided(decisions: Sequence[Resource] | None) -> Iterator[dict[str, Any]]:
    for one in decisions or ():
        if one.get("recorded"):
            yield {"at": one["recorded"], "kind": "decision", "decision": one}


def _by_day(page: Page, happened: Sequence[Mapping[str, Any]]) -> list[tuple[date, list[Mapping[str, Any]]]]:
    """Group by the day of the site, newest first."""
    known = [(moment, one) for one in reversed(happened) if (moment := moment_of(one["at"])) is not None]
    newest = sorted(known, key=lambda pair: pair[0], reverse=True)
    grouped = groupby(newest, key=lambda pair: pair[0].astimezone(page.zone).date())
    return [(day, [one for _, one in many]) for day, many in grouped]


def _in_order(visits: Sequence[Resource] | None) -> list[Resource] | None:
    return None if visits is None else sorted(visits, key=lambda visit: visit.get("start", ""))


def _link(path: str, after: str | None) -> str | None:
    return f"{path}?after={after}" if after else None
