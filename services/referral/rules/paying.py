"""Who pays, and so which stream and programme: the payer decides, a request for another one is rerouted."""

from dataclasses import dataclass

from services.referral.models.facts import CoverageFact, Facts, Finding, Missing
from shared.clinic import Clinic, Programme
from shared.reasons import Reason

_STREAM_OF_KIND = {
    "WCBPOL": "workplace",
    "AUTOPOL": "motor-vehicle",
    "PUBLICPOL": "public",
    "EHCPOL": "private",
    "pay": "self-pay",
}
_CLAIM_OF_STREAM = {"workplace": "claim-workplace", "motor-vehicle": "claim-motor"}
# An injury insurer pays before extended health, that before the public plan.
_FIRST_TO_PAY = ("workplace", "motor-vehicle", "private", "public", "self-pay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Who pays for a referral, by which elements, and what must still be asked."""

    stream: str | None = None
    payer: str | None = None
    programme: str | None = None
    findings: tuple[Finding, ...] = ()
    missing: tuple[Missing, ...] = ()


def payment(facts: Facts, *, clinic: Clinic) -> Payment:
    """Find stream, payer and programme from coded facts; what is not said is asked for."""
    stream, payer, element = _who_pays(facts, clinic=clinic)
    if stream is None:
        missing = Missing(code="payer", element="Coverage")
        return Payment(programme=facts.programme, missing=(missing,))
    programme = _programme(facts, stream, payer, clinic=clinic)
    reason = Reason.of("stream-of-payer", stream=stream)
    findings = [Finding(rule=f"stream-{stream}", reasons=(reason,), elements=(element,))]
    if programme is not None and facts.programme not in (None, programme.id):
        reason = Reason.of("programme-of-payer", asked=facts.programme, programme=programme.id)
        elements = ("ServiceRequest.code", element)
        findings.append(Finding(rule="programme-follows-payer", reasons=(reason,), elements=elements))
    missing_payer = stream in _CLAIM_OF_STREAM and payer is None
    return Payment(
        stream=stream,
        payer=payer,
        programme=None if programme is None else programme.id,
        findings=tuple(findings),
        missing=(Missing(code="insurer", element="Coverage.payor"),) if missing_payer else (),
    )


def _who_pays(facts: Facts, *, clinic: Clinic) -> tuple[str | None, str | None, str]:
    found: dict[str, tuple[str | None, str]] = {}
    for coverage in facts.coverages:
        stream = _stream_of(coverage, clinic=clinic)
        if stream is not None and (stream not in found or found[stream][0] is None):
            found[stream] = (coverage.payer, coverage.element)
    for stream, claim in _CLAIM_OF_STREAM.items():
        status = facts.answers.get(claim)
        if status == "active" and stream not in found:
            found[stream] = (None, facts.element(claim))
        if status in ("closed", "none") and len(found) > 1:
            found.pop(stream, None)
    for stream in _FIRST_TO_PAY:
        if stream in found:
            return (stream, *found[stream])
    return None, None, "Coverage"


def _stream_of(coverage: CoverageFact, *, clinic: Clinic) -> str | None:
    if coverage.payer is not None:
        return clinic.payer(coverage.payer).stream
    return _STREAM_OF_KIND.get(coverage.kind or "")


def _programme(facts: Facts, stream: str, payer: str | None, *, clinic: Clinic) -> Programme | None:
    if facts.programme is not None and clinic.programme(facts.programme).is_open_to(stream, payer):
        return clinic.programme(facts.programme)
    return next((one for one in clinic.programmes if one.is_open_to(stream, payer)), None)
