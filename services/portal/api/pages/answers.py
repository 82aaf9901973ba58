"""What a sender adds to a referral: answers that the clinic asked for, or that came late."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from services.portal import labels
from services.portal.acts import Wrong, acts_of
from services.portal.api.page import Page, form_page
from services.portal.api.pages.new_referral import questions
from services.portal.questionnaires import Group, answered
from services.portal.reading import Resource
from services.portal.referral_form import QUESTIONNAIRE

_ACT = "provide-information"


async def show(page: Page) -> Response:
    """Show the clinic's questions; only what is answered is sent."""
    return await _shown(page, await questions(page))


async def send(page: Page) -> Response:
    """Send what was answered, and lead back to the referral."""
    groups = await questions(page)
    referral = await _referral(page)
    items, wrong = answered(groups, page.typed)
    if not items and not wrong:
        wrong = [Wrong(name="referral", text=labels.NOTHING_ANSWERED)]
    if wrong:
        return await _shown(page.with_wrong(wrong), groups, status=422)
    answers = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": QUESTIONNAIRE,
        "status": "completed",
        "subject": referral["subject"],
        "authored": page.now.isoformat(timespec="seconds"),
        "item": items,
    }
    body = {"resourceType": "Parameters", "parameter": [{"name": "answers", "resource": answers}]}
    answer = await page.calls.send("POST", f"{_address(page)}/${_ACT}", body, key=page.once)
    if not answer.is_good:
        return await _shown(page.refused(answer), groups, status=422)
    await page.portal.sessions.forget_draft(page.person, path=page.path)
    return page.go(f"/referrals/{page.param('id')}", done=_ACT)


ROUTES = (form_page("/referrals/{id}/answers", show, send, parties=("referrer", "coordinator")),)


async def _shown(page: Page, groups: Sequence[Group], *, status: int = 200) -> Response:
    referral = await _referral(page)
    offered = await page.calls.get(f"{_address(page)}/$available-actions")
    acts: dict[str, Any] = {one.name: one for one in acts_of(offered.body)} if offered.is_good else {}
    return page.render(
        "pages/answers.html", status=status, groups=groups, referral=referral, act=acts.get(_ACT)
    )


async def _referral(page: Page) -> Resource:
    referral: Resource = (await page.calls.must_get(_address(page))).body
    return referral


def _address(page: Page) -> str:
    return f"/referral/fhir/ServiceRequest/{page.param('id')}"
