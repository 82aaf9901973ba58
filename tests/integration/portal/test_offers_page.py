"""The page of freed times that are offered: until when, who was asked, what each answered, yes and no."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from services.portal.api.pages.offers import Offered, freed_times
from shared.clinic import Offers
from tests.integration.portal.test_telephone import sent
from tests.integration.scheduling.test_doors import PAT, put
from tests.support.browser import Browser
from tests.support.clinic import TestClinic
from tests.support.context import earliest_clinic


@asynccontextmanager
async def offering() -> AsyncIterator[tuple[TestClinic, Browser]]:
    """Give a clinic in which a visit was called off and offered to three patients, and its coordinator."""
    usual = earliest_clinic()
    described = usual.model_copy(
        update={"scheduling": usual.scheduling.model_copy(update={"offers": Offers()})}
    )
    async with TestClinic(pages=True, clinic=described) as clinic, clinic.anonymous() as http:
        desk = Browser(http)
        await desk.sign_in("coordinator")
        empty = await desk.open("/offers")
        assert "No time is offered, and none was since yesterday." in empty.text
        visits = [await sent(clinic, number) for number in range(26)]
        await clinic.at(datetime.fromisoformat("2026-03-02T15:00:00Z"))
        reason = {"coding": [{"system": PAT, "code": "pat"}]}
        off = visits[4] | {"status": "cancelled", "cancelationReason": reason}
        assert (await put(clinic, "coordinator", off)).status_code == 200
        await clinic.at(clinic.clock.now() + timedelta(minutes=6))
        yield clinic, desk


class TestTheOffersUnderWay:
    async def test_say_who_was_asked_until_when_and_take_yes_and_no(self) -> None:
        async with offering() as (clinic, desk):
            page = await desk.open("/offers")
            assert page.text.count("Asked, no answer yet") == 3
            assert page.text.count("held until") == 1
            french = await desk.open("/offers", **{"Accept-Language": "fr-CA"})
            assert french.text.count("Proposée, sans réponse") == 3
            page = await desk.open("/offers", **{"Accept-Language": "en-CA"})
            act = await desk.open(page.links["Keeps the old time"])
            done = await desk.send(act, act.form("act"))
            assert done.text.count("Asked, no answer yet") == 2
            assert done.text.count("Keeps their own time") == 1
            act = await desk.open(done.links["Takes the time"])
            done = await desk.send(act, act.form("act"))
            assert "Taken" in done.text
            assert "Asked, no answer yet" not in done.text
            assert "Somebody else has taken the time." in done.text
            await clinic.days(2)
            over = await desk.open("/offers")
            assert "Somebody else has taken the time." not in over.text

    async def test_are_the_coordinators_alone(self) -> None:
        async with TestClinic(pages=True) as clinic, clinic.anonymous() as http:
            person = Browser(http)
            await person.sign_in("physiatrist")
            assert (await person.open("/offers")).status == 403


def a_task(status: str, *, start: str, who: str) -> dict[str, Any]:
    return {
        "id": f"{status}-{start}",
        "status": status,
        "input": [
            {"valuePeriod": {"start": start, "end": start}},
            {"valueReference": {"reference": f"Practitioner/{who}"}},
        ],
        "restriction": {"period": {"end": "2026-03-02T11:00:00Z"}},
    }


def test_one_time_is_one_and_what_is_held_now_comes_first() -> None:
    tasks = [
        a_task("completed", start="2026-03-03T09:00:00Z", who="ana"),
        a_task("cancelled", start="2026-03-03T09:00:00Z", who="ana"),
        a_task("rejected", start="2026-03-04T09:00:00Z", who="ben"),
        a_task("requested", start="2026-03-04T09:00:00Z", who="ben"),
        a_task("requested", start="2026-03-03T09:00:00Z", who="ben"),
    ]
    times = freed_times([Offered(task=task, patient=None, acts=()) for task in tasks])
    assert [(one.start[8:10], len(one.offers), one.until is not None, one.is_taken) for one in times] == [
        ("03", 1, True, False),
        ("04", 2, True, False),
        ("03", 2, False, True),
    ]
