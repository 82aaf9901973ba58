"""Whether an act is possible now: None where it is, else the reason why not.

The verb checks the same rule as `$available-actions`, so that what is offered is never refused for its state.
"""

from dataclasses import dataclass

from services.referral.models.rows import Claim, Referral
from services.referral.rules.steps import no_step
from services.referral.rules.urgent import not_theirs, waits_for_a_clinician
from services.referral.states import (
    AUTHORIZATION_ALLOWED,
    REOPENED_BY_AN_ANSWER,
    TERMINAL,
    UNDER_CARE,
    Authorization,
    State,
)
from shared.context import Context
from shared.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFacts:
    """A referral, and whether its patient has died."""

    referral: Referral
    patient_died: bool


def is_senders(ctx: Context, referral: Referral) -> Reason | None:
    """Leave an act to the sender; a coordinator does it where the clinic has entered the referral for it."""
    if ctx.caller.party == "coordinator" and referral.came_by is None:
        return Reason.of("sender-does-this")
    return None


def may_acknowledge(ctx: Context, referral: Referral) -> Reason | None:
    """Allow it while an emergency waits for it, and again afterwards."""
    if (reason := is_senders(ctx, referral)) is not None:
        return reason
    if referral.unacknowledged or referral.state == State.EMERGENCY_ACKNOWLEDGED:
        return None
    return Reason.of("no-emergency", state=referral.state)


def may_provide_information(ctx: Context, referral: Referral) -> Reason | None:
    """Allow it until the referral has ended, but not before an emergency is acknowledged."""
    if (reason := is_senders(ctx, referral)) is not None:
        return reason
    if State(referral.state) in TERMINAL:
        return Reason.of("referral-is-over", state=referral.state)
    if referral.state == State.EMERGENCY_REDIRECTED:
        return Reason.of("acknowledge-first")
    return None


def may_communicate(ctx: Context, referral: Referral) -> Reason | None:
    """Allow it in every state but two: an emergency is acknowledged first, and what was merged is spoken of
    in the referral that goes on.
    """
    if referral.state == State.MERGED:
        return Reason.of("referral-is-over", state=referral.state)
    if referral.state == State.EMERGENCY_REDIRECTED and ctx.caller.party == "referrer":
        return Reason.of("acknowledge-first")
    return None


def may_request_another_time(ctx: Context, referral: Referral) -> Reason | None:
    """Allow it while the clinic has said yes and the care is not over."""
    if (reason := is_senders(ctx, referral)) is not None:
        return reason
    if State(referral.state) in UNDER_CARE:
        return None
    return Reason.of("not-in-this-state", act="asking", state=referral.state)


def may_revoke(ctx: Context, referral: Referral) -> Reason | None:
    """Allow it where the life cycle does, and again afterwards."""
    if (reason := is_senders(ctx, referral)) is not None:
        return reason
    if referral.state == State.REVOKED:
        return None
    return no_step(referral.state, State.REVOKED, act="ending")


def may_accept(ctx: Context, facts: ReferralFacts) -> Reason | None:
    """Allow it where the life cycle does, and of what a person may open again; if urgent to clinicians.

    A patient who has died is accepted into nothing.
    """
    referral = facts.referral
    if (reason := not_theirs(ctx, referral, accepting=True)) is not None:
        return reason
    if State(referral.state) not in REOPENED_BY_AN_ANSWER:
        reason = no_step(referral.state, State.ACCEPTED, act="accepting")
    return reason or (Reason.of("patient-died") if facts.patient_died else None)


def may_decline(ctx: Context, referral: Referral) -> Reason | None:
    """Allow it where the life cycle does."""
    return not_theirs(ctx, referral) or no_step(referral.state, State.DECLINED, act="declining")


def may_request_information(ctx: Context, referral: Referral) -> Reason | None:
    """Allow it where the life cycle does."""
    reason = not_theirs(ctx, referral, asking=True)
    return reason or no_step(referral.state, State.INFORMATION_REQUESTED, act="asking")


def may_set_priority(ctx: Context, referral: Referral) -> Reason | None:
    """Allow it until the referral has ended; of one that waits for a clinician to that clinician alone."""
    if State(referral.state) in TERMINAL:
        return Reason.of("referral-is-over", state=referral.state)
    if ctx.caller.party == "coordinator" and waits_for_a_clinician(referral):
        return Reason.of("clinician-decides", who=referral.reviewers)
    return None


def may_remind(_: Context, referral: Referral) -> Reason | None:
    """Allow it while the referrer still owes something that was asked for."""
    asked_on_the_way = bool(referral.asked) and State(referral.state) in UNDER_CARE
    if referral.state == State.INFORMATION_REQUESTED or asked_on_the_way:
        return None
    return Reason.of("nothing-asked", state=referral.state)


def may_merge(ctx: Context, referral: Referral) -> Reason | None:
    """Allow it where the life cycle does; what waits for a clinician is read by that clinician first."""
    return not_theirs(ctx, referral) or no_step(referral.state, State.MERGED, act="merging")


def may_close(ctx: Context, referral: Referral) -> Reason | None:
    """Allow it where the life cycle does; what waits for a clinician is read by that clinician first."""
    return not_theirs(ctx, referral) or no_step(referral.state, State.CLOSED, act="ending")


def may_answer(_: Context, claim: Claim) -> Reason | None:
    """Allow an insurer's decision until a denial or the end; a newer one replaces one that grants."""
    allowed = AUTHORIZATION_ALLOWED[Authorization(claim.standing)]
    return None if allowed - {Authorization.CANCELLED} else _is_decided(claim)


def may_cancel(_: Context, claim: Claim) -> Reason | None:
    """Allow an insurer to cancel until it has."""
    allowed = AUTHORIZATION_ALLOWED[Authorization(claim.standing)]
    return None if Authorization.CANCELLED in allowed else _is_decided(claim)


def _is_decided(claim: Claim) -> Reason:
    return Reason.of("claim-decided", status=claim.standing)
