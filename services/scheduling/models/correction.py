"""A correction of what was recorded by mistake, as the version of the appointment that it makes says it."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.reasons import Reason


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What was recorded, why that was wrong, what of its consequences is taken back, and what remains."""

    was: str
    because: Sequence[Reason]
    taken_back: Sequence[Reason] = ()
    remains: Sequence[Reason] = ()
