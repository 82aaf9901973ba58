"""The weeks to come of first visits: many futures at once, counted by need and days left, one step a day.

Invariants:
- The same input gives the same forecast: every draw has a seed.
- What is asked for in a future, who falls sick and which visit fails does not depend on how many visits there
  are: two runs that differ in their capacity have the same arrivals and luck, so that their difference is
  what the capacity does (common random numbers).
- A future has as many steps as days, whatever it counts.

Each day clinicians fall sick, who is due first is seen first (of a day's visits
half are for who is late already, the rest comes to them last), some visits
fail and are needed again, who is due and was not seen is a breach, and referrals arrive.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.scheduling.models.forecasts import ClinicState, Counts, Extra, Futures, Rates, Shift

FUTURES = 1000
LONGEST_LEFT = 56
"""A referral with more days left than these counts as one with so many."""
_WEEK = 7
_SEED = 20260
_LATE, _DUE_TODAY = 0, 1
# Who is late already has this part of a day's visits before all others: nobody waits for ever.
_OF_THE_LATE = 0.5
# With fewer days left there is no time for another visit when one fails.
_SECOND_TRY = 4


def futures(
    state: ClinicState,
    rates: Rates,
    *,
    weeks: int,
    number: int = FUTURES,
    extra: Sequence[Extra] = (),
) -> Futures:
    """Play so many futures of a clinic for so many weeks."""
    run = _Run(state, rates, weeks=weeks, number=number, extra=extra)
    for day in range(weeks * _WEEK):
        run.step(day)
    return Futures(needs=state.needs, breaches=run.breaches, demand=run.demand, capacity=run.capacity)


def extra_on(extra: Extra, day: int, working: Sequence[bool]) -> int:
    """Count the visits that are added on a day: those of a week are spread evenly over its working days."""
    week, begins = day // _WEEK, day // _WEEK * _WEEK
    if week + 1 < extra.from_week or not working[day]:
        return 0
    worked = sum(working[begins : begins + _WEEK])
    before = sum(working[begins:day])
    return extra.visits * (before + 1) // worked - extra.visits * before // worked


class _Run:
    """The futures of a clinic as they stand on a day.

    `_waiting` counts by future, need and place: place 0 is late, place n has n - 1 days left.
    """

    def __init__(
        self, state: ClinicState, rates: Rates, *, weeks: int, number: int, extra: Sequence[Extra]
    ) -> None:
        self._state, self._rates, self._extra = state, rates, extra
        self._number = number
        shape = (number, len(state.needs), weeks)
        self.breaches: Counts = np.zeros(shape, dtype=np.int64)
        self.demand: Counts = np.zeros(shape, dtype=np.int64)
        self.capacity = np.zeros(shape)
        arrivals, luck, sickness = np.random.SeedSequence(_SEED).spawn(3)
        self._arrivals = _Arrivals(state, rates, weeks=weeks, number=number, seed=arrivals)
        self._luck, self._sickness = np.random.default_rng(luck), np.random.default_rng(sickness)
        self._waiting = np.zeros((number, len(state.needs), _places(state, rates)), dtype=np.int32)
        for (need, due_on), count in state.waiting.items():
            self._waiting[:, state.needs.index(need), _place(due_on, state.first_day)] += count
        self._groups, self._booked = _groups(state), _booked_by_day(state)
        # Who is booked for a day after the due day is a breach whatever happens.
        for (need, due_on, day), count in state.booked.items():
            due = (due_on - state.first_day).days
            if 0 <= due < weeks * _WEEK and day > due_on:
                self.breaches[:, state.needs.index(need), due // _WEEK] += count

    def step(self, day: int) -> None:
        """Play one day of every future."""
        week, before = day // _WEEK, self._waiting.copy()
        for needs, free in self._free(day):
            self.capacity[:, needs, week] += free[:, None] / len(needs)
            self._see(needs, free)
        seen = before - self._waiting
        again = self._some_of(seen, self._rates.failed)
        self._add_breaches(self._some_of(seen - again, self._rates.slipped), day)
        self._see_booked(day, again)
        self._too_late_for_another(again, day)
        self._waiting += again
        self.breaches[:, :, week] += self._waiting[:, :, _DUE_TODAY]
        self._next_day()
        self.demand[:, :, week] += self._arrivals.add_to(self._waiting, day)

    def _free(self, day: int) -> Iterator[tuple[list[int], NDArray[np.int32]]]:
        """Go through the visits of a day by the needs that they are for, less those of who fell sick."""
        for needs, shifts in self._groups:
            visits = np.array([shift.visits[day] for shift in shifts], dtype=np.int32)
            is_there = (
                self._sickness.random((self._number, len(shifts)), dtype=np.float32) >= self._rates.sick
            )
            yield needs, is_there @ visits
        for extra in self._extra:
            if added := extra_on(extra, day, self._state.working):
                yield [self._state.needs.index(extra.need)], np.full(self._number, added, dtype=np.int32)

    def _see(self, needs: list[int], free: NDArray[np.int32]) -> None:
        """Give the visits of a day to who is due first, of these needs together.

        Who is late has a part of them before all others, and what is left over.
        """
        waiting = self._waiting[:, needs, :]
        late_first = _in_turn(waiting[:, :, :1], (free * _OF_THE_LATE).astype(np.int32))
        waiting[:, :, :1] -= late_first
        seen = _in_turn(np.roll(waiting, -1, axis=2), free - late_first.sum(axis=(1, 2), dtype=np.int32))
        self._waiting[:, needs, :] = waiting - np.roll(seen, 1, axis=2)

    def _some_of(self, counts: NDArray[np.int32], share: float) -> NDArray[np.int32]:
        """Draw which of these are a share: one draw for each count, whatever it is."""
        luck = self._luck.random(counts.shape, dtype=np.float32)
        some: NDArray[np.int32] = np.floor(counts * np.float32(share) + luck).astype(np.int32)
        return np.minimum(some, counts)

    def _add_breaches(self, late: NDArray[np.int32], day: int) -> None:
        """Count who is not seen by the due day, in the week of that day; who was late before is counted."""
        for week in range(day // _WEEK, self.breaches.shape[2]):
            begins = max(_DUE_TODAY, week * _WEEK - day + _DUE_TODAY)
            if begins >= late.shape[2]:
                break
            ends = (week + 1) * _WEEK - day + _DUE_TODAY
            self.breaches[:, :, week] += late[:, :, begins:ends].sum(axis=2)

    def _too_late_for_another(self, again: NDArray[np.int32], day: int) -> None:
        """Count whose visit fails a few days before the due day as late: there is no time for another."""
        few = again.copy()
        few[:, :, _DUE_TODAY + _SECOND_TRY :] = 0
        self._add_breaches(few, day)
        again[:, :, _LATE] += few[:, :, _DUE_TODAY:].sum(axis=2)
        again[:, :, _DUE_TODAY : _DUE_TODAY + _SECOND_TRY] = 0

    def _see_booked(self, day: int, again: NDArray[np.int32]) -> None:
        """Add to `again` who has a visit on a day that fails; a clinician who falls sick fails them too."""
        for need, place, number in self._booked.get(day, ()):
            failed = number * (self._rates.failed + self._rates.sick)
            again[:, need, place] += np.floor(failed + self._luck.random(self._number)).astype(np.int32)

    def _next_day(self) -> None:
        """Let a day pass: everybody has a day less left, who was due today is late."""
        self._waiting[:, :, _LATE] += self._waiting[:, :, _DUE_TODAY]
        self._waiting[:, :, _DUE_TODAY:-1] = self._waiting[:, :, _DUE_TODAY + 1 :]
        self._waiting[:, :, -1] = 0


class _Arrivals:
    """Draws referrals: a rate for each future and need, a factor for each week, then Poisson by day."""

    def __init__(
        self, state: ClinicState, rates: Rates, *, weeks: int, number: int, seed: np.random.SeedSequence
    ) -> None:
        self._draw = np.random.default_rng(seed)
        known = [rates.arrivals[need] for need in state.needs]
        shapes = np.array([rate.shape for rate in known])
        weekly = np.array([rate.weekly for rate in known])
        self._weekly = self._draw.gamma(shapes, weekly / shapes, size=(number, len(known)))
        self._factors = self._draw.gamma(rates.evenness, 1 / rates.evenness, size=(number, weeks))
        self._weekdays, self._first = rates.weekdays, state.first_day.weekday()
        self._places = [_cumulative(rate.days_left) for rate in known]

    def add_to(self, waiting: NDArray[np.int32], day: int) -> Counts:
        """Let the referrals of a day join those who wait on the next one; returns how many there are."""
        share = self._weekdays[(self._first + day) % _WEEK]
        arrived = self._draw.poisson(self._weekly * self._factors[:, day // _WEEK, None] * share)
        for need, (places, shares) in enumerate(self._places):
            of = np.repeat(np.arange(len(arrived)), arrived[:, need])
            picked = places[np.searchsorted(shares, self._draw.random(len(of)), side="right")]
            np.add.at(waiting[:, need, :], (of, picked), 1)
        return arrived


def _in_turn(queue: NDArray[np.int32], free: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give so many visits to a queue by future, need and place: the first place first, of all its needs."""
    by_place = queue.transpose(0, 2, 1)
    behind = by_place.reshape(len(queue), -1).cumsum(axis=1, dtype=np.int32).reshape(by_place.shape)
    given: NDArray[np.int32] = np.clip(free[:, None, None] - (behind - by_place), 0, by_place)
    return given.transpose(0, 2, 1)


