"""Red flags: only an emergency is a hard stop, every other one is looked at by a person the same day."""

from collections.abc import Mapping

from services.referral.models import EMERGENCY_FLAGS, URGENT_FLAGS, Facts, Finding, Missing

YES, NO, UNKNOWN = "Y", "N", "UNK"
_FLAGS = EMERGENCY_FLAGS | URGENT_FLAGS


def emergencies(facts: Facts) -> tuple[Finding, ...]:
    """Name each emergency flag that was answered with yes."""
    text = "Red flag, send the patient to the nearest emergency department: {}."
    return _answered(YES, EMERGENCY_FLAGS, facts, rule="emergency", text=text)


def urgencies(facts: Facts) -> tuple[Finding, ...]:
    """Name each urgent flag that was answered with yes."""
    text = "Red flag, a clinician looks at it today: {}."
    return _answered(YES, URGENT_FLAGS, facts, rule="urgent", text=text)


def unknowns(facts: Facts) -> tuple[Finding, ...]:
    """Name each flag that the sender could not answer: a person decides, "unknown" is not "no"."""
    return _answered(UNKNOWN, _FLAGS, facts, rule="unknown", text="Not known to the sender: {}.")


def _answered(
    answer: str, flags: Mapping[str, str], facts: Facts, *, rule: str, text: str
) -> tuple[Finding, ...]:
    return tuple(
        Finding(rule=f"{rule}-{flag}", text=text.format(words), elements=(facts.element(flag),))
        for flag, words in flags.items()
        if facts.answers.get(flag) == answer
    )


def unanswered(facts: Facts) -> tuple[Missing, ...]:
    """Name each flag without an answer."""
    return tuple(
        Missing(code=flag, text=f"whether there is {words}", element=facts.element(flag))
        for flag, words in _FLAGS.items()
        if facts.answers.get(flag) is None
    )
