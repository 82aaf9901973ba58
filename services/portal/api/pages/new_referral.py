"""A new referral: a referrer's own, or one that a coordinator writes down for its sender.

The clinic's Questionnaire is the form. "Check" is the dry run: what the clinic would do stands above it,
what is missing beside its field. "Save" keeps a draft that nobody else sees. Sending twice is one referral.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from services.portal import referral_form
from services.portal.acts import Wrong
from services.portal.api.page import Page, form_page, words_of
from services.portal.calls import Answer
from services.portal.questionnaires import Group, groups_of
from services.portal.reading import id_of, parameters_of

_QUESTIONNAIRE = "/referral/fhir/Questionnaire/back-pain-referral"
# Asked of the patient by the clinic itself; its items have no words of their own here.
_NOT_ASKED = ("start-back",)
_BUTTONS = ("check", "save", "send")


async def show(page: Page) -> Response:
    """Show the form, empty or as it was left."""
    return await _shown(page, await questions(page))


async def send(page: Page) -> Response:
    """Check, save or send what was typed."""
    if page.value("save"):
        await page.portal.sessions.keep_draft(page.person, path=page.path, fields=_words(page))
        return page.go(page.path, done="save-draft")
    groups = await questions(page)
    bundle, wrong = referral_form.bundle_of(
        page.typed,
        groups,
        clinic=page.portal.runtime.clinic,
        key=page.once,
        now=page.now,
        entered=_is_entered(page),
    )
    if wrong:
        return await _shown(page.with_wrong(wrong), groups, status=422)
    if page.value("check"):
        return await _checked(page, groups, bundle)
    answer = await page.calls.send("POST", "/referral/fhir", bundle, key=page.once)
    if not answer.is_good:
        return await _shown(_beside(page.refused(answer), answer), groups, status=422)
    await page.portal.sessions.forget_draft(page.person, path=page.path)
    return page.go(f"/referrals/{_id_of_referral(answer)}", done="send-referral")


ROUTES = (
    form_page("/new-referral", show, send, parties=("referrer",)),
    form_page("/enter-referral", show, send, parties=("coordinator",)),
)


async def _checked(page: Page, groups: Sequence[Group], bundle: Mapping[str, Any]) -> Response:
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "resource", "resource": bundle}],
    }
    answer = await page.calls.send("POST", "/referral/fhir/ServiceRequest/$validate", parameters)
    if not answer.is_good:
        return await _shown(_beside(page.refused(answer), answer), groups, status=422)
    found = parameters_of(answer.body)
    outcome = found.get("return", {})
    asked = [issue for issue in outcome.get("issue", ()) if issue.get("severity") != "information"]
    return await _shown(page, groups, found=found, asked=asked)


async def _shown(
    page: Page,
    groups: Sequence[Group],
    *,
    status: int = 200,
    found: Mapping[str, Any] | None = None,
    asked: Sequence[Mapping[str, Any]] = (),
) -> Response:
    clinic = page.portal.runtime.clinic
    return page.render(
        "pages/new_referral.html",
        status=status,
        groups=groups,
        found=found,
        asked=asked,
        is_entered=_is_entered(page),
        payers=clinic.payers,
        programmes=clinic.programmes,
        practices=clinic.organizations,
        ways=referral_form.WAYS,
        cards=referral_form.CARDS,
    )


async def questions(page: Page) -> list[Group]:
    """Read the clinic's questions for a referral."""
    answer = await page.calls.must_get(_QUESTIONNAIRE)
    return [group for group in groups_of(answer.body) if group.link_id not in _NOT_ASKED]


def _beside(page: Page, answer: Answer) -> Page:
    """Put each refusal beside the field that it is about."""
    known = ((referral_form.field_of(one.expression), one.text) for one in answer.problems)
    return replace(page, wrong=[Wrong(name=name, text=text) for name, text in known if name])


def _is_entered(page: Page) -> bool:
    return page.person.party == "coordinator"


def _words(page: Page) -> dict[str, list[str]]:
    return {name: values for name, values in words_of(page.typed).items() if name not in _BUTTONS}


def _id_of_referral(answer: Answer) -> str:
    locations = [entry["response"].get("location", "") for entry in answer.body.get("entry", ())]
    found = next((one for one in locations if "ServiceRequest/" in one), "")
    return id_of(found.partition("/_history")[0])
