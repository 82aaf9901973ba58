"""Find the earliest fitting times for several visits at once, and take them.

What is taken is read slice by slice, for all needs of a round in one statement; whoever loses a time to
somebody else looks again. Where a whole slice is full, the next search of this process begins behind it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.scheduling import queries, rules
from services.scheduling.models import Appointment
from services.scheduling.rules import Candidate, Openings, Span
from services.scheduling.use_cases.availability_cache import AvailabilityCache, KeptNeed
from services.scheduling.use_cases.recording import claim_of, patient_key, put_into
from shared.context import Context
from shared.db import Transaction

# Days of the slices in which time is looked for, the last one goes on: most searches end in the first.
_LENGTHS = (1, 1, 2, 4, 7)


@dataclass(kw_only=True)
class Wanted:
    """A visit that wants the earliest time in its window; `never` is when the patient cannot come."""

    row: Appointment
    kept: KeptNeed
    window: Span
    never: list[Span]
    candidate: Candidate | None = None


@dataclass
class _Slice:
    span: Span
    openings: Openings
    full: bool = False


@dataclass
class _Picture:
    """What is taken of one need's people and rooms, as far as it was read, and what was chosen meanwhile."""

    kept: KeptNeed
    begin: Span
    slices: list[_Slice] = field(default_factory=list)

    @property
    def resources(self) -> list[str]:
        need = self.kept.need
        people = [rules.person_key(person.id) for person in need.people]
        return [*people, *(rules.room_key(room.id) for room in need.rooms)]

    def next_span(self) -> Span:
        """Name the slice that is to be read next; an empty one at the end of every window."""
        start = self.slices[-1].span.end if self.slices else self.begin.start
        zone = self.kept.need.site.zone
        days = _LENGTHS[min(len(self.slices), len(_LENGTHS) - 1)]
        end = rules.local_day_start(start.astimezone(zone).date() + rules.DAY * days, zone)
        return Span(start, max(start, min(end, self.begin.end)))

    def choose(self, one: Wanted, *, but: Sequence[Span]) -> bool:
        """Choose the earliest time for a visit in what was read; tell whether there is one."""
        never = [*one.never, *but]
        for part in self.slices:
            window = Span(max(part.span.start, one.window.start), min(part.span.end, one.window.end))
            if part.full or window.start >= window.end:
                continue
            found = part.openings.first(never=never, window=window)
            if found is not None:
                one.candidate = found
                part.openings.take(found)
                return True
            part.full = part.openings.first(window=part.span) is None
        return False

    def is_read_to(self, one: Wanted) -> bool:
        """Tell whether everything in the window of a visit was read."""
        until = self.slices[-1].span.end if self.slices else self.begin.start
        return until >= one.window.end


async def take_earliest(
    ctx: Context, tx: Transaction, wanted: Sequence[Wanted], *, cache: AvailabilityCache
) -> None:
    """Take the earliest time for each visit in order, and write it into its row; `candidate` stays None where
    there is none.
    """
    freed = await queries.freed(tx, {one.kept.need.site.id for one in wanted})
    pictures = _pictures(wanted, freed)
    left = list(wanted)
    while left:
        await _exclude_what_patients_have(ctx, tx, left, cache=cache)
        await _choose(tx, left, pictures)
        left = await _claim(tx, left)
        for one in left:
            pictures[id(one.kept)].slices.clear()
    for picture in pictures.values():
        _remember(tx, picture, freed=freed.get(picture.kept.need.site.id, 0))


async def _choose(tx: Transaction, wanted: Sequence[Wanted], pictures: Mapping[int, _Picture]) -> None:
    await _read(tx, [picture for picture in pictures.values() if not picture.slices])
    chosen: dict[str, list[Span]] = defaultdict(list)
    for one in wanted:
        picture, mine = pictures[id(one.kept)], chosen[one.row.patient_id]
        while not picture.choose(one, but=mine) and not picture.is_read_to(one):
            await _read(tx, [picture])
        if one.candidate is not None:
            mine.append(one.candidate.span)


async def _claim(tx: Transaction, wanted: Sequence[Wanted]) -> list[Wanted]:
    """Claim what was chosen, and give those whose time somebody else took meanwhile."""
    claims = [claim_of(one.row, one.candidate) for one in wanted if one.candidate is not None]
    won = await queries.claim_each(tx, claims) if claims else set()
    lost = []
    for one in wanted:
        if one.candidate is None:
            continue
        if one.row.id in won:
            put_into(one.row, one.candidate)
        else:
            one.candidate = None
            lost.append(one)
    return lost


async def _read(tx: Transaction, pictures: Sequence[_Picture]) -> None:
    asked = [(picture.resources, picture.next_span()) for picture in pictures]
    for picture, (_, span), taken in zip(pictures, asked, await queries.taken_in(tx, asked), strict=True):
        openings = Openings(picture.kept.need, taken=taken, span=span)
        picture.slices.append(_Slice(span, openings))


def _pictures(wanted: Sequence[Wanted], freed: Mapping[str, int]) -> dict[int, _Picture]:
    """Begin a picture for each need, behind what is known to be full."""
    pictures: dict[int, _Picture] = {}
    for one in wanted:
        kept = one.kept
        start, end = one.window
        if kept.full_until is not None and kept.freed == freed.get(kept.need.site.id, 0):
            start = max(start, kept.full_until)
        known = pictures.get(id(kept))
        begin = Span(start, max(start, end))
        if known is not None:
            begin = Span(min(known.begin.start, start), max(known.begin.end, begin.end))
        pictures[id(kept)] = _Picture(kept, begin)
    return pictures


def _remember(tx: Transaction, picture: _Picture, *, freed: int) -> None:
    """Begin behind the slices that are full, once it is certain that they are."""
    kept, begin = picture.kept, picture.begin.start
    first = next((part.span.start for part in picture.slices if not part.full), None)
    until = first or (picture.slices[-1].span.end if picture.slices else begin)

    def keep() -> None:
        kept.full_until, kept.freed = until, freed

    tx.after_commit(f"remember {id(kept)}", keep)


async def _exclude_what_patients_have(
    ctx: Context, tx: Transaction, wanted: Sequence[Wanted], *, cache: AvailabilityCache
) -> None:
    known = cache.resources
    needed = {key for one in wanted for key in _Picture(one.kept, one.window).resources} - known
    patients = {patient_key(one.row.patient_id) for one in wanted}
    new = await queries.know_resources(tx, needed | patients)
    tx.after_commit("remember resources", lambda: known.update(needed))
    if old := sorted(patients - new):
        whole = Span(min(one.window.start for one in wanted), max(one.window.end for one in wanted))
        taken = await queries.taken(tx, old, window=whole)
        for one in wanted:
            one.never.extend(taken.get(patient_key(one.row.patient_id), ()))
