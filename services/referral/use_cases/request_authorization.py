"""Ask the insurer: a Claim on its work list, where its rule wants that and the patient's Consent names it."""

from services.referral import fhir, rules
from services.referral.models.rows import Claim, Enclosure
from services.referral.states import Authorization
from services.referral.use_cases import follow_consent
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode
from shared.reasons import Reason, Reference


def decide(ctx: Context, changes: Changes) -> None:
    """Send the Claim for the programme's sessions, unless none is needed, possible or missing."""
    referral, file = changes.referral, changes.file
    payer = referral.payer
    if payer is None or not rules.authorization.is_needed(referral.programme, payer, clinic=ctx.clinic):
        return
    if payer not in file.facts(ctx).consents:
        return
    coverage = _coverage_of(ctx, file, payer=payer)
    if coverage is None or file.claims:
        return
    row, data = coverage
    claim = Claim(
        referral_id=referral.id,
        patient_id=referral.patient_id,
        coverage_id=row.id,
        payer=payer,
        members=fhir.people.member_ids(data, file.patient_data),
        consented=True,
        created_at=ctx.at,
    )
    items = rules.authorization.requested_items(
        str(referral.programme), on=file.today(ctx), clinic=ctx.clinic
    )
    body = fhir.authorization.claim_resource(
        claim, referral=referral, items=items, patient=file.patient_data, clinic=ctx.clinic
    )
    file.claims.append(claim)
    changes.claims[id(claim)] = (claim, body, {})
    _ask(ctx, changes, claim)
    follow_consent.decide(ctx, changes)


def cancel(changes: Changes) -> None:
    """Cancel what is asked or granted when the referral ends."""
    ended = (Authorization.DENIED, Authorization.CANCELLED)
    for claim in changes.file.claims:
        if claim.standing not in ended:
            claim.standing, claim.status = Authorization.CANCELLED, "cancelled"
            changes.change_claim(claim, status="cancelled")
            changes.announce_claim(events.AuthorizationCancelled, claim)


def _ask(ctx: Context, changes: Changes, claim: Claim) -> None:
    referral, payer = changes.referral, f"Organization/{claim.payer}"
    referral.funding = [Reason.of("authorization-asked", payer=Reference(payer))]
    changes.open_work(
        TaskCode.DECIDE_AUTHORIZATION, owner=payer, reason=[Reason.of("sessions-wait")], claim=claim
    )
    grant = fhir.authorization.grant_parameters(claim, of=claim.id, decision=None, referral_id=referral.id)
    changes.announce_claim(events.AuthorizationRequested, claim, grant)


def _coverage_of(
    ctx: Context, file: ReferralFile, *, payer: str
) -> tuple[Enclosure, fhir.people.Resource] | None:
    for row, data in reversed(file.enclosures):
        if row.type != "Coverage" or data.get("status") != "active":
            continue
        for payor in data.get("payor", []):
            if fhir.people.payer_of(payor, within=data, known=file.known, clinic=ctx.clinic) == payer:
                return row, data
    return None
