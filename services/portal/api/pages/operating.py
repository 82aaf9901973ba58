"""An operator's pages: health, deliveries, held events with their replay, and the way of a referral.

No patient is on them: types, ids, counts and times only.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from services.portal import labels
from services.portal.acts import Wrong
from services.portal.api.page import Page, form_page, page
from services.portal.calls import Answer, together
from shared.fhir.search_values import is_id

SERVICES = ("referral", "scheduling", "careteam", "notifications")
# A relay or consumer that is so far behind wants somebody to look.
_LATE_SECONDS, _MANY_EVENTS = 30, 1000


async def show_health(page: Page) -> Response:
    """Show how each service is, side by side."""
    answers = await _of_all(page, "health")
    services = [(name, answer.body if answer.is_good else None) for name, answer in answers.items()]
    return page.render("pages/health.html", services=[(name, body, sign_of(body)) for name, body in services])


async def show_deliveries(page: Page) -> Response:
    """Show what became of messages, by state."""
    answer = await page.calls.get("/notifications/health")
    return page.render("pages/deliveries.html", health=answer.body if answer.is_good else None)


async def show_held(page: Page) -> Response:
    """Show what is held: whose key, since when, why, and what it holds."""
    answers = await _of_all(page, "dead-letters")
    rows = [
        {**row, "service": name}
        for name, answer in answers.items()
        if answer.is_good
        for row in answer.body["rows"]
    ]
    away = [name for name, answer in answers.items() if not answer.is_good]
    return page.render("pages/held.html", rows=rows, away=away)


async def replay(page: Page) -> Response:
    """Let a held key be tried again."""
    service, key, group = page.value("service"), page.value("key"), page.value("group")
    if service not in SERVICES or not key:
        return page.render("pages/not_there.html", status=404)
    address = f"/{service}/dead-letters/{quote(key, safe='')}/$replay?{urlencode({'group': group})}"
    answer = await page.calls.send("POST", address, key=page.once)
    if answer.is_good:
        return page.go("/held", done="replay")
    return await show_held(page.refused(answer))


async def show_trace(page: Page) -> Response:
    """Ask for a referral's id."""
    return page.render("pages/trace.html", events=None, away=[])


async def trace(page: Page) -> Response:
    """Show the way of one referral through all services, as far as their logs keep it."""
    referral = page.value("referral").strip().rpartition("/")[2]
    if not is_id(referral):
        wrong = [Wrong(name="referral", text=labels.NO_ID)]
        return page.with_wrong(wrong).render("pages/trace.html", status=422, events=None, away=[])
    answers = await _of_all(page, "trace", referral=referral)
    events = [
        {**event, "service": name}
        for name, answer in answers.items()
        if answer.is_good
        for event in answer.body["events"]
    ]
    away = [name for name, answer in answers.items() if not answer.is_good]
    return page.render(
        "pages/trace.html", events=sorted(events, key=lambda one: (one["time"], one["id"])), away=away
    )


ROUTES = (
    page("/health", show_health, parties=("operator",)),
    page("/deliveries", show_deliveries, parties=("operator",)),
    form_page("/held", show_held, replay, parties=("operator",)),
    form_page("/trace", show_trace, trace, parties=("operator",)),
)


async def _of_all(page: Page, what: str, **asked: Any) -> dict[str, Answer]:
    calls = {name: page.calls.get(f"/{name}/{what}", **asked) for name in SERVICES}
    return await together(**calls)


def sign_of(health: Mapping[str, Any] | None) -> str:
    """Say how a service is: `stop` where it cannot work, `risk` where somebody should look, else `well`."""
    if health is None:
        return "asked"
    if health["database"] != "up" or health["held"]["dead"]:
        return "stop"
    lag: Sequence[Mapping[str, Any]] = health["lag"]
    is_late = (health["relay"]["oldest_seconds"] or 0) > _LATE_SECONDS
    is_behind = any(one["events"] > _MANY_EVENTS for one in lag)
    return "risk" if is_late or is_behind or health["held"]["retrying"] else "well"
