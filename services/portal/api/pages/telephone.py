"""Whom a coordinator telephones about a visit: the number, what to say or to ask, and what they wrote."""

from asyncio import gather
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from services.portal import worklists
from services.portal.api.page import Page, page
from services.portal.calls import by_id
from services.portal.people import patients_of
from services.portal.reading import Resource, id_of
from services.portal.worklists import Row

_PAGE = 50
# A day to tell, a freed time to offer, two visits that were missed.
_TELL, _OFFER, _RECALL = "tell", "offer", "recall"
_KINDS = f"{_TELL},{_OFFER},{_RECALL}"
# Which words fit a reason of scheduling's; all else is a day to tell.
_ASKS_FOR_ANOTHER, _CALLED_OFF = "asks-for-another-time", "cancellation-not-told"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallToMake:
    """One call: `says` is which words to say, `words` what the patient wrote, `offered` when the time begins
    that is offered; None where nothing is.
    """

    row: Row
    patient: Resource | None
    visit: Resource | None
    words: str | None
    offered: str | None
    says: str


async def show_list(page: Page) -> Response:
    """Show whom to telephone, what is due first first."""
    found = await page.calls.listed(
        "/scheduling/worklist", kind=_KINDS, _count=_PAGE, _after=page.query.get("after")
    )
    work = worklists.read(found, "scheduling")
    rows = () if work is None else work.rows
    tasks, patients = await _about(page, rows)
    visits = await _visits(page, tasks)
    return page.render(
        "pages/telephone.html",
        list=work,
        calls=[_call(row, patients=patients, tasks=tasks, visits=visits) for row in rows],
        first="/telephone" if page.query.get("after") else None,
    )


ROUTES = (page("/telephone", show_list, parties=("coordinator",)),)


async def _about(page: Page, rows: Sequence[Row]) -> tuple[Mapping[str, Resource], Mapping[str, Resource]]:
    """Read the Tasks of these rows and their patients, by id."""
    if not rows:
        return {}, {}
    ids = ",".join(_id(row) for row in rows)
    tasks, patients = await gather(
        page.calls.get("/scheduling/fhir/Task", _id=ids, _count=_PAGE),
        patients_of(page.calls, [{"reference": f"Patient/{row.patient}"} for row in rows]),
    )
    return by_id(tasks, "Task"), patients


async def _visits(page: Page, tasks: Mapping[str, Resource]) -> Mapping[str, Resource]:
    ids = [one for task in tasks.values() if (one := id_of(task.get("focus")))]
    if not ids:
        return {}
    found = await page.calls.get("/scheduling/fhir/Appointment", _id=",".join(ids), _count=_PAGE)
    return by_id(found, "Appointment")


def _call(
    row: Row,
    *,
    patients: Mapping[str, Resource],
    tasks: Mapping[str, Resource],
    visits: Mapping[str, Resource],
) -> CallToMake:
    task = tasks.get(_id(row), {})
    codes = {coding.get("code") for coding in (row.reason or {}).get("coding", ())}
    notes, parts = task.get("note", ()), task.get("input", ())
    return CallToMake(
        row=row,
        patient=patients.get(row.patient),
        visit=visits.get(id_of(task.get("focus")) or ""),
        words=next((note["text"] for note in notes), None),
        offered=next((one["valuePeriod"]["start"] for one in parts if "valuePeriod" in one), None),
        says=next((code for code in (_ASKS_FOR_ANOTHER, _CALLED_OFF) if code in codes), row.kind),
    )


def _id(row: Row) -> str:
    return row.resource.rpartition("/")[2]
