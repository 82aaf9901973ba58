"""Red flags: only an emergency is a hard stop, every other one is looked at by a person the same day."""

from services.referral.models import EMERGENCY_FLAGS, URGENT_FLAGS, Facts, Finding, Missing

YES, NO, UNKNOWN = "Y", "N", "UNK"


def emergencies(facts: Facts) -> tuple[Finding, ...]:
    """Name each emergency flag that was answered with yes."""
    return tuple(
        Finding(
            rule=f"emergency-{flag}",
            text=f"Red flag, send the patient to the nearest emergency department: {words}.",
            elements=(facts.element(flag),),
        )
        for flag, words in EMERGENCY_FLAGS.items()
        if facts.answers.get(flag) == YES
    )


def urgencies(facts: Facts) -> tuple[Finding, ...]:
    """Name each urgent flag that was answered with yes."""
    return tuple(
        Finding(
            rule=f"urgent-{flag}",
            text=f"Red flag, a clinician looks at it today: {words}.",
            elements=(facts.element(flag),),
        )
        for flag, words in URGENT_FLAGS.items()
        if facts.answers.get(flag) == YES
    )


def unknowns(facts: Facts) -> tuple[Finding, ...]:
    """Name each flag that the sender could not answer: a person decides, "unknown" is not "no"."""
    flags = EMERGENCY_FLAGS | URGENT_FLAGS
    return tuple(
        Finding(
            rule=f"unknown-{flag}",
            text=f"Not known to the sender: {words}.",
            elements=(facts.element(flag),),
        )
        for flag, words in flags.items()
        if facts.answers.get(flag) == UNKNOWN
    )


def unanswered(facts: Facts) -> tuple[Missing, ...]:
    """Name each flag without an answer."""
    flags = EMERGENCY_FLAGS | URGENT_FLAGS
    return tuple(
        Missing(code=flag, text=f"whether there is {words}", element=facts.element(flag))
        for flag, words in flags.items()
        if facts.answers.get(flag) is None
    )
