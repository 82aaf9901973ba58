"""Signing in at the clinic's own issuer: sent there, and back with a code, in one browser and once.

Invariants:
- What comes back counts only in the browser that was sent, with its state, for ten minutes, once.
- Each tab has a state of its own, so both of two tabs finish.
"""

import secrets
from datetime import timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from shared.auth.forms import fields_of, read_query
from shared.auth.people import browser, events, queries
from shared.auth.people.accounts import Account, name_of
from shared.auth.people.answers import address_of, locale_of, problem_answer
from shared.auth.people.authorization import read_request
from shared.auth.people.clinic_issuer import ClinicIssuer, NotProved, client_of
from shared.auth.people.figures import SignInOutcome, count_sign_in
from shared.auth.people.models import SignInElsewhere, SignInMethod
from shared.auth.people.provider import PeopleProvider
from shared.auth.people.rules import mark_of
from shared.auth.people.sign_in import let_in
from shared.clock import machine_now
from shared.telemetry.logging import logger

PATH = "/auth/elsewhere"
STATE_LIFETIME = timedelta(minutes=10)
_LONGEST_NAME = 255


async def send(people: PeopleProvider, request: Request) -> Response:
    """Send a person to the clinic's issuer."""
    asked = read_query(request)
    checked = read_request(asked, client=people.portal)
    if people.clinic_issuer is None or request.method == "HEAD":
        return problem_answer(people, request, "no-clinic-issuer", status=404)
    name, now = browser.browser_of(request, base_url=people.base_url), machine_now()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    url = await people.clinic_issuer.authorization_url(
        state=state, nonce=nonce, verifier=verifier, locale=locale_of(request, checked.ui_locales)
    )
    begun = SignInElsewhere(
        mark=mark_of(state),
        browser=mark_of(name),
        request=urlencode(asked),
        nonce=nonce,
        verifier=verifier,
        machine_expires_at=now + STATE_LIFETIME,
    )
    async with people.database.transaction() as tx:
        await queries.forget_sign_ins_elsewhere(tx, expired_at=now)
        await tx.insert(begun)
    return browser.remember(browser.redirect(url), name, base_url=people.base_url)


async def come_back(people: PeopleProvider, request: Request) -> Response:
    """Take a person who comes back from the clinic's issuer."""
    told, issuer = read_query(request), people.clinic_issuer
    if issuer is None or request.method == "HEAD":
        return problem_answer(people, request, "no-clinic-issuer", status=404)
    begun = await _begun(people, request, told.get("state", ""))
    if begun is None or told.get("iss", issuer.issuer) != issuer.issuer:
        return problem_answer(people, request, "not-begun-here", status=400)
    try:
        account = await _account(people, issuer, begun, code=told.get("code"))
    except NotProved as error:
        logger().warning("sign-in.not-proved", error=type(error).__name__)
        return await _refuse(people, request, "not-proved")
    if account is None:
        return await _refuse(people, request, "no-part-here")
    asked = read_request(fields_of(begun.request.encode()), client=people.portal)
    return await let_in(people, request, asked, account, method=SignInMethod.CLINIC_ISSUER)


async def _begun(people: PeopleProvider, request: Request, state: str) -> SignInElsewhere | None:
    """Find what was begun in this browser with this state, and use it up."""
    name = request.cookies.get(browser.cookie_name(people.base_url), "")
    async with people.database.transaction() as tx:
        return await queries.take_sign_in_elsewhere(tx, mark_of(state), mark_of(name), at=machine_now())


async def _account(
    people: PeopleProvider, issuer: ClinicIssuer, begun: SignInElsewhere, *, code: str | None
) -> Account | None:
    """Return who it is, None for somebody who has no part in this clinic; raises NotProved."""
    sign_in = people.clinic.sign_in
    if code is None or sign_in is None:
        raise NotProved("the issuer gives no code")
    claims = await issuer.claims(code, nonce=begun.nonce, verifier=begun.verifier)
    client_id = client_of(sign_in, claims)
    if client_id is None:
        return None
    given = claims.get("name")
    named = isinstance(given, str) and given.strip() and given.isprintable()
    client = people.clinic.client(client_id)
    name = str(given)[:_LONGEST_NAME] if named else name_of(people.clinic, client, locale="en")
    return Account(issuer=issuer.issuer, subject=claims["sub"], client=client_id, name=name)


async def _refuse(people: PeopleProvider, request: Request, name: str) -> Response:
    count_sign_in(SignInMethod.CLINIC_ISSUER, SignInOutcome.REFUSED)
    refused = events.refused(
        SignInMethod.CLINIC_ISSUER, subject=None, address=address_of(request), at=machine_now()
    )
    async with people.database.transaction() as tx:
        await tx.insert(refused)
    return problem_answer(people, request, name, status=403)
