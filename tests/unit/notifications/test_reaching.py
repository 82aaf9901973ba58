"""By which channel a patient is reached, and what is no longer true of a message."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.notifications.models.rows import KnownPatient, KnownVisit, Notification
from services.notifications.rules import reaching
from services.notifications.states import Channel
from shared.people import ChannelConsent, ContactPoint, KnownPerson

TODAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 14, tzinfo=UTC)
EMAIL = ContactPoint(system="email", value="ann@mail.example")
MOBILE = ContactPoint(system="phone", value="+1 416-555-0101", use="mobile")


def consent(channel: str, *, permitted: bool = True, on: str = "2026-01-01") -> ChannelConsent:
    return ChannelConsent(channel=channel, permitted=permitted, date=on)


def patient(
    *consents: ChannelConsent,
    points: tuple[ContactPoint, ...] = (EMAIL, MOBILE),
    born: str | None = "1980-02-29",
) -> KnownPatient:
    person = KnownPerson(family="Bench", given="Ann", birth_date=born)
    return KnownPatient(
        id="p", event_version=1, person=person, contact_points=list(points), channel_consents=list(consents)
    )


def channels(known: KnownPatient) -> list[Channel]:
    return [way.channel for way in reaching.ways(known, today=TODAY)]


class TestAPatientIsReached:
    def test_by_nothing_that_they_have_not_permitted(self) -> None:
        assert channels(patient()) == []
        assert channels(patient(consent("voicemail"))) == []
        assert channels(patient(consent("sms"))) == [Channel.SMS]

    def test_by_what_they_said_last(self) -> None:
        newest = consent("email", permitted=False, on="2026-02-01")
        assert channels(patient(newest, consent("email"))) == []

    def test_in_the_order_of_their_addresses(self) -> None:
        both = (consent("email"), consent("sms"))
        assert channels(patient(*both)) == [Channel.EMAIL, Channel.SMS]
        assert channels(patient(*both, points=(MOBILE, EMAIL))) == [Channel.SMS, Channel.EMAIL]

    @pytest.mark.parametrize("born", [None, "1980", "1980-02"])
    def test_only_where_a_whole_birth_date_can_prove_who_they_are(self, born: str | None) -> None:
        assert channels(patient(consent("email"), born=born)) == []
        assert not reaching.proves(patient(born=born), born or "")

    @pytest.mark.parametrize(
        ("start", "end", "expected"),
        [
            (None, "2026-03-09", []),
            (None, "2026-03-10", [Channel.EMAIL]),
            ("2026-03-11", None, []),
            ("2026", "2026", [Channel.EMAIL]),
            (None, "2025", []),
        ],
    )
    def test_at_an_address_while_it_is_theirs(
        self, start: str | None, end: str | None, expected: list[Channel]
    ) -> None:
        point = ContactPoint(system="email", value="ann@mail.example", start=start, end=end)
        assert channels(patient(consent("email"), points=(point,))) == expected

    @pytest.mark.parametrize(
        ("language", "expected"), [(None, "en"), ("fr", "fr"), ("fr-CA", "fr"), ("FR", "fr"), ("de", "en")]
    )
    def test_in_their_language_where_there_are_words(self, language: str | None, expected: str) -> None:
        known = patient()
        known.person = KnownPerson(family="Bench", given="Ann", language=language)
        assert reaching.language_of(known) == expected


class TestAMessageGoes:
    def message(self, event_type: str = "appointment.moved") -> Notification:
        return Notification(
            event_id="e",
            event_type=event_type,
            event_key="p",
            audience="patient",
            recipient="Patient/p",
            recipient_id="p",
            channel="email",
            visit_id="v",
            visit_starts_at=NOW,
            created_at=NOW,
            next_attempt_at=NOW,
        )

    def visit(self, *, status: str = "booked", starts_at: datetime = NOW) -> KnownVisit:
        return KnownVisit(
            id="v",
            referral_id="r",
            patient_id="p",
            site="toronto",
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            status=status,
        )

    def test_while_the_visit_is_as_it_says(self) -> None:
        permits = patient(consent("email"))
        assert reaching.why_not(self.message(), permits, self.visit(), now=NOW) is None
        later = self.visit(starts_at=NOW + timedelta(days=1))
        assert reaching.why_not(self.message(), permits, later, now=NOW) is reaching.SUPERSEDED
        gone = self.visit(status="cancelled")
        assert reaching.why_not(self.message(), permits, gone, now=NOW) is reaching.SUPERSEDED
        assert reaching.why_not(self.message(), permits, None, now=NOW) is reaching.SUPERSEDED

    def test_of_an_end_only_while_the_visit_has_ended(self) -> None:
        permits, ended = patient(consent("email")), self.message("appointment.cancelled")
        assert reaching.why_not(ended, permits, self.visit(status="cancelled"), now=NOW) is None
        assert reaching.why_not(ended, permits, self.visit(), now=NOW) is reaching.SUPERSEDED

    def test_no_more_once_its_channel_is_not_permitted(self) -> None:
        withdrawn = patient(consent("email", permitted=False))
        assert reaching.why_not(self.message(), withdrawn, self.visit(), now=NOW) is reaching.NOT_PERMITTED
        assert reaching.why_not(self.message(), None, self.visit(), now=NOW) is reaching.NOT_PERMITTED
