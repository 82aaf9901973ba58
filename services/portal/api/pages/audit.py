"""The privacy officer's page: who saw or did what, over all services, newest first."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from services.portal.api.page import Page, page
from services.portal.calls import next_of, resources, together
from services.portal.reading import Resource, shown

SERVICES = ("referral", "scheduling", "careteam", "notifications")
_PAGE = 50


async def show(page: Page) -> Response:
    """Show accesses by patient, by who, by day and by outcome; a page of each service side by side."""
    asked = {name: page.query.get(name, "").strip() for name in ("patient", "agent", "from", "to", "outcome")}
    answers = await together(
        **{service: _search(page, service, asked) for service in SERVICES},
    )
    events = [event for answer in answers.values() for event in resources(answer) or ()]
    return page.render(
        "pages/audit.html",
        asked=asked,
        events=sorted(events, key=lambda event: event["recorded"], reverse=True),
        away=[service for service, answer in answers.items() if answer.is_away],
        refused=[
            problem
            for answer in answers.values()
            if answer.status in (400, 422)
            for problem in answer.problems
        ][:1],
        totals={
            service: (answer.body or {}).get("total") for service, answer in answers.items() if answer.is_good
        },
        is_more=any(next_of(answer) for answer in answers.values()),
        who=who_of,
        what=what_of,
        outcome=_outcome,
    )


ROUTES = (page("/audit", show, parties=("privacy-officer",)),)


async def _search(page: Page, service: str, asked: Mapping[str, str]) -> Any:
    days = [f"{sign}{asked[name]}" for sign, name in (("ge", "from"), ("le", "to")) if asked[name]]
    return await page.calls.get(
        f"/{service}/fhir/AuditEvent",
        patient=asked["patient"] or None,
        agent=asked["agent"] or None,
        date=days or None,
        outcome=asked["outcome"] or None,
        _count=_PAGE,
    )


def who_of(event: Resource) -> str:
    """Name who did it: the person or organisation, else the client."""
    agents: Sequence[Mapping[str, Any]] = event.get("agent", ())
    asking = [agent.get("who", {}) for agent in agents if agent.get("requestor")]
    others = [agent.get("who", {}) for agent in agents]
    return next((name for name in map(_called, [*asking, *others]) if name), "")


def _called(who: Mapping[str, Any]) -> str:
    return str(shown(who) or who.get("reference") or who.get("identifier", {}).get("value", ""))


def what_of(event: Resource) -> list[str]:
    """List what it was about, by reference."""
    references = (one.get("what", {}).get("reference", "") for one in event.get("entity", ()))
    return [reference for reference in references if reference]


def _outcome(event: Resource) -> str:
    return str(event.get("outcome", ""))
