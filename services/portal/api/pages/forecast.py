"""The forecast of a site: breaches of the promise to come, and what more visits would prevent."""

from starlette.responses import Response

from services.portal import forecasts
from services.portal.api.page import Page, page

_USUAL = "8"
_SPANS = ("8", "13", "26")


async def show(page: Page) -> Response:
    """Show the weeks to come; `?discipline=physiotherapy&visits=4&extra-from=2` asks what more visits do."""
    asked = {name: page.query.get(name, "").strip() for name in ("discipline", "visits", "extra-from")}
    weeks = page.query.get("weeks", "").strip() or _USUAL
    found = await page.calls.get("/scheduling/forecast", weeks=weeks, **_extra(asked))
    body = found.body if found.is_good else None
    if found.status in (400, 422):
        # What was typed stands beside the forecast that is usual, with what is allowed.
        page = page.refused(found)
        usual = await page.calls.get("/scheduling/forecast", weeks=_USUAL)
        body = usual.body if usual.is_good else None
    return page.render(
        "pages/forecast.html",
        forecast=body,
        outlooks=[] if body is None else forecasts.outlooks(body),
        weeks=weeks,
        spans=_SPANS,
        asked=asked,
    )


ROUTES = (page("/forecast", show, parties=("coordinator",)),)


def _extra(asked: dict[str, str]) -> dict[str, str]:
    """Say what is added as the service reads it; nothing where no discipline or no visits are named."""
    if not asked["discipline"] or not asked["visits"]:
        return {}
    extra = {"extra": f"{asked['discipline']}:{asked['visits']}"}
    return extra | ({"extra_from": asked["extra-from"]} if asked["extra-from"] else {})
