"""A patient's calendar file is read whole by any calendar, over the change of the clocks too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar

from services.notifications.models.rows import KnownVisit
from services.notifications.rules import calendar_file

TORONTO = ZoneInfo("America/Toronto")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
# Two octets in each letter: a fold that counted letters would be too long, or would tear one.
ATTENDEE = "mailto:hélène." + "é" * 90 + "@mail.example"


def a_visit(starts_at: datetime, *, sequence: int = 0, status: str = "booked") -> KnownVisit:
    return KnownVisit(
        id="v",
        referral_id="r",
        patient_id="p",
        site="toronto",
        kind="session",
        practitioner="Maja; étage 2, B",
        room="Hélène; étage 2, B",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        status=status,
        sequence=sequence,
    )


def written(visit: KnownVisit, language: str = "fr") -> bytes:
    return calendar_file.of_visit(
        visit,
        zone=TORONTO,
        at=NOW,
        language=language,
        host="clinic.example",
        organizer="mailto:clinic@clinic.example",
        attendee=ATTENDEE,
    )


def test_its_lines_have_75_octets_at_most_and_no_letter_is_torn() -> None:
    raw = written(a_visit(NOW + timedelta(days=9)))
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) == 75
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    for line in lines:
        line.decode()
    [event] = Calendar.from_ical(raw).walk("VEVENT")
    assert str(event["ATTENDEE"]) == ATTENDEE


def test_it_says_neither_where_nor_with_whom() -> None:
    raw = written(a_visit(NOW + timedelta(days=9))).decode().replace("\r\n ", "")
    assert "étage" not in raw
    assert "SUMMARY:Rendez-vous" in raw


def test_a_visit_after_the_change_of_the_clocks_keeps_its_wall_clock() -> None:
    for day, hours_behind in ((6, 5), (9, 4)):
        start = datetime(2026, 3, day, 9, tzinfo=TORONTO)
        [event] = Calendar.from_ical(written(a_visit(start.astimezone(UTC)))).walk("VEVENT")
        assert event["DTSTART"].params["TZID"] == "America/Toronto"
        assert event["DTSTART"].dt.hour == 9
        assert event["DTSTART"].dt.utcoffset() == timedelta(hours=-hours_behind)
        assert b"BEGIN:VTIMEZONE" in written(a_visit(start.astimezone(UTC)))


def test_its_cancellation_has_the_same_uid_zone_and_a_higher_sequence() -> None:
    start = NOW + timedelta(days=9)
    booked = Calendar.from_ical(written(a_visit(start)))
    ended = Calendar.from_ical(written(a_visit(start, sequence=3, status="cancelled")))
    [before], [after] = booked.walk("VEVENT"), ended.walk("VEVENT")
    assert (booked["METHOD"], ended["METHOD"]) == ("REQUEST", "CANCEL")
    assert before["UID"] == after["UID"]
    assert (int(before["SEQUENCE"]), int(after["SEQUENCE"])) == (0, 3)
    assert before["DTSTART"].to_ical() == after["DTSTART"].to_ical()
    assert before["DTSTART"].params["TZID"] == after["DTSTART"].params["TZID"]
