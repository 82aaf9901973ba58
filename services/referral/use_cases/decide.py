"""A coordinator decides what the rules left to a person, or decides otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.referral import fhir, rules
from services.referral.models import Finding, Missing, Outcome, Referral, Verdict
from services.referral.states import State, Turn
from services.referral.use_cases import record, referral_file, triage
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile, local_day, needed_reason
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events


class NoProgramme(Conflict):
    """Nobody can accept a referral into no programme."""

    code = "required"


async def accept(ctx: Context, tx: Transaction, referral_id: str, *, said: Mapping[str, Any]) -> Referral:
    """Accept what was left to a person, a suspected duplicate that is none, or a declined referral."""
    why = needed_reason(said.get("reason"))
    file = await referral_file.for_caller(ctx, tx, referral_id)
    changes, referral = Changes(file), file.referral
    verdict = _personal(ctx, file, said=said, why=why)
    rules.check(rules.acts.may_accept(ctx, referral))
    if referral.state in (State.DECLINED, State.EMERGENCY_ACKNOWLEDGED):
        changes.move(State.AWAITING_REVIEW, reason=why, turn=Turn.CLINIC, act="reopening")
    referral.programme, referral.doubt = verdict.programme, None
    referral.site = ctx.clinic.programme(str(verdict.programme)).site
    _note(ctx, changes, verdict)
    triage.accept(ctx, changes, verdict=verdict)
    return await record.run(ctx, tx, changes)


async def decline(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """Decline with the reason."""
    why = needed_reason(reason)
    file = await referral_file.for_caller(ctx, tx, referral_id)
    changes = Changes(file)
    rules.check(rules.acts.may_decline(ctx, file.referral))
    verdict = _by_a_person(Outcome.DECLINE, file.referral, rule="declined-by-a-person", text=why)
    words = f"Declined by the clinic: {why}"
    changes.move(State.DECLINED, reason=words, turn=Turn.NOBODY, act="declining")
    _note(ctx, changes, verdict)
    changes.announce(events.ReferralDeclined)
    return await record.run(ctx, tx, changes)


async def request_information(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """Ask the referrer for something, in the coordinator's words; the raw clock goes on."""
    why = needed_reason(reason)
    file = await referral_file.for_caller(ctx, tx, referral_id)
    changes = Changes(file)
    rules.check(rules.acts.may_request_information(ctx, file.referral))
    verdict = _by_a_person(Outcome.ASK, file.referral, rule="asked-by-a-person", text=why)
    words = f"The clinic asks: {why}"
    changes.move(State.INFORMATION_REQUESTED, reason=words, turn=Turn.REFERRER, act="asking")
    file.referral.asked = ["question"]
    _note(ctx, changes, verdict)
    changes.announce(events.ReferralInformationRequested)
    return await record.run(ctx, tx, changes)


def _note(ctx: Context, changes: Changes, verdict: Verdict) -> None:
    changes.note_rules(verdict.findings)
    text = f"{verdict.outcome}: {verdict.reason}"
    changes.enclose(fhir.decision_provenance(ctx, changes.referral, findings=verdict.findings, text=text))
    changes.finish_work(status="completed", reason=verdict.reason)


def _by_a_person(outcome: Outcome, referral: Referral, *, rule: str, text: str) -> Verdict:
    finding = Finding(rule=rule, text=text, elements=("ServiceRequest",))
    return Verdict(
        outcome=outcome,
        findings=(finding,),
        stream=referral.stream,
        payer=referral.payer,
        programme=referral.programme,
    )


def _personal(ctx: Context, file: ReferralFile, *, said: Mapping[str, Any], why: str) -> Verdict:
    """Say what a person's acceptance means: the programme, and the Consent that is still needed."""
    referral = file.referral
    known = {programme.id for programme in ctx.clinic.programmes}
    named = said.get("programme")
    programme = named if named in known else referral.programme
    if programme is None or (named is not None and named not in known):
        text = f"name the programme, one of {', '.join(sorted(known))}"
        expression = "Parameters.parameter.where(name='programme')"
        raise NoProgramme(text, expression=expression)
    text = f"Accepted by the clinic for: {ctx.clinic.programme(programme).name}. {why}"
    verdict = _by_a_person(Outcome.ACCEPT, referral, rule="accepted-by-a-person", text=text)
    on = local_day(ctx.at, site=referral.site, clinic=ctx.clinic)
    consents = file.facts(on=on, clinic=ctx.clinic).consents
    if not rules.needs_authorization(programme, referral.payer, clinic=ctx.clinic):
        return replace(verdict, programme=programme)
    if referral.payer in consents:
        return replace(verdict, programme=programme)
    words = f"the patient's Consent that names {ctx.clinic.payer(str(referral.payer)).name}"
    asked = Missing(code="consent", text=words, element="Consent.provision.actor")
    return replace(verdict, programme=programme, asked_after=(asked,))
