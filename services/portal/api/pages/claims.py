"""An insurer's pages: what is to be decided, one request item by item, the question by a member's number.

An insurer knows people by their member number; nothing else about them is on these pages.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from services.portal.acts import acts_of
from services.portal.api.page import Page, form_page, page
from services.portal.calls import Answer, by_id, next_of, resources, together
from services.portal.claims import CHOICES, actions_of, answer_of, newest, status_of
from services.portal.reading import Resource, id_of, local, many, parameters_of

_PAGE = 50


async def show_to_decide(page: Page) -> Response:
    """Show the requests that wait for the insurer, the longest wait first."""
    after = page.query.get("after")
    found = await page.calls.listed(
        "/referral/fhir/Task", status="requested", _sort="authored-on", _count=_PAGE, _after=after
    )
    waiting = resources(found)
    tasks = [task for task in waiting or () if local(task.get("focus")).startswith("Claim/")]
    claims = await _claims_of(page, [id_of(task.get("focus")) for task in tasks])
    return page.render(
        "pages/to_decide.html",
        tasks=None if waiting is None else tasks,
        claims=claims,
        members=await _members(page, list((claims or {}).values())),
        next=f"/claims?after={onward}" if (onward := next_of(found)) else None,
    )


async def show_all(page: Page) -> Response:
    """Show all requests, the newest first, each with where it stands."""
    found = await page.calls.listed(
        "/referral/fhir/Claim", _sort="-created", _count=_PAGE, _after=page.query.get("after")
    )
    listed = resources(found, "Claim")
    claims = listed or []
    more = await together(
        answers=page.calls.get("/referral/fhir/ClaimResponse", request=_or_none(claims), _count=200),
        covers=page.calls.get("/referral/fhir/Coverage", _id=_covers(claims), _count=200),
    )
    answers = resources(more["answers"]) if claims else []
    return page.render(
        "pages/claims.html",
        claims=listed,
        statuses=None if answers is None else {one["id"]: _status(one, answers) for one in claims},
        members=_numbers(claims, more["covers"]),
        next=f"/all-claims?after={after}" if (after := next_of(found)) else None,
        first="/all-claims" if page.query.get("after") else None,
    )


async def show_claim(page: Page) -> Response:
    """Show one request with its items, its answers, and the form to decide it."""
    return await _shown(page)


async def decide(page: Page) -> Response:
    """Send the decision of every item as one answer."""
    claim = (await page.calls.must_get(f"/referral/fhir/Claim/{page.param('id')}")).body
    insurer = claim["insurer"]["reference"]
    response, wrong = answer_of(claim, page.typed, insurer=insurer, now=page.now.astimezone(page.zone))
    if wrong:
        return await _shown(page.with_wrong(wrong), status=422)
    answer = await page.calls.send("POST", "/referral/fhir/ClaimResponse", response, key=page.once)
    if not answer.is_good:
        return await _shown(page.refused(answer), status=422)
    await page.portal.sessions.forget_draft(page.person, path=page.path)
    return page.go(page.path, done="answer")


async def show_search(page: Page) -> Response:
    """Show the question by a member's number."""
    return page.render("pages/claim_search.html", found=None)


async def search(page: Page) -> Response:
    """Ask where the requests for a member stand."""
    member = page.value("member").strip()
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "member-id", "valueIdentifier": {"value": member}}],
    }
    answer = await page.calls.send("POST", "/referral/fhir/Claim/$inquire", body)
    if not answer.is_good:
        return page.refused(answer).render("pages/claim_search.html", status=422, found=None)
    bundles = [one["resource"] for one in answer.body.get("parameter", ()) if "resource" in one]
    return page.render("pages/claim_search.html", found=[_stand(bundle) for bundle in bundles])


ROUTES = (
    page("/claims", show_to_decide, parties=("insurer",)),
    page("/all-claims", show_all, parties=("insurer",)),
    form_page("/claims/{id}", show_claim, decide, parties=("insurer",)),
    form_page("/claim-search", show_search, search, parties=("insurer",)),
)


