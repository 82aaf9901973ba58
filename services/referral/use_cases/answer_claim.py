"""The insurer answers a Claim: the newest answer decides, item by item."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from services.referral import fhir, queries, rules
from services.referral.models.grants import Decision
from services.referral.models.rows import Claim, ClaimResponse
from services.referral.states import Authorization
from services.referral.use_cases import record, referral_file
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Invalid, Problem
from shared.events.catalog import referral as events
from shared.fhir import references
from shared.fhir.codes import TaskCode
from shared.fhir.received import Received
from shared.reasons import Reason, Reference, as_written


class NoSuchClaim(Invalid):
    """The answer is to no Claim that this insurer may see."""

    code = "not-found"


class AnswerDoesNotFit(Invalid):
    """The answer contradicts its Claim."""


class ClaimDecided(Conflict):
    """A denied or cancelled Claim is not updated."""


async def run(ctx: Context, tx: Transaction, received: Received) -> ClaimResponse:
    """Store the ClaimResponse, derive the status, publish it, and give the next Task to who must act."""
    claim, file = await _load(ctx, tx, received.data)
    if problems := list(_misfits(ctx, received.data, claim)):
        raise AnswerDoesNotFit(problems=problems)
    decision = _read(received.data, claim)
    cancels = decision.status is Authorization.CANCELLED
    reason = (rules.acts.may_cancel if cancels else rules.acts.may_answer)(ctx, claim)
    rules.steps.check(reason, refusal=ClaimDecided, of="ClaimResponse.request")
    changes = Changes(ctx, file)
    response = await _respond(ctx, tx, changes, received, claim=claim, decision=decision)
    claim.standing = decision.status
    changes.change_claim(claim)
    _ask_people(ctx, changes, claim, decision)
    pended = decision.status is Authorization.PENDED
    changes.announce_claim(
        events.AuthorizationPended if pended else events.AuthorizationDecided,
        claim,
        response,
        fhir.authorization.grant_parameters(
            claim, of=response.id, decision=decision, referral_id=file.referral.id
        ),
    )
    await record.run(ctx, tx, changes)
    return response


async def _load(ctx: Context, tx: Transaction, response: Mapping[str, Any]) -> tuple[Claim, ReferralFile]:
    where = "ClaimResponse.request"
    claim_id = references.own_id(response.get("request", {}), urls=ctx.urls, expression=where)
    seen = await queries.claims.visible_to(tx, ctx.caller, claim_id)
    file = None if seen is None else await referral_file.locked(tx, seen.referral_id)
    # The consent may have ended while the lock was waited for.
    if seen is not None and file is not None:
        for claim in file.claims:
            if claim.id == seen.id and claim.consented:
                return claim, file
    raise NoSuchClaim("there is no such Claim", expression=where)


def _misfits(ctx: Context, response: Mapping[str, Any], claim: Claim) -> Iterator[Problem]:
    if response.get("status") != "active":
        yield _misfit("an answer is active", "status")
    if response.get("use") != "preauthorization":
        yield _misfit("the Claim is a preauthorization", "use")
    patient = references.parse(response.get("patient", {}))
    is_another = not references.is_ours(patient, ctx.urls) or patient.id != str(claim.patient_id)
    if patient.id is not None and is_another:
        yield _misfit("the Claim is about another patient", "patient")
    insurer = response.get("insurer", {})
    named = fhir.people.payer_of(insurer, within=response, known={}, clinic=ctx.clinic)
    if named not in (None, claim.payer):
        yield _misfit("the Claim was sent to another insurer", "insurer")


def _read(response: Mapping[str, Any], claim: Claim) -> Decision:
    requested = fhir.authorization.items_of(msgspec.json.decode(claim.body))
    answered = fhir.claim_response.read(response, requested=requested)
    return rules.authorization.decide(
        requested, answered.items, reason=answered.reason, problems=answered.problems
    )


async def _respond(
    ctx: Context, tx: Transaction, changes: Changes, received: Received, *, claim: Claim, decision: Decision
) -> ClaimResponse:
    await queries.claims.supersede_response(tx, claim.id)
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
    changes.responses.append((response, received.raw, overlay))
    return response


def _ask_people(ctx: Context, changes: Changes, claim: Claim, decision: Decision) -> None:
    referral = changes.referral
    referral.funding = _reasons(claim, decision)
    work = changes.open_task(TaskCode.DECIDE_AUTHORIZATION)
    if work is not None:
        pended = decision.status is Authorization.PENDED
        status = "in-progress" if pended else "completed"
        changes.change_task(work, status=status, reason=referral.funding)
    if decision.status is Authorization.DENIED:
        changes.open_work(TaskCode.RESOLVE_DENIAL, owner=the_clinic(ctx), reason=referral.funding)


def _reasons(claim: Claim, decision: Decision) -> list[Reason]:
    why = [Reason.of("insurer-says"), as_written(decision.reason)] if decision.reason else []
    return [_outcome(Reference(f"Organization/{claim.payer}"), decision), *why]


def _outcome(payer: Reference, decision: Decision) -> Reason:
    match decision.status:
        case Authorization.PENDED:
            return Reason.of("authorization-pended", payer=payer)
        case Authorization.DENIED:
            return Reason.of("authorization-denied", payer=payer)
        case Authorization.NOT_REQUIRED:
            return Reason.of("authorization-not-required", payer=payer)
        case Authorization.CANCELLED:
            return Reason.of("authorization-cancelled", payer=payer)
    units = sum(item.units for item in decision.items)
    return Reason.of("authorization-granted", payer=payer, units=units, status=decision.status)


def _misfit(text: str, member: str) -> Problem:
    return Problem(text=text, expression=f"ClaimResponse.{member}")
