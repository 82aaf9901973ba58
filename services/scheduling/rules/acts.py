"""Whether an act on an appointment is possible now: None where it is, else the reason why not.

The verb checks the same rules, so that what is offered is never refused for its state.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.scheduling.models.offers import TimeOffer
from services.scheduling.models.rows import (
    Appointment,
    Guarantee,
    Referral,
    ReplanTask,
    TellingTask,
    VisitTask,
)
from services.scheduling.rules import booking, conflicts, correction, groups, moving, offers, status_change
from services.scheduling.rules.self_booking import is_outside
from services.scheduling.states import HERE, STANDING, UNTIMED, AppointmentStatus
from shared.context import Context
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

TaskFacts = Guarantee | ReplanTask | TellingTask | VisitTask | TimeOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentFacts:
    """An appointment, its referral, and every first appointment of that."""

    row: Appointment
    referral: Referral
    firsts: Sequence[Appointment]


def may_change(ctx: Context, row: Appointment) -> Reason | None:
    """Allow a coordinator every visit that they see, a clinician their own, who is outside own holds."""
    if is_outside(ctx.caller) and row.held_by != ctx.caller.client:
        return Reason.of("visit-of-another")
    if ctx.caller.party == "clinician" and row.practitioner != ctx.caller.practitioner:
        return Reason.of("visit-of-another")
    return None


def why_held(ctx: Context, row: Appointment) -> Reason | None:
    """Say why a hold is not the caller's to book or to let go; None for the caller's own, and for no hold."""
    if row.status != AppointmentStatus.PENDING or row.held_by == ctx.caller.client:
        return None
    return Reason.of("held-by-another", until=row.held_until)


def may_move(ctx: Context, facts: AppointmentFacts) -> Reason | None:
    """Allow another start for what has one."""
    why = may_change(ctx, facts.row) or moving.why_no_new_time(facts.row, referral=facts.referral)
    if why is None and facts.row.status in UNTIMED:
        return status_change.why_untimed(facts.row.status)
    return why


def may_book(ctx: Context, facts: AppointmentFacts) -> Reason | None:
    """Allow a start for what has none: a place on the waitlist, a visit whose day is promised."""
    why = may_change(ctx, facts.row) or moving.why_no_new_time(facts.row, referral=facts.referral)
    if why is None and facts.row.status not in UNTIMED:
        return Reason.of("not-on-the-waitlist")
    return why


def may_record(ctx: Context, facts: AppointmentFacts, *, status: AppointmentStatus) -> Reason | None:
    """Allow a status that the life cycle leads to, from when on it can be true, and the one that it has."""
    row, zone = facts.row, ctx.clinic.site(facts.row.site).zone
    if (why := may_change(ctx, row) or why_held(ctx, row)) is not None or row.status == status:
        return why
    return status_change.why_not_in_this_state(row, status) or status_change.why_too_early(
        row, status, now=ctx.at, zone=zone
    )


def may_leave_unseen(ctx: Context, facts: AppointmentFacts) -> Reason | None:
    """Allow that a patient who has come left without being seen."""
    why = may_change(ctx, facts.row) or why_held(ctx, facts.row)
    return why or status_change.why_nobody_left(facts.row)


def has_come(facts: AppointmentFacts) -> bool:
    """Tell a visit to which the patient has come, and that goes on, from every other."""
    return facts.row.status in HERE


def may_correct(_: Context, facts: AppointmentFacts) -> Reason | None:
    """Allow the correction of what was recorded, where it can have been a mistake."""
    why = correction.why_nothing_to_correct(facts.row, referral=facts.referral)
    return why or correction.why_stays_lost(facts.row, firsts=facts.firsts)


def is_held(facts: AppointmentFacts) -> bool:
    """Tell a time that is held from every other visit."""
    return facts.row.status == AppointmentStatus.PENDING


def may_confirm(ctx: Context, facts: AppointmentFacts) -> Reason | None:
    """Allow who holds a time to book it until the hold expires."""
    row = facts.row
    if (why := may_change(ctx, row) or why_held(ctx, row)) is not None:
        return why
    return booking.why_not_confirmed(row, referral=facts.referral, firsts=facts.firsts, now=ctx.at)


def has_a_seat(facts: AppointmentFacts) -> bool:
    """Tell a seat in a group session from every other visit."""
    return facts.row.group_session is not None


def may_cancel_group(ctx: Context, facts: AppointmentFacts) -> Reason | None:
    """Allow the end of a session in which somebody still has a seat."""
    if (why := may_change(ctx, facts.row)) is not None:
        return why
    stands = facts.row.status in (*STANDING, AppointmentStatus.PENDING)
    return None if stands else groups.NO_GROUP


def asks_to_replan(facts: TaskFacts) -> bool:
    """Tell a Task that names visits from that of a guarantee, which nobody changes by hand."""
    return isinstance(facts, ReplanTask)


def may_complete(_: Context, facts: TaskFacts) -> Reason | None:
    """Allow the end of an open Task, which is done by hand but for that of a guarantee."""
    if isinstance(facts, Guarantee | TimeOffer):
        return None
    return conflicts.why_not_ended_by_hand(facts)


def is_offer(facts: TaskFacts) -> bool:
    """Tell the offer of a freed time from all other Tasks."""
    return isinstance(facts, TimeOffer)


def may_answer(ctx: Context, facts: TaskFacts) -> Reason | None:
    """Allow an answer to an open offer until it ends."""
    return offers.why_answered(facts, now=ctx.at) if isinstance(facts, TimeOffer) else None


def asks_to_call(facts: TaskFacts) -> bool:
    """Tell a Task that asks to call who missed two visits from all others."""
    return isinstance(facts, VisitTask) and facts.code == TaskCode.RECALL


def asks_to_tell(facts: TaskFacts) -> bool:
    """Tell a Task that asks to tell a patient a day from all others."""
    return isinstance(facts, TellingTask)
