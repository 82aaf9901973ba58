"""Better or worse: change from baseline, the important change, the 30% rule, and who is off track.

Improvement is counted in the instrument's own direction, so that a rising pain rating is never good news.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from services.careteam.models.instruments import INSTRUMENTS, Instrument, ScoreChange, Trend
from services.careteam.models.rows import Outcome

RESPONDER_PERCENT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a review knows of one instrument: baseline and newest score, and when that was measured."""

    baseline: Decimal
    newest: Decimal
    newest_at: datetime
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a review finds: instruments that are off track, and those that nobody measured since the last."""

    off_track: Sequence[str]
    missing: Sequence[str]


def progress(instrument: Instrument, *, baseline: Decimal, score: Decimal) -> ScoreChange:
    """Compare a score with its baseline."""
    change = score - baseline
    improvement = -change if instrument.better == "lower" else change
    return ScoreChange(
        baseline=baseline,
        score=score,
        change=change,
        improvement=improvement,
        percent=_percent(improvement, baseline=baseline),
        trend=_trend(improvement),
        important=improvement >= instrument.important,
        importantly_worse=-improvement >= instrument.important,
        responder=baseline > 0 and improvement * 100 >= baseline * RESPONDER_PERCENT,
    )


def measured(outcomes: Sequence[Outcome]) -> dict[str, Measured]:
    """Sum up what was measured, by outcome measure; the outcomes come in order, each baseline first."""
    found: dict[str, Measured] = {}
    for outcome in [one for one in outcomes if one.instrument in INSTRUMENTS]:
        baseline = outcome.score if outcome.baseline else found[outcome.instrument].baseline
        found[outcome.instrument] = Measured(
            baseline=baseline,
            newest=outcome.score,
            newest_at=outcome.effective_at,
            repeated=not outcome.baseline,
        )
    return found


def baseline_of(outcomes: Sequence[Outcome], *, instrument: Instrument) -> Outcome | None:
    """Find the first score of an instrument."""
    return next((found for found in outcomes if found.baseline and found.instrument == instrument.id), None)


def first_and_last(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the baselines, and then the last score of each instrument that was measured again."""
    baselines = [outcome for outcome in outcomes if outcome.baseline]
    last = {outcome.instrument: outcome for outcome in outcomes if not outcome.baseline}
    again = [last[baseline.instrument] for baseline in baselines if baseline.instrument in last]
    return [*baselines, *again]


def review(measured: Mapping[str, Measured], *, since: datetime) -> Review:
    """Judge the newest scores at a review; `since` is the review before, or the plan's start.

    An instrument that has a baseline and no later score since then is missing; where no instrument has one,
    all are.
    """
    missing = [name for name, found in measured.items() if not found.repeated or found.newest_at < since]
    judged = [name for name in measured if name not in missing]
    off_track = [
        name
        for name in judged
        if progress(
            INSTRUMENTS[name], baseline=measured[name].baseline, score=measured[name].newest
        ).off_track
    ]
    return Review(off_track=off_track, missing=missing if measured else list(INSTRUMENTS))


def review_time(activated_at: datetime, *, weeks: int, zone: ZoneInfo) -> datetime:
    """Return when the review of a week is due: the same wall-clock time, whole weeks after the activation."""
    local = activated_at.astimezone(zone).replace(tzinfo=None) + timedelta(weeks=weeks)
    return local.replace(tzinfo=zone)


def _percent(improvement: Decimal, *, baseline: Decimal) -> Decimal | None:
    if baseline == 0:
        return None
    return (improvement * 100 / baseline).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)


def _trend(improvement: Decimal) -> Trend:
    if improvement == 0:
        return Trend.NO_CHANGE
    return Trend.IMPROVING if improvement > 0 else Trend.WORSENING
