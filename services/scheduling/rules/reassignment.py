"""Who and which room a visit gets at its own time, when its clinician or its room is not there any more.

- The time never changes without asking, and neither does what is still there: a visit whose room is gone
  keeps its clinician, one whose clinician is away keeps its room where that is there.
- A colleague of the discipline works at this time for this purpose and has nothing else. Who is in the
  patient's care team comes first, then who has the fewest visits in that time, then the smaller id.
- What has another reason too, such as a closed site or a second visit of the patient, is asked about, and
  so is a joint visit, a seat of a group, or one that stands beside another of its clinician.
"""

from collections.abc import Iterable

from services.scheduling.models.conflicts import VisitConflict
from services.scheduling.models.roster_changes import Placement
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules.candidates import load_of
from services.scheduling.rules.intervals import is_free, merged
from services.scheduling.rules.needs import Need, person_key, room_key
from shared.clinic import Person

_MENDED = frozenset({"room-gone", "person-left", "works-elsewhere", "person-absent", "no-hours"})


def placement_of(
    row: Appointment, conflict: VisitConflict, *, referral: Referral, need: Need, taken: Taken
) -> Placement | None:
    """Find who and which room are free for a visit at its own time; None where it is to be asked about.

    `taken` leaves out what the visit itself has.
    """
    if row.starts_at is None or row.ends_at is None:
        return None
    is_alone = not row.colleagues and row.overbooked_because is None and row.group_session is None
    if not is_alone or any(reason.code not in _MENDED for reason in conflict.reasons):
        return None
    span = need.taken_by(Span(row.starts_at, row.ends_at))
    rooms = sorted(need.rooms, key=lambda room: room.id != row.room)
    able = [one for one in need.people if _can(one, span, need=need, taken=taken)]
    own = [one for one in able if one.id == row.practitioner]
    # A visit stays with its own clinician, whether they take new ones or not.
    people = [one for one in able if need.offers(one, window=span) == [span]]
    person = next(iter(own or sorted(people, key=lambda one: _order(one, referral, taken))), None)
    room = next((one.id for one in rooms if _is_free(room_key(one.id), span, taken)), None)
    if person is None or (need.has_room and room is None):
        return None
    return Placement(person=person.id, room=room)


def _can(person: Person, span: Span, *, need: Need, taken: Taken) -> bool:
    return need.works(person, window=span) == [span] and _is_free(person_key(person.id), span, taken)


def _order(person: Person, referral: Referral, taken: Taken) -> tuple[bool, int, str]:
    return person.id not in referral.team, load_of(person, taken=taken), person.id


def _is_free(resource: str, span: Span, taken: Taken) -> bool:
    busy: Iterable[Span] = taken.get(resource, ())
    return is_free(merged(busy), span)
