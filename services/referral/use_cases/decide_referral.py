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
from shared.act import Act
from shared.auth.principal import Principal
from shared.clinic import Clinic
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events


class NoProgramme(Conflict):
    """Nobody can accept a referral into no programme."""

    code = "required"


async def accept_referral(
    tx: Transaction, referral_id: str, *, said: Mapping[str, Any], by: Principal, act: Act, clinic: Clinic
) -> Referral:
    """Accept what was left to a person, a suspected duplicate that is none, or a declined referral."""
    why = needed_reason(said.get("reason"))
    referral = await load_referral(tx, referral_id, by=by)
    gathered = await gather(tx, referral)
    verdict = _personal(referral, gathered, said=said, why=why, act=act, clinic=clinic)
    if referral.state in (State.DECLINED, State.EMERGENCY_ACKNOWLEDGED):
        await move(
            tx, referral, State.AWAITING_REVIEW, reason=why, turn=Turn.CLINIC, act=act, name="reopening"
        )
        await keep_task(tx, referral, act=act, clinic=clinic)
    rules.check_step(referral.state, State.ACCEPTED, act="accepting")
    referral.programme, referral.doubt = verdict.programme, None
    referral.site = clinic.programme(str(verdict.programme)).site
    await _put_down(tx, referral, verdict, act=act)
    await accept(tx, referral, gathered, verdict=verdict, act=act, clinic=clinic)
    return referral


async def decline_referral(
    tx: Transaction, referral_id: str, *, reason: object, by: Principal, act: Act, clinic: Clinic
) -> Referral:
    """Decline with the reason."""
    why = needed_reason(reason)
    referral = await load_referral(tx, referral_id, by=by)
    verdict = _by_a_person(Outcome.DECLINE, referral, rule="declined-by-a-person", text=why)
    await move(
        tx,
        referral,
        State.DECLINED,
        reason=f"Declined by the clinic: {why}",
        turn=Turn.NOBODY,
        act=act,
        name="declining",
    )
    await _put_down(tx, referral, verdict, act=act)
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    announce(tx, events.DECLINED, referral, task, act=act)
    return referral


async def request_information(
    tx: Transaction, referral_id: str, *, reason: object, by: Principal, act: Act, clinic: Clinic
) -> Referral:
    """Ask the referrer for something, in the coordinator's words; the raw clock goes on."""
    why = needed_reason(reason)
    referral = await load_referral(tx, referral_id, by=by)
    verdict = _by_a_person(Outcome.ASK, referral, rule="asked-by-a-person", text=why)
    await move(
        tx,
        referral,
        State.INFORMATION_REQUESTED,
        reason=f"The clinic asks: {why}",
        turn=Turn.REFERRER,
        act=act,
        name="asking",
    )
    referral.asked = ["question"]
    await _put_down(tx, referral, verdict, act=act)
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    announce(tx, events.INFORMATION_REQUESTED, referral, task, act=act)
    return referral


async def _put_down(tx: Transaction, referral: Referral, verdict: Verdict, *, act: Act) -> None:
    referral.rules = [
        {"rule": one.rule, "text": one.text, "elements": list(one.elements)} for one in verdict.findings
    ]
    text = f"{verdict.outcome}: {verdict.reason}"
    body = fhir.decision_provenance(referral, findings=verdict.findings, text=text, act=act)
    await keep_enclosure(tx, referral, body, act=act)
    work = await queries.open_work(tx, referral.id)
    await finish_tasks(tx, work, status="completed", reason=verdict.reason, act=act)


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
    referral: Referral, gathered: Gathered, *, said: Mapping[str, Any], why: str, act: Act, clinic: Clinic
) -> Verdict:
    """Say what a person's acceptance means: the programme, and the Consent that is still needed."""
    known = {programme.id for programme in clinic.programmes}
    named = said.get("programme")
    programme = named if named in known else referral.programme
    if programme is None or (named is not None and named not in known):
        text = f"name the programme, one of {', '.join(sorted(known))}"
        expression = "Parameters.parameter.where(name='programme')"
        raise NoProgramme(text, expression=expression)
    text = f"Accepted by the clinic for: {clinic.programme(programme).name}. {why}"
    verdict = _by_a_person(Outcome.ACCEPT, referral, rule="accepted-by-a-person", text=text)
    on = local_day(act.at, site=referral.site, clinic=clinic)
    consents = facts_of(gathered, on=on, clinic=clinic).consents
    if not rules.needs_authorization(programme, referral.payer, clinic=clinic):
        return replace(verdict, programme=programme)
    if referral.payer in consents:
        return replace(verdict, programme=programme)
    words = f"the patient's Consent that names {clinic.payer(str(referral.payer)).name}"
    asked = Missing(code="consent", text=words, element="Consent.provision.actor")
    return replace(verdict, programme=programme, asked_after=(asked,))
