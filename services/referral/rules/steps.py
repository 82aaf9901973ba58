"""What may follow what: commands are refused with the reason, late events are ignored by rule."""

from collections.abc import Sequence

from services.referral import texts
from services.referral.models.facts import Finding
from services.referral.models.rows import Referral
from services.referral.states import TERMINAL, UNDER_CARE, State, may
from shared.errors import Conflict, Refusal
from shared.reasons import Reason, Words


class Refused(Conflict):
    """The referral's state does not allow the act."""


def no_step(now: str, to: State, *, act: str) -> Reason | None:
    """Say why the life cycle does not have an act now; None where it has."""
    return None if may(State(now), to) else Reason.of("not-in-this-state", act=act, state=now)


def check(
    reason: Reason | None,
    *,
    refusal: type[Refusal] = Refused,
    of: str = "ServiceRequest",
    words: Words = texts.WORDS,
) -> None:
    """Refuse an act for the reason why it is not possible now."""
    if reason is not None:
        raise refusal.because(reason, texts.REASONS, expression=of, words=words)


# The rule that stands -> the rule by which a person reads an answer, and the reason of it.
_READ_BY_A_PERSON = {
    "declined-by-a-person": ("answer-to-a-decline", Reason.of("answered-a-decline")),
    "asked-by-a-person": ("answer-to-a-question", Reason.of("answered-a-question")),
}
_AFTER_AN_EMERGENCY = ("answer-after-an-emergency", Reason.of("answered-after-emergency"))
# What nobody has read yet is not left to the rules when more comes.
_UNREAD = {
    read[0]: read
    for read in (
        *_READ_BY_A_PERSON.values(),
        _AFTER_AN_EMERGENCY,
        ("record-not-in-use", Reason.of("record-not-in-use")),
        ("record-replaced", Reason.of("record-replaced")),
    )
}


def answer_for_a_person(referral: Referral) -> Finding | None:
    """Say why a person decides about an answer and not the rules alone: a person declined or asked, an
    emergency was acknowledged, or an earlier such answer is unread; None where the rules had decided.
    """
    waiting = _READ_BY_A_PERSON | _UNREAD
    found = [waiting[fired.rule] for fired in referral.rules if fired.rule in waiting]
    if referral.state == State.EMERGENCY_ACKNOWLEDGED:
        found = [_AFTER_AN_EMERGENCY]
    if not found:
        return None
    rule, reason = found[0]
    return Finding(rule=rule, reasons=(reason,), elements=("ServiceRequest",))


def is_after_an_emergency(person: Finding | None) -> bool:
    """Tell whether a person is to read an answer because the referral was an emergency."""
    return person is not None and person.rule == _AFTER_AN_EMERGENCY[0]


def is_known_emergency(findings: Sequence[Finding], *, told_before: Sequence[str]) -> bool:
    """Tell whether every one of these flags was told to the referrer, who has acknowledged them."""
    return all(finding.rule in told_before for finding in findings if finding.rule.startswith("emergency-"))


_S = State
_BEFORE_ASSESSED = UNDER_CARE - {_S.ASSESSED, _S.IN_PROGRAMME}
_UNTIL_ASSESSED = _BEFORE_ASSESSED | {_S.ASSESSED}

# What scheduling and careteam tell us -> (the states in which it changes something, the state it leads to).
_STEPS: dict[str, tuple[frozenset[State], State]] = {
    "appointment.booked": (_BEFORE_ASSESSED, _S.BOOKED),
    "appointment.moved": (_BEFORE_ASSESSED, _S.BOOKED),
    "appointment.cancelled": (_BEFORE_ASSESSED, _S.APPOINTMENT_CANCELLED),
    "appointment.missed": (_BEFORE_ASSESSED, _S.MISSED),
    "appointment.fulfilled": (_BEFORE_ASSESSED, _S.ASSESSED),
    # What was recorded by mistake is right now, as the visit's status says.
    "appointment.corrected/booked": (_UNTIL_ASSESSED, _S.BOOKED),
    "appointment.corrected/arrived": (_UNTIL_ASSESSED, _S.BOOKED),
    "appointment.corrected/checked-in": (_UNTIL_ASSESSED, _S.BOOKED),
    "appointment.corrected/noshow": (_UNTIL_ASSESSED, _S.MISSED),
    "appointment.corrected/fulfilled": (_UNTIL_ASSESSED, _S.ASSESSED),
    "guarantee.promised": (_BEFORE_ASSESSED, _S.AWAITING_BOOKING),
    "waitlist.joined": (_BEFORE_ASSESSED, _S.WAITLISTED),
    "waitlist.left": (frozenset({_S.WAITLISTED}), _S.AWAITING_BOOKING),
    "plan.activated": (frozenset({_S.ASSESSED}), _S.IN_PROGRAMME),
    "patient.discharged": (frozenset({_S.IN_PROGRAMME}), _S.DISCHARGED),
}
_WAITS_FOR: dict[str, frozenset[State]] = {
    "plan.activated": _BEFORE_ASSESSED,
    "patient.discharged": _BEFORE_ASSESSED | {_S.ASSESSED},
}


def comes_too_late(state: str) -> bool:
    """Tell whether a referral has ended, so that what is still said about it changes nothing."""
    return State(state) in TERMINAL


def following(state: str, event: str) -> State | None:
    """Give the state that an event leads to, None where it changes nothing."""
    changes, leads_to = _STEPS[event]
    return leads_to if State(state) in changes else None


def comes_too_early(state: str, event: str) -> bool:
    """Tell whether something that must come first has not been heard yet."""
    return State(state) in _WAITS_FOR.get(event, frozenset())
