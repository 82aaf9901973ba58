"""How the instruments are scored: from item answers only, in exact numbers."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from services.careteam.models.instruments import OSWESTRY_HIGHEST, OSWESTRY_SECTIONS, Band
from shared.errors import Invalid, Problem

HUNDREDTH = Decimal("0.01")
OSWESTRY_FEWEST = 8


_BANDS = (
    (Decimal(20), Band.MINIMAL),
    (Decimal(40), Band.MODERATE),
    (Decimal(60), Band.SEVERE),
    (Decimal(80), Band.VERY_SEVERE),
)


class Unscorable(Invalid):
    """The answers give no score."""


def nprs_score(answer: object, *, expression: str) -> Decimal:
    """Take the answer of the 0-10 pain rating as its score; raises Unscorable."""
    if isinstance(answer, bool) or not isinstance(answer, int) or not 0 <= answer <= 10:
        raise Unscorable("the pain rating is a whole number from 0 to 10", expression=expression)
    return Decimal(answer)


def oswestry_score(answers: Mapping[str, int]) -> Decimal:
    """Score the Oswestry sections that were answered: sum / (5 x answered) x 100; raises Unscorable."""
    if len(answers) < OSWESTRY_FEWEST:
        raise Unscorable(
            f"{len(answers)} of 10 sections are answered; fewer than {OSWESTRY_FEWEST} cannot be scored",
            expression="QuestionnaireResponse.item",
        )
    problems = [
        Problem(
            text=f"{section} is answered from 0 to {OSWESTRY_HIGHEST}",
            expression=f"QuestionnaireResponse.item.where(linkId='{section}').answer",
        )
        for section, answer in answers.items()
        if section not in OSWESTRY_SECTIONS or not 0 <= answer <= OSWESTRY_HIGHEST
    ]
    if problems:
        raise Unscorable(problems=problems)
    percent = Decimal(sum(answers.values()) * 100) / Decimal(OSWESTRY_HIGHEST * len(answers))
    return percent.quantize(HUNDREDTH, rounding=ROUND_HALF_UP)


def oswestry_band(score: Decimal) -> Band:
    """Name the band of a percent score: 20 is minimal, 20.01 moderate."""
    for highest, band in _BANDS:
        if score <= highest:
            return band
    return Band.EXTREME
