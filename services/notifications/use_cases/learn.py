"""Learn what later events need: whose referral it is, which insurer is asked, the team, and the visits.

What is learned goes into the ReferralContext of the batch, which `queries.referrals.save` writes at its end.
"""

from dataclasses import replace

from services.notifications.fhir.events import News
from services.notifications.models.rows import KnownAuthorization, KnownReferral, KnownVisit
from services.notifications.queries.referrals import AuthorizationParties, ReferralContext, ReferralParties
from shared.events.inbox.handling import NotYet


def expect_referral(known: ReferralContext, referral_id: str) -> ReferralParties:
    """Find a referral; raises NotYet while `referral.received` has not come."""
    referral = known.referrals.get(referral_id)
    if referral is None:
        raise NotYet(f"referral {referral_id} was not received yet")
    return referral


def expect_authorization(known: ReferralContext, claim_id: str) -> AuthorizationParties:
    """Find an authorization; raises NotYet while `authorization.requested` has not come."""
    asked = known.claims.get(claim_id)
    if asked is None:
        raise NotYet(f"claim {claim_id} was not asked for yet")
    return asked


def referral(known: ReferralContext, received: KnownReferral) -> None:
    """Remember a referral that was received."""
    if received.id not in known.referrals:
        known.new_referrals[received.id] = received
        known.referrals[received.id] = ReferralParties(
            patient=received.patient_id, requester=received.requester, site=received.site
        )


def site(known: ReferralContext, named: KnownReferral) -> None:
    """Remember the site that cares for a referral now; raises NotYet where the referral is unknown."""
    parties = expect_referral(known, named.id)
    if parties.site != named.site:
        known.new_sites[named.id] = named.site
        known.referrals[named.id] = replace(parties, site=named.site)


def authorization(known: ReferralContext, asked: KnownAuthorization) -> None:
    """Remember an authorization that was asked for; raises NotYet where its referral is unknown."""
    expect_referral(known, asked.referral_id)
    if asked.claim_id not in known.claims:
        known.new_claims[asked.claim_id] = asked
        known.claims[asked.claim_id] = AuthorizationParties(payer=asked.payer, consented=asked.consented)


def consent(known: ReferralContext, claim_id: str, *, stands: bool) -> None:
    """Remember whether the insurer may hear of its Claim; raises NotYet where that is unknown."""
    asked = expect_authorization(known, claim_id)
    known.new_consents[claim_id] = stands
    known.claims[claim_id] = replace(asked, consented=stands)


def team(known: ReferralContext, referral_id: str, *, members: frozenset[str]) -> None:
    """Remember who is on the team now; raises NotYet where the referral is unknown."""
    expect_referral(known, referral_id)
    before = known.teams.get(referral_id, frozenset())
    left = {(referral_id, member) for member in before - members}
    joined = {(referral_id, member) for member in members - before}
    # Who comes and goes in one batch was never there for anybody else.
    known.left |= left - known.joined
    known.joined = (known.joined - left) | (joined - known.left)
    known.left -= joined
    known.teams[referral_id] = members


def visits(known: ReferralContext, news: News, of: ReferralParties) -> list[KnownVisit]:
    """Remember what an event says of visits and of a time that is offered; give the visits."""
    said = [
        KnownVisit(
            id=one.id,
            referral_id=news.referral or "",
            patient_id=of.patient,
            site=of.site,
            kind=one.kind,
            practitioner=one.practitioner,
            room=one.room,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            status=one.status,
        )
        for one in news.visits
    ]
    for visit in said:
        # Whoever was not known has been handed over by nobody.
        before = known.leads.get(visit.id, visit.practitioner)
        known.handed_over -= {visit.id}
        known.handed_over |= {visit.id} if before != visit.practitioner else set()
        known.leads[visit.id] = visit.practitioner
    known.visits += said
    known.offers += [news.offer] if news.offer is not None else []
    return said
