"""When a freed time is offered to patients who have a later one, until when, and who can still take it.

- Whoever has no day takes it first, without a question; only then others are asked, so many at once.
- An offer is open between two times of the wall clock, and ends some time before its visit.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.scheduling.models.offers import OfferRound, TimeOffer
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from services.scheduling.rules.calendar import next_at, to_utc
from services.scheduling.rules.candidates import Candidate
from services.scheduling.rules.needs import Need, need_of_row
from services.scheduling.states import AppointmentStatus, OfferStatus, RoundStatus
from shared.clinic import Clinic, Offers
from shared.fhir.codes import FIRST_KINDS
from shared.reasons import Reason

# Who waits tries for a freed time at once; the next ones are asked after that.
AFTER_WHO_WAITS = timedelta(minutes=5)
# A visit is prepared, and its patient comes, some time before it begins.
_BEFORE_THE_VISIT = timedelta(hours=2)
# Nobody is asked for less.
_SHORTEST = timedelta(minutes=15)
# Who would gain less is not asked.
GAIN = timedelta(days=1)


def is_offered(row: Appointment, *, now: datetime) -> bool:
    """Tell whether the time that a visit gives back is one that others are asked about."""
    is_whole = row.starts_at is not None and row.ends_at is not None and row.practitioner is not None
    is_first = row.kind in FIRST_KINDS and row.group_session is None and row.overbooked_because is None
    is_seat = row.group_session is not None
    ends = None if row.starts_at is None else row.starts_at - _BEFORE_THE_VISIT - _SHORTEST
    return is_whole and (is_first or is_seat) and row.held_until is None and ends is not None and ends > now


def round_of(row: Appointment, *, now: datetime) -> OfferRound:
    """Make the round of a time that a visit gives back."""
    if row.starts_at is None or row.ends_at is None or row.practitioner is None:
        raise LookupError(f"appointment {row.id} has no time to give back")
    return OfferRound(
        site=row.site,
        programme=row.programme,
        kind=row.kind,
        visit_type=row.visit_type,
        minutes=row.minutes,
        patient_id=row.patient_id,
        practitioner=row.practitioner,
        colleagues=list(row.colleagues),
        room=row.room,
        equipment=list(row.equipment),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        freed_at=now,
        group_session=row.group_session,
    )


def open_until(terms: Offers, *, now: datetime, starts_at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return until when an offer that is made now is open; None where none can be made now."""
    today = now.astimezone(zone).date()
    begins, ends = to_utc(today, terms.earliest, zone), to_utc(today, terms.latest, zone)
    until = min(now + timedelta(minutes=terms.hold_minutes), ends, starts_at - _BEFORE_THE_VISIT)
    return until if begins <= now and until - now >= _SHORTEST else None


def next_try(terms: Offers, *, now: datetime, starts_at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when an offer can be made next, where it cannot be now; None where it never can be any more."""
    at = next_at(terms.earliest, now=now, zone=zone)
    return at if open_until(terms, now=at, starts_at=starts_at, zone=zone) is not None else None


def programmes_alike(clinic: Clinic, freed: OfferRound) -> list[str]:
    """List the programmes whose visit of this kind takes just what the freed time has."""
    own = clinic.known_programme(freed.programme)
    if own is None or freed.visit_type is not None:
        return [freed.programme]
    return [one.id for one in clinic.programmes if one.site == own.site and one.first == own.first]


def need_of(clinic: Clinic, freed: OfferRound, *, at: datetime) -> Need | None:
    """Return what the visit needs whose time was freed; None where the clinic has no such visit any more."""
    asked = Appointment(
        referral_id=freed.id,
        kind=freed.kind,
        status=AppointmentStatus.BOOKED,
        patient_id=freed.patient_id,
        programme=freed.programme,
        site=freed.site,
        requester="",
        minutes=freed.minutes,
        visit_type=freed.visit_type,
    )
    return need_of_row(clinic, asked, at=at)


def place_of(freed: OfferRound, *, need: Need) -> Candidate:
    """Return what a visit takes in the freed time."""
    span = Span(freed.starts_at, freed.ends_at)
    return Candidate(
        person=freed.practitioner,
        colleagues=tuple(freed.colleagues),
        room=freed.room,
        equipment=tuple(freed.equipment),
        span=span,
        buffered=need.taken_by(span) if need.has_buffers else None,
    )


def is_gone(freed: OfferRound, *, need: Need) -> bool:
    """Tell whether the freed time cannot be given any more, whoever would take it.

    A seat is one of a group that is booked: its clinicians work then, and need not take new visits.
    """
    window = need.taken_by(Span(freed.starts_at, freed.ends_at))
    able = {person.id: person for group in (need.people, *need.colleagues) for person in group}
    there = need.offers if freed.group_session is None else need.works
    for person_id in (freed.practitioner, *freed.colleagues):
        if person_id not in able or there(able[person_id], window=window) != [window]:
            return True
    return need.has_room and freed.room not in {room.id for room in need.rooms}


def why_not_taken(offer: TimeOffer, freed: OfferRound, row: Appointment, *, now: datetime) -> Reason | None:
    """Say why a patient cannot take the time that was offered; None where they can."""
    if (why := why_answered(offer, now=now)) is not None:
        return why
    if freed.status != RoundStatus.OPEN:
        return Reason.of("offer-taken")
    if row.status != AppointmentStatus.BOOKED or row.starts_at != offer.had_start:
        return Reason.of("visit-changed-since")
    return None


def why_answered(offer: TimeOffer, *, now: datetime) -> Reason | None:
    """Say why an offer takes no answer any more; None where it does."""
    if offer.status != OfferStatus.REQUESTED:
        return offer.ended_because[0] if offer.ended_because else Reason.of("offer-over")
    return Reason.of("offer-expired", until=offer.due_at) if now >= offer.due_at else None
