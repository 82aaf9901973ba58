"""Triage: rules over coded answers, in the order in which harm is avoided.

An emergency stops everything; what a person must see goes to a person; only then is a referral declined,
asked about or accepted. Unanswered is not "no".
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from services.referral.models.facts import Facts, Finding, Missing, Outcome, Verdict
from services.referral.rules import authorization, eligibility, paying, red_flags, start_back
from services.referral.rules.paying import Payment
from shared.clinic import Clinic
from shared.reasons import Reason

_DECEASED = Finding(
    rule="patient-deceased", reasons=(Reason.of("patient-died"),), elements=("Patient.deceased",)
)
_NOT_IN_USE = Finding(
    rule="record-not-in-use", reasons=(Reason.of("record-not-in-use"),), elements=("Patient.active",)
)
_REPLACED = Finding(
    rule="record-replaced", reasons=(Reason.of("record-replaced"),), elements=("Patient.link",)
)


def triage(facts: Facts, *, on: date, clinic: Clinic) -> Verdict:
    """Decide about a referral on this local date, with every rule that fired and all that is missing."""
    pays = paying.payment(facts, clinic=clinic)
    pays = replace(pays, findings=(*pays.findings, *start_back.findings(facts, pays, clinic=clinic)))
    if facts.deceased:
        return _verdict(Outcome.REVIEW, (_DECEASED,), pays, same_day=True)
    emergency = red_flags.emergencies(facts)
    urgent = red_flags.urgencies(facts)
    if emergency:
        return _verdict(Outcome.EMERGENCY, (*emergency, *urgent), pays, urgent=bool(urgent))
    if urgent:
        return _verdict(Outcome.REVIEW, urgent, pays, same_day=True, urgent=True)
    if doubtful := _doubtful_record(facts):
        return _verdict(Outcome.REVIEW, doubtful, pays)
    excluded, missing = _eligible(facts, pays, on=on, clinic=clinic)
    excluded = (*_not_for_self(facts, pays, clinic=clinic), *excluded)
    if excluded:
        return _verdict(Outcome.DECLINE, excluded, pays)
    unknown = red_flags.unknowns(facts)
    if unknown:
        return _verdict(Outcome.REVIEW, unknown, pays, missing=missing, same_day=True)
    if missing:
        elements = tuple(item.element for item in missing)
        asked = Finding(rule="information-needed", reasons=_needed(missing, facts), elements=elements)
        return _verdict(Outcome.ASK, (asked,), pays, missing=missing)
    if pays.programme is None:
        reason = Reason.of("no-programme-for-stream", stream=pays.stream)
        finding = Finding(rule="no-programme", reasons=(reason,), elements=("Coverage",))
        return _verdict(Outcome.REVIEW, (finding,), pays)
    return _accepted(facts, pays, clinic=clinic)


def _doubtful_record(facts: Facts) -> tuple[Finding, ...]:
    """Say why a person must look at the patient's record before anything is booked on it."""
    return tuple(
        finding for finding, is_so in ((_NOT_IN_USE, not facts.in_use), (_REPLACED, facts.replaced)) if is_so
    )


def _needed(missing: tuple[Missing, ...], facts: Facts) -> tuple[Reason, ...]:
    reasons = [Reason.of("information-needed", missing=[item.code for item in missing])]
    unread = [item.code for item in missing if item.code in facts.unread]
    if unread:
        reasons.append(Reason.of("not-understood", missing=unread))
    return tuple(reasons)


def _eligible(
    facts: Facts, pays: Payment, *, on: date, clinic: Clinic
) -> tuple[tuple[Finding, ...], tuple[Missing, ...]]:
    asked = (*_unasked(facts), *red_flags.unanswered(facts), *pays.missing)
    if pays.programme is not None:
        programme = clinic.programme(pays.programme)
        excluded, unknown_age = eligibility.adult(facts, programme.eligibility, on=on)
        barred, unanswered = eligibility.criteria_of(facts, programme, on=on)
        return (*excluded, *barred), (*unknown_age, *asked, *unanswered)
    # Who pays is not known: everything is asked at once, and nobody is excluded before the answer.
    ages = [eligibility.adult(facts, one.eligibility, on=on) for one in clinic.programmes]
    wanted = [eligibility.criteria_of(facts, one, on=on)[1] for one in clinic.programmes]
    unanswered = tuple(missing for part in wanted for missing in part) if pays.stream is None else ()
    excluded = ages[0][0] if all(part[0] for part in ages) else ()
    unknown = tuple(missing for part in ages for missing in part[1])
    return excluded, tuple(dict.fromkeys((*unknown, *asked, *unanswered)))


def _not_for_self(facts: Facts, pays: Payment, *, clinic: Clinic) -> tuple[Finding, ...]:
    """Say that a patient cannot refer themselves: to this programme, or to any where none is known yet."""
    if not facts.self_referred:
        return ()
    known = [clinic.programme(pays.programme)] if pays.programme is not None else clinic.programmes
    if any(programme.self_referral for programme in known):
        return ()
    reason = Reason.of("no-self-referral-at-all")
    if pays.programme is not None:
        reason = Reason.of("no-self-referral", programme=pays.programme)
    return (Finding(rule="no-self-referral", reasons=(reason,), elements=("ServiceRequest.requester",)),)


def _unasked(facts: Facts) -> tuple[Missing, ...]:
    """Name what the patient is sent for, where it is not said."""
    return (
        () if facts.says_what else (Missing(code="reason-for-referral", element="ServiceRequest.reasonCode"),)
    )


def _accepted(facts: Facts, pays: Payment, *, clinic: Clinic) -> Verdict:
    programme = clinic.programme(str(pays.programme))
    rule = "rapid-access-criteria" if programme.eligibility.exclude else "adult-without-red-flags"
    read = tuple(facts.elements.values())
    reason = Reason.of("accepted-for", programme=programme.id)
    finding = Finding(rule=rule, reasons=(reason,), elements=read)
    asked = missing_consent(pays.programme, pays.payer, facts.consents, clinic=clinic)
    return _verdict(Outcome.ACCEPT, (finding,), pays, asked_after=asked)


def missing_consent(
    programme: str | None, payer: str | None, consents: Collection[str], *, clinic: Clinic
) -> tuple[Missing, ...]:
    """Name the Consent without which the payer cannot be asked, where it must be."""
    if authorization.is_needed(programme, payer, clinic=clinic) and payer not in consents:
        return (Missing(code="consent", element="Consent.provision.actor"),)
    return ()


def _verdict(
    outcome: Outcome,
    findings: tuple[Finding, ...],
    pays: Payment,
    *,
    missing: tuple[Missing, ...] = (),
    asked_after: tuple[Missing, ...] = (),
    same_day: bool = False,
    urgent: bool = False,
) -> Verdict:
    return Verdict(
        outcome=outcome,
        findings=(*findings, *pays.findings),
        stream=pays.stream,
        payer=pays.payer,
        programme=pays.programme,
        missing=missing,
        asked_after=asked_after,
        same_day=same_day,
        urgent=urgent,
    )
