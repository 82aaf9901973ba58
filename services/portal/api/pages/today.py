"""A coordinator's pages: today, triage, the four-week promise, the waitlist."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from starlette.responses import Response

from services.portal import worklists
from services.portal.api.page import Page, page
from services.portal.calls import Answer, together

_SHOWN = 8
_PAGE = 50
# The promises of which somebody still has to think.
_UNKEPT = "open,at-risk,forecast-breach,breached"
# The board shows so many days before and behind today.
_DAYS = 28


async def show_today(page: Page) -> Response:
    """Show what needs the coordinator now: triage, promises at risk, what the team and scheduling ask."""
    answers = await together(
        triage=page.calls.get("/referral/worklist", _count=_SHOWN),
        visits=page.calls.get("/scheduling/worklist", _count=_SHOWN),
        team=page.calls.get("/careteam/worklist", _count=_SHOWN),
        board=page.calls.get("/scheduling/guarantee", status=_UNKEPT, _sort="due", _count=_SHOWN),
        figures=page.calls.get("/scheduling/guarantee/summary"),
    )
    lists = {
        "referral": worklists.read(answers["triage"], "referral"),
        "scheduling": worklists.read(answers["visits"], "scheduling"),
        "careteam": worklists.read(answers["team"], "careteam"),
    }
    return page.render(
        "pages/today.html",
        lists=lists,
        urgent=worklists.urgent(list(lists.values())),
        board=_rows(page, answers["board"]),
        figures=answers["figures"].body if answers["figures"].is_good else None,
    )


async def show_triage(page: Page) -> Response:
    """Show everything that waits around referrals, page by page, or of one kind."""
    kind, after = page.query.get("kind"), page.query.get("after")
    found = await page.calls.listed("/referral/worklist", kind=kind, _count=_PAGE, _after=after)
    everything = found if kind is None else await page.calls.get("/referral/worklist", _count=1)
    return page.render(
        "pages/triage.html",
        list=worklists.read(found, "referral"),
        counts=worklists.read(everything, "referral"),
        kind=kind,
        first="/triage" if after else None,
    )


async def show_board(page: Page) -> Response:
    """Show the promises: what is open and at risk, or another status, the one that ends first first."""
    status = page.query.get("status") or _UNKEPT
    answers = await together(
        board=page.calls.listed(
            "/scheduling/guarantee", status=status, _sort="due", _count=_PAGE, _after=page.query.get("after")
        ),
        figures=page.calls.get("/scheduling/guarantee/summary"),
    )
    found, figures = answers["board"], answers["figures"]
    body = found.body if found.is_good else {}
    return page.render(
        "pages/board.html",
        board=_rows(page, found),
        total=body.get("total"),
        chosen=status,
        figures=figures.body if figures.is_good else None,
        next=f"/four-weeks?status={status}&after={body['next']}" if body.get("next") else None,
        first="/four-weeks" if page.query.get("after") else None,
    )


async def show_waitlist(page: Page) -> Response:
    """Show who waits for a time, the longest wait first."""
    found = await page.calls.listed(
        "/scheduling/worklist", kind="waitlist", _count=_PAGE, _after=page.query.get("after")
    )
    return page.render(
        "pages/waitlist.html",
        list=worklists.read(found, "scheduling"),
        first="/waitlist" if page.query.get("after") else None,
    )


ROUTES = (
    page("/today", show_today, parties=("coordinator",)),
    page("/triage", show_triage, parties=("coordinator",)),
    page("/four-weeks", show_board, parties=("coordinator",)),
    page("/waitlist", show_waitlist, parties=("coordinator",)),
)


def _rows(page: Page, answer: Answer) -> list[dict[str, Any]] | None:
    """Give the promises with their places on the board, None where they cannot be read."""
    if not answer.is_good:
        return None
    rows: Sequence[Mapping[str, Any]] = answer.body["rows"]
    return [{**row, "bar": _bar(page, row)} for row in rows]


def _bar(page: Page, row: Mapping[str, Any]) -> dict[str, float | None]:
    """Place sending, due day and first visit on a line of days around today, from 0 to 100."""
    visit = (row.get("first_appointment") or {}).get("start")
    return {
        "sent": _place(page, row["sent_at"]),
        "due": _place(page, row["due_on"]),
        "visit": _place(page, visit) if visit else None,
    }


def _place(page: Page, written: str) -> float:
    day = date.fromisoformat(written[:10])
    return min(max((day - page.today).days + _DAYS, 0), 2 * _DAYS) * 100 / (2 * _DAYS)
