"""The insurer answers a Claim: the newest answer decides, item by item."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from services.referral import fhir, queries, rules
from services.referral.models import Claim, ClaimResponse, Decision, Referral
from services.referral.states import AUTHORIZATION_ALLOWED, Authorization
from services.referral.use_cases.recording import as_uuid, keep_task, open_work_task, the_clinic
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Invalid, Problem
from shared.events.catalog import referral as events
from shared.events.outbox import publishing
from shared.fhir import references, store
from shared.fhir.codes import TaskCode
from shared.fhir.received import Received


class NoSuchClaim(Invalid):
    """The answer is to no Claim that this insurer may see."""

    code = "not-found"


class AnswerDoesNotFit(Invalid):
    """The answer contradicts its Claim."""


class ClaimDecided(Conflict):
    """A denied or cancelled Claim is not updated."""


async def record_decision(ctx: Context, tx: Transaction, received: Received) -> ClaimResponse:
    """Store the ClaimResponse, derive the status, tell everybody, and give the next Task to who must act."""
    claim, referral = await _load(ctx, tx, received.data)
    _check_fits(ctx, received.data, claim)
    decision = _read(received.data, claim)
    if decision.status not in AUTHORIZATION_ALLOWED[Authorization(claim.standing)]:
        text = f"the Claim is {claim.standing}: a new decision needs a new Claim"
        raise ClaimDecided(text, expression="ClaimResponse.request")
    response = await _store(ctx, tx, received, claim, decision)
    claim.standing = decision.status
    await _tell_people(ctx, tx, referral, claim, decision)
    pended = decision.status is Authorization.PENDED
    publishing.collect(
        tx,
        events.AuthorizationPended if pended else events.AuthorizationDecided,
        of=claim,
        key=str(claim.patient_id),
        focus=claim.body,
        carries=[
            response.body,
            fhir.grant_parameters(claim, of=response.id, decision=decision, referral_id=referral.id),
        ],
        ctx=ctx,
    )
    return response


async def _load(ctx: Context, tx: Transaction, response: Mapping[str, Any]) -> tuple[Claim, Referral]:
    where = "ClaimResponse.request"
    key = as_uuid(references.local_id(response.get("request", {}), expression=where))
    seen = None if key is None else await queries.claim_visible_to(tx, ctx.caller, key)
    if seen is None:
        raise NoSuchClaim("there is no such Claim", expression=where)
    referral = await tx.get(Referral, seen.referral_id, lock=True)
    claim = await tx.get(Claim, seen.id, lock=True)
    if referral is None or claim is None:
        raise NoSuchClaim("there is no such Claim", expression=where)
    return claim, referral


def _check_fits(ctx: Context, response: Mapping[str, Any], claim: Claim) -> None:
    problems = list(_misfits(ctx, response, claim))
    if problems:
        raise AnswerDoesNotFit(problems=problems)


def _misfits(ctx: Context, response: Mapping[str, Any], claim: Claim) -> Iterator[Problem]:
    if response.get("status") != "active":
        yield _misfit("an answer is active", "status")
    if response.get("use") != "preauthorization":
        yield _misfit("the Claim is a preauthorization", "use")
    patient = references.parse(response.get("patient", {}))
    if patient.id is not None and patient.id != str(claim.patient_id):
        yield _misfit("the Claim is about another patient", "patient")
    insurer = response.get("insurer", {})
    named = fhir.payer_of(insurer, within=response, known={}, clinic=ctx.clinic)
    if named not in (None, claim.payer):
        yield _misfit("the Claim was sent to another insurer", "insurer")


def _read(response: Mapping[str, Any], claim: Claim) -> Decision:
    requested = fhir.items_of(msgspec.json.decode(claim.body))
    answered = fhir.read_response(response, requested=requested)
    return rules.decided(requested, answered.items, reason=answered.reason, problems=answered.problems)


async def _store(
    ctx: Context, tx: Transaction, received: Received, claim: Claim, decision: Decision
) -> ClaimResponse:
    before = await queries.current_response(tx, claim.id)
    if before is not None:
        before.current = False
        await tx.flush()
    response = ClaimResponse(
        claim_id=claim.id,
        patient_id=claim.patient_id,
        payer=claim.payer,
        outcome=str(received.data.get("outcome")),
        standing=decision.status,
        created_at=ctx.at,
    )
    overlay = {
        "status": "active",
        "request": {"reference": f"Claim/{claim.id}"},
        "patient": {"reference": f"Patient/{claim.patient_id}"},
    }
    await store.put(tx, response, received.raw, at=ctx.at, overlay=overlay)
    return response


async def _tell_people(
    ctx: Context, tx: Transaction, referral: Referral, claim: Claim, decision: Decision
) -> None:
    name = ctx.clinic.payer(claim.payer).name
    referral.funding = _words(name, decision)
    await keep_task(ctx, tx, referral)
    work = await queries.open_task(tx, referral.id, code=TaskCode.DECIDE_AUTHORIZATION)
    if work is not None:
        work.status = "in-progress" if decision.status is Authorization.PENDED else "completed"
        await store.put(tx, work, work.body, at=ctx.at, overlay={"status": work.status})
    if decision.status is Authorization.DENIED:
        await open_work_task(
            ctx,
            tx,
            referral,
            code=TaskCode.RESOLVE_DENIAL,
            owner=the_clinic(ctx),
            reason=referral.funding,
        )


def _words(insurer: str, decision: Decision) -> str:
    units = sum(item.units for item in decision.items)
    why = f" Reason: {decision.reason.rstrip('. ')}." if decision.reason else ""
    said = {
        Authorization.PENDED: "has not decided yet; the insurer's turn.",
        Authorization.DENIED: "denied the sessions; the clinic's turn.",
        Authorization.NOT_REQUIRED: "needs no authorization.",
        Authorization.CANCELLED: "cancelled the authorization.",
    }
    return f"{insurer} {said.get(decision.status, f'authorized {units} sessions ({decision.status}).')}{why}"


def _misfit(text: str, member: str) -> Problem:
    return Problem(text=text, expression=f"ClaimResponse.{member}")
