"""A coordinator decides what the rules left to a person, or decides otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.referral import fhir, queries, rules
from services.referral.models import Finding, Missing, Outcome, Referral, Verdict
from services.referral.states import State, Turn
from services.referral.use_cases.gathering import Gathered, facts_of, gather, local_day
from services.referral.use_cases.recording import (
    announce,
    finish_tasks,
    keep_enclosure,
    keep_task,
    load_referral,
    move,
    needed_reason,
)
from services.referral.use_cases.triage_referral import accept
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events


class NoProgramme(Conflict):
    """Nobody can accept a referral into no programme."""

    code = "required"


async def accept_referral(
    ctx: Context, tx: Transaction, referral_id: str, *, said: Mapping[str, Any]
) -> Referral:
    """Accept what was left to a person, a suspected duplicate that is none, or a declined referral."""
    why = needed_reason(said.get("reason"))
    referral = await load_referral(ctx, tx, referral_id)
    gathered = await gather(tx, referral)
    verdict = _personal(ctx, referral, gathered, said=said, why=why)
    if referral.state in (State.DECLINED, State.EMERGENCY_ACKNOWLEDGED):
        await move(ctx, tx, referral, State.AWAITING_REVIEW, reason=why, turn=Turn.CLINIC, name="reopening")
        await keep_task(ctx, tx, referral)
    rules.check_step(referral.state, State.ACCEPTED, act="accepting")
    referral.programme, referral.doubt = verdict.programme, None
    referral.site = ctx.clinic.programme(str(verdict.programme)).site
    await _put_down(ctx, tx, referral, verdict)
    await accept(ctx, tx, referral, gathered, verdict=verdict)
    return referral


async def decline_referral(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """Decline with the reason."""
    why = needed_reason(reason)
    referral = await load_referral(ctx, tx, referral_id)
    verdict = _by_a_person(Outcome.DECLINE, referral, rule="declined-by-a-person", text=why)
    await move(
        ctx,
        tx,
        referral,
        State.DECLINED,
        reason=f"Declined by the clinic: {why}",
        turn=Turn.NOBODY,
        name="declining",
    )
    await _put_down(ctx, tx, referral, verdict)
    task = await keep_task(ctx, tx, referral)
    announce(ctx, tx, events.ReferralDeclined, referral, task)
    return referral


async def request_information(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """Ask the referrer for something, in the coordinator's words; the raw clock goes on."""
    why = needed_reason(reason)
    referral = await load_referral(ctx, tx, referral_id)
    verdict = _by_a_person(Outcome.ASK, referral, rule="asked-by-a-person", text=why)
    await move(
        ctx,
        tx,
        referral,
        State.INFORMATION_REQUESTED,
        reason=f"The clinic asks: {why}",
        turn=Turn.REFERRER,
        name="asking",
    )
    referral.asked = ["question"]
    await _put_down(ctx, tx, referral, verdict)
    task = await keep_task(ctx, tx, referral)
    announce(ctx, tx, events.ReferralInformationRequested, referral, task)
    return referral


async def _put_down(ctx: Context, tx: Transaction, referral: Referral, verdict: Verdict) -> None:
    referral.rules = [
        {"rule": one.rule, "text": one.text, "elements": list(one.elements)} for one in verdict.findings
    ]
    text = f"{verdict.outcome}: {verdict.reason}"
    body = fhir.decision_provenance(ctx, referral, findings=verdict.findings, text=text)
    await keep_enclosure(ctx, tx, referral, body)
    work = await queries.open_work(tx, referral.id)
    await finish_tasks(ctx, tx, work, status="completed", reason=verdict.reason)


def _by_a_person(outcome: Outcome, referral: Referral, *, rule: str, text: str) -> Verdict:
    finding = Finding(rule=rule, text=text, elements=("ServiceRequest",))
    return Verdict(
        outcome=outcome,
        findings=(finding,),
        stream=referral.stream,
        payer=referral.payer,
        programme=referral.programme,
    )


def _personal(
    ctx: Context, referral: Referral, gathered: Gathered, *, said: Mapping[str, Any], why: str
) -> Verdict:
    """Say what a person's acceptance means: the programme, and the Consent that is still needed."""
    known = {programme.id for programme in ctx.clinic.programmes}
    named = said.get("programme")
    programme = named if named in known else referral.programme
    if programme is None or (named is not None and named not in known):
        text = f"name the programme, one of {', '.join(sorted(known))}"
        expression = "Parameters.parameter.where(name='programme')"
        raise NoProgramme(text, expression=expression)
    text = f"Accepted by the clinic for: {ctx.clinic.programme(programme).name}. {why}"
    verdict = _by_a_person(Outcome.ACCEPT, referral, rule="accepted-by-a-person", text=text)
    on = local_day(ctx, ctx.at, site=referral.site)
    consents = facts_of(ctx, gathered, on=on).consents
    if not rules.needs_authorization(programme, referral.payer, clinic=ctx.clinic):
        return replace(verdict, programme=programme)
    if referral.payer in consents:
        return replace(verdict, programme=programme)
    words = f"the patient's Consent that names {ctx.clinic.payer(str(referral.payer)).name}"
    asked = Missing(code="consent", text=words, element="Consent.provision.actor")
    return replace(verdict, programme=programme, asked_after=(asked,))
