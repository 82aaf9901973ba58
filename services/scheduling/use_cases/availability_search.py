"""Find the earliest fitting times for several visits at once, and take them.

What is taken is read slice by slice, for all needs of a round in one statement; whoever loses a time to
somebody else looks again. Where a whole slice is full, the next search of this process begins behind it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import NOTHING_TAKEN, Span, Taken
from services.scheduling.rules.candidates import Candidate, Openings
from services.scheduling.use_cases import record
from services.scheduling.use_cases.availability_cache import AvailabilityCache, KeptNeed
from shared.db import Transaction

# Days of the slices in which time is looked for, the last one goes on: most searches end in the first.
_LENGTHS = (1, 1, 2, 4, 7)


@dataclass(kw_only=True)
class BookingRequest:
    """A visit that wants the earliest time in its window.

    `never` is when the patient cannot come, `barred` when not with a clinician or in a room.
    """

    row: Appointment
    kept: KeptNeed
    window: Span
    never: list[Span]
    barred: Taken = field(default_factory=lambda: NOTHING_TAKEN)
    candidate: Candidate | None = None


@dataclass
class DaySlice:
    """A few days of an AvailabilityWindow; `full` where nothing in them is free any more."""

    span: Span
    openings: Openings
    full: bool = False


@dataclass
class AvailabilityWindow:
    """What is taken of one need's people and rooms, as far as it was read, and what was chosen meanwhile.

    Nothing is free from `full_from` to the beginning of its bounds.
    """

    kept: KeptNeed
    bounds: Span
    full_from: datetime
    slices: list[DaySlice] = field(default_factory=list)

    def next_span(self) -> Span:
        """Return the slice that is to be read next; an empty one at the end of every request's window."""
        start = self._read_until
        zone = self.kept.need.site.zone
        days = _LENGTHS[min(len(self.slices), len(_LENGTHS) - 1)]
        end = rules.calendar.local_day_start(start.astimezone(zone).date() + rules.calendar.DAY * days, zone)
        return Span(start, max(start, min(end, self.bounds.end)))

    def choose(self, request: BookingRequest, *, but: Sequence[Span]) -> bool:
        """Choose the earliest time for a visit in what was read, and return whether there is one."""
        never = [*request.never, *but]
        for part in self.slices:
            start, end = max(part.span.start, request.window.start), min(part.span.end, request.window.end)
            if part.full or start >= end:
                continue
            found = part.openings.first(never=never, barred=request.barred, window=Span(start, end))
            if found is not None:
                request.candidate = found
                part.openings.take(found)
                return True
            part.full = part.openings.first(window=part.span) is None
        return False

    def is_read_to(self, request: BookingRequest) -> bool:
        """Tell whether everything in the window of a visit was read."""
        return self._read_until >= request.window.end

    @property
    def full_until(self) -> datetime:
        """The moment before which nothing is free, as far as it was read."""
        first = next((part.span.start for part in self.slices if not part.full), None)
        return first or self._read_until

    @property
    def _read_until(self) -> datetime:
        return self.slices[-1].span.end if self.slices else self.bounds.start


async def take_earliest(
    tx: Transaction, requests: Sequence[BookingRequest], *, cache: AvailabilityCache, at: datetime
) -> None:
    """Take the earliest time for each visit in order, and put it into its row; `at` is now.

    A request whose `candidate` stays None finds no time.
    """
    freed = await queries.occupancy.freed(tx, {request.kept.need.site.id for request in requests})
    windows = _windows(requests, freed)
    left = list(requests)
    while left:
        await _exclude_what_patients_have(tx, left, cache=cache, at=at)
        await _choose(tx, left, windows, at=at)
        left = await _claim(tx, left, at=at)
        for request in left:
            windows[id(request.kept)].slices.clear()
    for window in windows.values():
        _remember(tx, window, freed=freed.get(window.kept.need.site.id, 0))


