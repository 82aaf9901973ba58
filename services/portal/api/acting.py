"""The one page by which an act is done that needs words or a choice: its form is made from available-actions.

Whatever page offered the act is led back to (`back`). What a service refuses stands above the form, with what
was typed still in it; where somebody was faster, the page says what stands there now.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from services.portal.act_forms import body_of
from services.portal.acts import Act, acts_of
from services.portal.api.page import Page, form_page
from services.portal.api.portal import Portal
from services.portal.api.security import safe_path
from services.portal.calls import NotThere, resources
from services.portal.typed import rows_shown

_PARTIES = ("referrer", "coordinator", "clinician", "insurer")
_SERVICES = ("referral", "scheduling", "careteam")
_ROWS_LEAST, _ROWS_MOST = 3, 20


def acting_routes(portal: Portal) -> list[Route]:
    """Give the route of every act."""
    return [form_page("/do/{service}/{type}/{id}/{name}", show, send, parties=_PARTIES)(portal)]


async def show(page: Page) -> Response:
    """Show the form of an act, or why it cannot be done now."""
    return await _shown(page)


async def send(page: Page) -> Response:
    """Do the act by one call, and lead back."""
    if page.value("more"):
        return await _shown(page)
    act, current, _ = await _read(page)
    body, wrong = body_of(act, page.typed, current=current, zone=page.zone)
    if wrong:
        return await _shown(page.with_wrong(wrong))
    answer = await page.calls.send(
        act.method,
        act.path,
        body,
        key=page.once if act.method == "POST" else None,
        version=page.value("version") or None if act.kind == "update" else None,
    )
    if answer.is_good:
        await page.portal.sessions.forget_draft(page.person, path=page.path)
        return page.go(_back(page), done=act.name)
    return await _shown(page.refused(answer), status=answer.status if answer.status in (409, 412) else 422)


async def _shown(page: Page, *, status: int = 200) -> Response:
    act, _, version = await _read(page)
    people = await _people(page, act)
    groups = {
        one.name: rows_shown(page.typed, one.name, least=_ROWS_LEAST, most=_ROWS_MOST)
        for one in act.fields
        if one.parts
    }
    return page.render(
        "pages/act.html",
        status=status,
        act=act,
        version=page.value("version") or version,
        people=people,
        groups=groups,
        back=_back(page),
    )


async def _read(page: Page) -> tuple[Act, Mapping[str, Any] | None, str]:
    """Read the act, and for a change the resource as it stands, with its version."""
    service, name = page.param("service"), page.param("name")
    if service not in _SERVICES:
        raise NotThere(service)
    address = f"/{service}/fhir/{page.param('type')}/{page.param('id')}"
    offered = await page.calls.must_get(f"{address}/$available-actions")
    act = next((one for one in acts_of(offered.body) if one.name == name), None)
    if act is None or not act.is_simple:
        raise NotThere(name)
    if act.kind != "update":
        return act, None, ""
    current = await page.calls.must_get(address)
    return act, current.body, current.etag or ""


async def _people(page: Page, act: Act) -> Sequence[Mapping[str, Any]]:
    """List the clinic's people where an act asks for one."""
    parts = [part for one in act.fields for part in one.parts]
    if not any("Practitioner" in one.targets for one in [*act.fields, *parts]):
        return []
    found = await page.calls.get("/careteam/fhir/Practitioner", active="true", _count=100)
    return resources(found) or []


def _back(page: Page) -> str:
    return safe_path(page.value("back") or page.query.get("back"))
