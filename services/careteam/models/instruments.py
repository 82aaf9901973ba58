"""The outcome measures and what a score means: values that the rules make and FHIR renders.

The important changes of NPRS and Oswestry, and the 30% from baseline, are those of Ostelo 2008 (Spine
33:90-94).
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

OSWESTRY_SECTIONS = tuple(f"section-{number}" for number in range(1, 11))
OSWESTRY_HIGHEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """An outcome measure; `better` is the direction in which the patient gets better.

    A score lies between `lowest` and `highest`. `important` is the smallest change that matters to
    patients, in points, by `source`.
    """

    id: str
    loinc: str
    name: str
    unit: str
    lowest: Decimal
    highest: Decimal
    better: Literal["lower", "higher"]
    important: Decimal
    source: str


NPRS = Instrument(
    id="nprs",
    loinc="72514-3",
    name="Pain severity - 0-10 numeric rating",
    unit="{score}",
    lowest=Decimal(0),
    highest=Decimal(10),
    better="lower",
    important=Decimal(2),
    source="Ostelo 2008",
)
OSWESTRY = Instrument(
    id="oswestry",
    loinc="97909-6",
    name="Oswestry Disability Index",
    unit="%",
    lowest=Decimal(0),
    highest=Decimal(100),
    better="lower",
    important=Decimal(10),
    source="Ostelo 2008",
)
# The screening tool is no outcome measure: it has no baseline, no goal and no review.
START_BACK = "start-back"
INSTRUMENTS = {instrument.id: instrument for instrument in (NPRS, OSWESTRY)}


class Band(StrEnum):
    """How far the Oswestry index says that the back disables; the last two in neutral words."""

    MINIMAL = "minimal"
    MODERATE = "moderate"
    SEVERE = "severe"
    VERY_SEVERE = "very-severe"
    EXTREME = "extreme"


class Trend(StrEnum):
    """Goal.achievementStatus's own words for a direction."""

    IMPROVING = "improving"
    NO_CHANGE = "no-change"
    WORSENING = "worsening"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreChange:
    """A score against its baseline.

    `change` is score less baseline as it stands; `improvement` the same in the better direction, `percent` of
    the baseline (None where the baseline is 0). `important` says that the improvement reaches the important
    change, `importantly_worse` the opposite, `responder` that it reaches 30% of the baseline.
    """

    baseline: Decimal
    score: Decimal
    change: Decimal
    improvement: Decimal
    percent: Decimal | None
    trend: Trend
    important: bool
    importantly_worse: bool
    responder: bool

    @property
    def off_track(self) -> bool:
        """Better by less than 30% and less than the important change, or worse by it."""
        if self.baseline == 0:
            return self.importantly_worse
        return self.importantly_worse or not (self.important or self.responder)