async def _shown(page: Page, *, status: int = 200) -> Response:
    claim_id = page.param("id")
    claim = (await page.calls.must_get(f"/referral/fhir/Claim/{claim_id}")).body
    cover = claim["insurance"][0]["coverage"]
    more = await together(
        answers=page.calls.get("/referral/fhir/ClaimResponse", request=f"Claim/{claim_id}", _count=50),
        acts=page.calls.get(f"/referral/fhir/Claim/{claim_id}/$available-actions"),
        cover=page.calls.get(f"/referral/fhir/Coverage/{id_of(cover)}"),
    )
    answers = resources(more["answers"])
    acts = acts_of(more["acts"].body) if more["acts"].is_good else []
    return page.render(
        "pages/claim.html",
        status=status,
        claim=claim,
        member=more["cover"].body.get("subscriberId") if more["cover"].is_good else None,
        answers=answers,
        stands=None if answers is None else status_of(claim, newest(answers)),
        actions=actions_of(newest(answers)),
        act=next((one for one in acts if one.name == "answer"), None),
        choices=CHOICES,
        grant=await _grant(page, claim, more["cover"]),
    )


async def _grant(page: Page, claim: Resource, cover: Answer) -> Mapping[str, Any]:
    """Ask for what was granted and is left of it, as `$inquire` says."""
    member = cover.body.get("subscriberId") if cover.is_good else None
    if not member:
        return {}
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "member-id", "valueIdentifier": {"value": member}},
            {"name": "claim", "valueReference": {"reference": f"Claim/{claim['id']}"}},
        ],
    }
    answer = await page.calls.send("POST", "/referral/fhir/Claim/$inquire", body)
    bundles = [one["resource"] for one in (answer.body or {}).get("parameter", ()) if "resource" in one]
    return _stand(bundles[0]) if answer.is_good and bundles else {}


def _stand(bundle: Resource) -> dict[str, Any]:
    """Read one Bundle of `$inquire`: the Claim, its newest answer, and where it stands."""
    found = {entry["resource"]["resourceType"]: entry["resource"] for entry in bundle.get("entry", ())}
    said = parameters_of(found.get("Parameters"))
    return {
        "claim": found.get("Claim"),
        "answer": found.get("ClaimResponse"),
        "status": said.get("status"),
        "turn": said.get("turn"),
        "grants": many(said.get("grant")),
    }


async def _claims_of(page: Page, ids: Sequence[str]) -> dict[str, dict[str, Any]] | None:
    if not ids:
        return {}
    answer = await page.calls.get("/referral/fhir/Claim", _id=",".join(ids), _count=_PAGE)
    return by_id(answer, "Claim") if answer.is_good else None


async def _members(page: Page, claims: Sequence[Resource]) -> dict[str, str]:
    if not claims:
        return {}
    covers = await page.calls.get("/referral/fhir/Coverage", _id=_covers(claims), _count=200)
    return _numbers(claims, covers)


def _numbers(claims: Sequence[Resource], covers: Answer) -> dict[str, str]:
    """Give the member's number of each claim, by the claim's id."""
    known = by_id(covers, "Coverage")
    return {
        claim["id"]: known.get(id_of(claim["insurance"][0]["coverage"]), {}).get("subscriberId", "")
        for claim in claims
    }


def _covers(claims: Sequence[Resource]) -> str:
    return ",".join(dict.fromkeys(id_of(one["insurance"][0]["coverage"]) for one in claims)) or "none"


def _or_none(claims: Sequence[Resource]) -> str:
    return ",".join(f"Claim/{one['id']}" for one in claims) or "Claim/none"


def _status(claim: Resource, answers: Sequence[Resource]) -> str:
    mine = [one for one in answers if id_of(one.get("request")) == claim["id"]]
    return status_of(claim, newest(mine))
