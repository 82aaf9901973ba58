"""Ask the insurer: a Claim on its work list, where its rule wants that and the patient's Consent names it."""

from services.referral import fhir, queries, rules
from services.referral.models import Claim, Enclosure, Referral
from services.referral.states import Authorization
from services.referral.use_cases.consent import follow_consent
from services.referral.use_cases.gathering import Gathered, facts_of, local_day
from services.referral.use_cases.recording import keep_task, open_work_task
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.codes import TaskCode


async def request_authorization(
    ctx: Context, tx: Transaction, referral: Referral, gathered: Gathered
) -> Claim | None:
    """Send the Claim for the programme's sessions; None where none is needed, possible or missing."""
    payer = referral.payer
    if payer is None or not rules.needs_authorization(referral.programme, payer, clinic=ctx.clinic):
        return None
    on = local_day(ctx, ctx.at, site=referral.site)
    if payer not in facts_of(ctx, gathered, on=on).consents:
        return None
    coverage = _coverage_of(ctx, gathered, payer=payer)
    if coverage is None or await queries.claims_of(tx, referral.id):
        return None
    row, data = coverage
    claim = Claim(
        referral_id=referral.id,
        patient_id=referral.patient_id,
        coverage_id=row.id,
        payer=payer,
        members=fhir.member_ids(data, gathered.patient),
        consented=True,
        created_at=ctx.at,
    )
    items = rules.requested_items(str(referral.programme), on=on, clinic=ctx.clinic)
    body = fhir.claim_resource(claim, referral=referral, items=items, clinic=ctx.clinic)
    await store.put(tx, claim, body, at=ctx.at)
    await _tell(ctx, tx, referral, claim)
    await follow_consent(ctx, tx, referral, gathered)
    return claim


async def _tell(ctx: Context, tx: Transaction, referral: Referral, claim: Claim) -> None:
    payer = ctx.clinic.payer(claim.payer)
    referral.funding = f"{payer.name} has been asked to authorize the sessions; the insurer's turn."
    await keep_task(ctx, tx, referral)
    await open_work_task(
        ctx,
        tx,
        referral,
        code=TaskCode.DECIDE_AUTHORIZATION,
        owner=f"Organization/{payer.id}",
        reason="Sessions of a programme wait for your decision.",
        claim=claim,
    )
    grant = fhir.grant_parameters(claim, of=claim.id, decision=None, referral_id=referral.id)
    publishing.collect(
        tx,
        events.AuthorizationRequested,
        of=claim,
        key=str(referral.patient_id),
        focus=claim.body,
        carries=[grant],
        ctx=ctx,
    )


def _coverage_of(ctx: Context, gathered: Gathered, *, payer: str) -> tuple[Enclosure, fhir.Resource] | None:
    for row, data in reversed(gathered.enclosures):
        if row.type != "Coverage" or data.get("status") != "active":
            continue
        for payor in data.get("payor", []):
            if fhir.payer_of(payor, within=data, known=gathered.known, clinic=ctx.clinic) == payer:
                return row, data
    return None


async def cancel_authorizations(ctx: Context, tx: Transaction, referral: Referral) -> None:
    """Cancel what is asked or granted when the referral ends."""
    for claim in await queries.live_claims(tx, referral.id):
        claim.standing, claim.status = Authorization.CANCELLED, "cancelled"
        await store.put(tx, claim, claim.body, at=ctx.at, overlay={"status": "cancelled"})
        publishing.collect(
            tx,
            events.AuthorizationCancelled,
            of=claim,
            key=str(referral.patient_id),
            focus=claim.body,
            ctx=ctx,
        )