def _cumulative(days_left: Mapping[int, float]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Turn shares by days left into places on the next day and cumulative shares, the last one open."""
    days = sorted(days_left)
    shares = np.cumsum([days_left[one] for one in days])
    places = np.clip(np.array(days, dtype=np.intp), _DUE_TODAY, LONGEST_LEFT)
    return places, shares[:-1] / shares[-1]


def _place(due_on: date, day: date) -> int:
    """Name the place of who is due on a day."""
    return max(_LATE, min((due_on - day).days, LONGEST_LEFT) + _DUE_TODAY)


def _places(state: ClinicState, rates: Rates) -> int:
    """Count the places that anybody can stand at: the fewer, the faster."""
    waiting = [_place(due_on, state.first_day) for _, due_on in state.waiting]
    booked = [_place(due_on, day) for _, due_on, day in state.booked]
    arriving = [min(max(rate.days_left), LONGEST_LEFT) for rate in rates.arrivals.values()]
    return max(waiting + booked + arriving, default=_DUE_TODAY) + 1 + _DUE_TODAY


def _groups(state: ClinicState) -> list[tuple[list[int], list[Shift]]]:
    """Gather the clinicians who take the same needs, those who take the fewest first."""
    kinds = sorted({shift.takes for shift in state.shifts}, key=lambda takes: (len(takes), takes))
    return [
        ([state.needs.index(need) for need in takes], [one for one in state.shifts if one.takes == takes])
        for takes in kinds
    ]


def _booked_by_day(state: ClinicState) -> dict[int, list[tuple[int, int, int]]]:
    """Gather by day the visits that have a patient: need, place on that day, number."""
    found: dict[int, list[tuple[int, int, int]]] = {}
    for (need, due_on, day), count in sorted(state.booked.items()):
        entry = (state.needs.index(need), _place(due_on, day), count)
        found.setdefault((day - state.first_day).days, []).append(entry)
    return found
