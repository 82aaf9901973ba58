"""Ask the insurer: a Claim on its work list, where its rule wants that and the patient's Consent names it."""

from services.referral import fhir, queries, rules
from services.referral.models import Claim, Enclosure, Referral
from services.referral.states import Authorization
from services.referral.use_cases.consent import follow_consent
from services.referral.use_cases.gathering import Gathered, facts_of, local_day
from services.referral.use_cases.recording import keep_task, open_work_task
from shared.act import Act
from shared.clinic import Clinic
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.codes import TaskCode


async def request_authorization(
    tx: Transaction, referral: Referral, gathered: Gathered, *, act: Act, clinic: Clinic
) -> Claim | None:
    """Send the Claim for the programme's sessions; None where none is needed, possible or missing."""
    payer = referral.payer
    if payer is None or not rules.needs_authorization(referral.programme, payer, clinic=clinic):
        return None
    on = local_day(act.at, site=referral.site, clinic=clinic)
    if payer not in facts_of(gathered, on=on, clinic=clinic).consents:
        return None
    coverage = _coverage_of(gathered, payer=payer, clinic=clinic)
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
        created_at=act.at,
    )
    items = rules.requested_items(str(referral.programme), on=on, clinic=clinic)
    body = fhir.claim_resource(claim, referral=referral, items=items, clinic=clinic)
    await store.put(tx, claim, body, at=act.at)
    await _tell(tx, referral, claim, act=act, clinic=clinic)
    await follow_consent(tx, referral, gathered, act=act, clinic=clinic)
    return claim


async def _tell(tx: Transaction, referral: Referral, claim: Claim, *, act: Act, clinic: Clinic) -> None:
    payer = clinic.payer(claim.payer)
    referral.funding = f"{payer.name} has been asked to authorize the sessions; the insurer's turn."
    await keep_task(tx, referral, act=act, clinic=clinic)
    await open_work_task(
        tx,
        referral,
        code=TaskCode.DECIDE_AUTHORIZATION,
        owner=f"Organization/{payer.id}",
        reason="Sessions of a programme wait for your decision.",
        act=act,
        claim=claim,
    )
    grant = fhir.grant_parameters(claim, of=claim.id, decision=None, referral_id=referral.id)
    publishing.publish(
        tx,
        events.AUTHORIZATION_REQUESTED,
        of=claim,
        key=str(referral.patient_id),
        focus=claim.body,
        carries=[grant],
        act=act,
    )


def _coverage_of(gathered: Gathered, *, payer: str, clinic: Clinic) -> tuple[Enclosure, fhir.Resource] | None:
    for row, data in reversed(gathered.enclosures):
        if row.type != "Coverage" or data.get("status") != "active":
            continue
        for payor in data.get("payor", []):
            if fhir.payer_of(payor, within=data, known=gathered.known, clinic=clinic) == payer:
                return row, data
    return None


async def cancel_authorizations(tx: Transaction, referral: Referral, *, act: Act) -> None:
    """Cancel what is asked or granted when the referral ends."""
    for claim in await queries.live_claims(tx, referral.id):
        claim.standing, claim.status = Authorization.CANCELLED, "cancelled"
        await store.put(tx, claim, claim.body, at=act.at, overlay={"status": "cancelled"})
        publishing.publish(
            tx,
            events.AUTHORIZATION_CANCELLED,
            of=claim,
            key=str(referral.patient_id),
            focus=claim.body,
            act=act,
        )
