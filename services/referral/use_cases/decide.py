"""A coordinator decides what the rules left to a person, or decides otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.referral import fhir, rules, texts
from services.referral.models.facts import Finding, Outcome, Verdict
from services.referral.models.rows import Referral
from services.referral.rules.acts import ReferralFacts
from services.referral.states import State, Turn
from services.referral.use_cases import record, referral_file, triage
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile, needed_reason
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import referral as events
from shared.reasons import Reason, as_written


class NoProgramme(Conflict):
    """Nobody can accept a referral into no programme."""

    code = "required"


async def accept(ctx: Context, tx: Transaction, referral_id: str, *, said: Mapping[str, Any]) -> Referral:
    """Accept what was left to a person, a suspected duplicate that is none, or a declined referral."""
    why = needed_reason(said.get("reason"))
    file = await referral_file.for_caller(ctx, tx, referral_id)
    changes, referral = Changes(ctx, file), file.referral
    facts = ReferralFacts(referral=referral, patient_died=file.patient_died)
    rules.steps.check(rules.acts.may_accept(ctx, facts), words=texts.words_of(ctx.clinic))
    verdict = _personal(ctx, file, said=said, why=why)
    if referral.state in (State.DECLINED, State.EMERGENCY_ACKNOWLEDGED):
        changes.move(State.AWAITING_REVIEW, reason=[as_written(why)], turn=Turn.CLINIC)
    referral.programme, referral.doubt = verdict.programme, False
    triage.place(ctx, referral, programme=str(verdict.programme))
    _note(ctx, changes, verdict)
    triage.accept(ctx, changes, verdict=verdict)
    return await record.run(ctx, tx, changes)


async def decline(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """Decline with the reason."""
    why = needed_reason(reason)
    file = await referral_file.for_caller(ctx, tx, referral_id)
    changes = Changes(ctx, file)
    rules.steps.check(rules.acts.may_decline(ctx, file.referral), words=texts.words_of(ctx.clinic))
    verdict = _by_a_person(Outcome.DECLINE, file.referral, "declined-by-a-person", as_written(why))
    reason = [Reason.of("declined-by-clinic"), as_written(why)]
    changes.move(State.DECLINED, reason=reason, turn=Turn.NOBODY)
    _note(ctx, changes, verdict)
    changes.announce(events.ReferralDeclined)
    return await record.run(ctx, tx, changes)


async def request_information(ctx: Context, tx: Transaction, referral_id: str, *, reason: object) -> Referral:
    """Ask the referrer for something, in the coordinator's words; the raw clock goes on."""
    why = needed_reason(reason)
    file = await referral_file.for_caller(ctx, tx, referral_id)
    changes = Changes(ctx, file)
    rules.steps.check(rules.acts.may_request_information(ctx, file.referral))
    verdict = _by_a_person(Outcome.ASK, file.referral, "asked-by-a-person", as_written(why))
    reason = [Reason.of("clinic-asks"), as_written(why)]
    changes.move(State.INFORMATION_REQUESTED, reason=reason, turn=Turn.REFERRER)
    file.referral.asked = ["question"]
    _note(ctx, changes, verdict)
    changes.announce(events.ReferralInformationRequested)
    return await record.run(ctx, tx, changes)


def _note(ctx: Context, changes: Changes, verdict: Verdict) -> None:
    # What a person overrules stays beside what that person decided.
    changes.referral.rules = [*verdict.findings, *changes.referral.rules]
    changes.enclose(fhir.provenance.decision_provenance(ctx, changes.referral, verdict=verdict))
    changes.finish_work(status="completed", reason=verdict.reasons)


def _by_a_person(outcome: Outcome, referral: Referral, rule: str, *reasons: Reason) -> Verdict:
    finding = Finding(rule=rule, reasons=reasons, elements=("ServiceRequest",))
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
        reason = Reason.of("name-the-programme", allowed=sorted(known))
        rules.steps.check(reason, refusal=NoProgramme, of="Parameters.parameter.where(name='programme')")
    reasons = (Reason.of("accepted-by-clinic", programme=programme), as_written(why))
    verdict = _by_a_person(Outcome.ACCEPT, referral, "accepted-by-a-person", *reasons)
    consents = file.facts(ctx).consents
    asked = rules.triage.missing_consent(programme, referral.payer, consents, clinic=ctx.clinic)
    return replace(verdict, programme=programme, asked_after=asked)