async def _choose(
    tx: Transaction,
    requests: Sequence[BookingRequest],
    windows: Mapping[int, AvailabilityWindow],
    *,
    at: datetime,
) -> None:
    await _read(tx, [window for window in windows.values() if not window.slices], at=at)
    chosen: dict[str, list[Span]] = defaultdict(list)
    for request in requests:
        window, mine = windows[id(request.kept)], chosen[request.row.patient_id]
        while not window.choose(request, but=mine) and not window.is_read_to(request):
            await _read(tx, [window], at=at)
        if request.candidate is not None:
            mine.append(request.candidate.span)


async def _claim(
    tx: Transaction, requests: Sequence[BookingRequest], *, at: datetime
) -> list[BookingRequest]:
    """Claim what was chosen, and return those whose time somebody else took meanwhile, or held too long."""
    chosen = [(request, request.candidate) for request in requests if request.candidate is not None]
    claims = [record.claim_of(request.row, candidate) for request, candidate in chosen]
    won = await queries.occupancy.claim_each(tx, claims) if claims else set()
    if unclaimed := [claim for claim in claims if claim.appointment not in won]:
        await queries.occupancy.drop_expired(tx, unclaimed, at=at)
    lost = []
    for request, candidate in chosen:
        if request.row.id in won:
            record.put_into(request.row, candidate)
        else:
            request.candidate = None
            lost.append(request)
    return lost


async def _read(tx: Transaction, windows: Sequence[AvailabilityWindow], *, at: datetime) -> None:
    asked = [(window.kept.need.resources, window.next_span()) for window in windows]
    found = await queries.occupancy.taken_in(tx, asked, at=at)
    for window, (_, span), taken in zip(windows, asked, found, strict=True):
        window.slices.append(DaySlice(span, Openings(window.kept.need, taken=taken, span=span)))


def _windows(requests: Sequence[BookingRequest], freed: Mapping[str, int]) -> dict[int, AvailabilityWindow]:
    """Begin a window for each need, behind what is known to be full."""
    windows: dict[int, AvailabilityWindow] = {}
    for request in requests:
        kept = request.kept
        start, end = request.window
        full_from = start
        if kept.is_full_at(start, freed=freed.get(kept.need.site.id, 0)):
            full_from, start = kept.full_from or start, kept.full_until or start
        bounds = Span(start, max(start, end))
        if (known := windows.get(id(kept))) is not None:
            bounds = Span(min(known.bounds.start, start), max(known.bounds.end, bounds.end))
            full_from = min(known.full_from, full_from)
        windows[id(kept)] = AvailabilityWindow(kept, bounds, full_from)
    return windows


def _remember(tx: Transaction, window: AvailabilityWindow, *, freed: int) -> None:
    """Begin behind the slices that are full, once it is certain that they are."""
    kept, until = window.kept, window.full_until

    def keep() -> None:
        # Who may come sooner than others begins before what these know to be full, and may find a time there.
        is_less = kept.freed == freed and kept.full_until is not None and until <= kept.full_until
        if not is_less:
            kept.full_from, kept.full_until, kept.freed = window.full_from, until, freed

    tx.after_commit(f"remember {id(kept)}", keep)


async def _exclude_what_patients_have(
    tx: Transaction, requests: Sequence[BookingRequest], *, cache: AvailabilityCache, at: datetime
) -> None:
    known = cache.resources
    needed = {resource for request in requests for resource in request.kept.need.resources} - known
    patients = {rules.needs.patient_key(request.row.patient_id) for request in requests}
    new = await queries.occupancy.know_resources(tx, needed | patients)
    tx.after_commit("remember resources", lambda: known.update(needed))
    if old := sorted(patients - new):
        starts, ends = zip(*(request.window for request in requests), strict=True)
        window = Span(min(starts), max(ends))
        ids = {request.row.patient_id for request in requests}
        taken, given_up = await queries.given_up.and_taken(tx, old, patients=ids, window=window, at=at)
        for request in requests:
            patient_id = request.row.patient_id
            request.barred = given_up.get(patient_id, NOTHING_TAKEN)
            request.never = rules.given_up.never_for(
                patient_id,
                away=request.never,
                has=taken.get(rules.needs.patient_key(patient_id), ()),
                given_up=request.barred,
            )
