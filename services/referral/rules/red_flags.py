"""Red flags: only an emergency is a hard stop, every other one is looked at by a person the same day."""

from collections.abc import Iterable

from services.referral.models.facts import Facts, Finding, Missing
from services.referral.models.questions import EMERGENCY_FLAGS, FLAGS, UNKNOWN, URGENT_FLAGS, YES
from shared.reasons import Reason


def emergencies(facts: Facts) -> tuple[Finding, ...]:
    """Name each emergency flag that was answered with yes."""
    return tuple(
        _finding(f"emergency-{flag}", Reason.of("emergency-flag", flag=flag), flag, facts)
        for flag in _answered(YES, EMERGENCY_FLAGS, facts)
    )


def urgencies(facts: Facts) -> tuple[Finding, ...]:
    """Name each urgent flag that was answered with yes."""
    return tuple(
        _finding(f"urgent-{flag}", Reason.of("urgent-flag", flag=flag), flag, facts)
        for flag in _answered(YES, URGENT_FLAGS, facts)
    )


def unknowns(facts: Facts) -> tuple[Finding, ...]:
    """Name each flag that the sender could not answer: a person decides, "unknown" is not "no"."""
    return tuple(
        _finding(f"unknown-{flag}", Reason.of("unknown-flag", flag=flag), flag, facts)
        for flag in _answered(UNKNOWN, FLAGS, facts)
    )


def unanswered(facts: Facts) -> tuple[Missing, ...]:
    """Name each flag without an answer."""
    return tuple(Missing(code=flag, element=facts.element(flag)) for flag in _answered(None, FLAGS, facts))


def _answered(answer: str | None, flags: Iterable[str], facts: Facts) -> list[str]:
    return [flag for flag in flags if facts.answers.get(flag) == answer]


def _finding(rule: str, reason: Reason, flag: str, facts: Facts) -> Finding:
    return Finding(rule=rule, reasons=(reason,), elements=(facts.element(flag),))
