"""Instruments and how they are scored: from item answers only, in exact numbers.

The thresholds are data with their source: Ostelo 2008 (Spine 33:90-94) for the important changes of NPRS and
Oswestry and for the 30% from baseline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Literal

from shared.errors import Invalid, Problem

HUNDREDTH = Decimal("0.01")
OSWESTRY_SECTIONS = tuple(f"section-{number}" for number in range(1, 11))
OSWESTRY_FEWEST = 8
OSWESTRY_HIGHEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """An outcome measure; `better` is the direction in which the patient gets better.

    `important` is the smallest change that matters to patients, in points, by `source`.
    """

    id: str
    loinc: str
    name: str
    unit: str
    better: Literal["lower", "higher"]
    important: Decimal
    source: str


NPRS = Instrument(
    id="nprs",
    loinc="72514-3",
    name="Pain severity - 0-10 numeric rating",
    unit="{score}",
    better="lower",
    important=Decimal(2),
    source="Ostelo 2008",
)
OSWESTRY = Instrument(
    id="oswestry",
    loinc="97909-6",
    name="Oswestry Disability Index",
    unit="%",
    better="lower",
    important=Decimal(10),
    source="Ostelo 2008",
)
INSTRUMENTS = {instrument.id: instrument for instrument in (NPRS, OSWESTRY)}


class Band(StrEnum):
    """How far the Oswestry index says that the back disables; the last two in neutral words."""

    MINIMAL = "minimal"
    MODERATE = "moderate"
    SEVERE = "severe"
    VERY_SEVERE = "very-severe"
    EXTREME = "extreme"


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
