"""Freed times that are offered now and were in the last day: to whom, until when, and what each answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from services.portal import worklists
from services.portal.acts import Act
from services.portal.api.page import Page, page
from services.portal.calls import resources, together
from services.portal.people import patients_of
from services.portal.reading import Resource, id_of

_PAGE, _TASKS = 100, 200
_BACK = timedelta(days=1)
_ASKED, _TAKEN = "requested", "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One who was asked: `acts` is what the coordinator can say for them now."""

    task: Resource
    patient: Resource | None
    acts: Sequence[Act]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreedTime:
    """A time that was given back, with its clinician, and all who were asked about it.

    `until` is when it is held until, None where nobody is asked any more.
    """

    start: str
    end: str
    practitioner: Mapping[str, Any]
    until: str | None
    offers: Sequence[Offered]

    @property
    def is_taken(self) -> bool:
        """Whether somebody took it."""
        return any(one.task["status"] == _TAKEN for one in self.offers)


async def show_offers(page: Page) -> Response:
    """Show the times that are offered, those that are held now first."""
    since = (page.now - _BACK).isoformat(timespec="seconds")
    found = await together(
        work=page.calls.listed("/scheduling/worklist", kind="offer", _count=_PAGE),
        tasks=page.calls.search(
            "/scheduling/fhir/Task", code="offer-time", _lastUpdated=f"ge{since}", _count=_TASKS
        ),
    )
    work, tasks = worklists.read(found["work"], "scheduling"), resources(found["tasks"], "Task")
    if work is None or tasks is None:
        return page.render("pages/offers.html", times=None)
    patients = await patients_of(page.calls, [task.get("for") for task in tasks])
    acts = {id_of(row.resource): row.acts for row in work.rows}
    offers = [
        Offered(task=task, patient=patients.get(id_of(task.get("for"))), acts=acts.get(task["id"], ()))
        for task in tasks
    ]
    return page.render("pages/offers.html", times=freed_times(offers))


ROUTES = (page("/offers", show_offers, parties=("coordinator",)),)


def freed_times(offers: Sequence[Offered]) -> list[FreedTime]:
    """Put offers of the same time together; what is held now comes first, then what begins first."""
    times: dict[tuple[str, str], list[Offered]] = {}
    for one in offers:
        period, who = _offered(one.task)
        times.setdefault((period.get("start", ""), id_of(who)), []).append(one)
    return sorted((_time(found) for found in times.values()), key=lambda one: (not one.until, one.start))


def _time(offers: Sequence[Offered]) -> FreedTime:
    period, who = _offered(offers[0].task)
    ends = [one.task["restriction"]["period"]["end"] for one in offers if one.task["status"] == _ASKED]
    return FreedTime(
        start=period.get("start", ""),
        end=period.get("end", ""),
        practitioner=who,
        until=max(ends, default=None),
        offers=sorted(offers, key=lambda one: one.task["status"] != _ASKED),
    )


def _offered(task: Resource) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Read which time is offered, and with whom."""
    given: dict[str, Any] = {}
    for part in task.get("input", ()):
        given |= part
    return given.get("valuePeriod", {}), given.get("valueReference", {})
