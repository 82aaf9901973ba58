"""From an event to messages and feed entries, on a real database."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from services.notifications import handlers, use_cases
from services.notifications.models.rows import KnownVisit, Notification
from services.notifications.rules.routing import NOTIFICATION_ROUTES
from shared.clinic import Clinic
from shared.db import Database
from shared.events.catalog.types import typed
from shared.events.envelope import Event
from shared.events.inbox.handling import EventBatch, EventContext, NotYet
from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM
from shared.runtime import Runtime
from shared.timers import Timer
from tests.support.context import a_context
from tests.support.news import (
    NOON,
    PATIENT,
    REFERRAL,
    action_event,
    an_event,
    appointment_event,
    authorization_event,
    booking_ended,
    meeting_event,
    referral_event,
    replan_event,
    team_event,
)
from tests.support.sql import sql

BASE = "http://clinic.example"
Hear = Callable[..., Awaitable[None]]


@pytest.fixture
def hear(notifications_db: Database, clinic: Clinic) -> Hear:
    """Handle events, each in its own transaction, without the inbox."""

    async def handle(*events: Event) -> None:
        for event in events:
            ctx = a_context(at=NOON, cause=event.id, clinic=clinic, service="notifications")
            async with notifications_db.transaction() as tx:
                run = EventBatch([EventContext(typed(event), ctx)])
                await handlers.on_events(ctx, tx, run)
                run.raise_if_deferred()

    return handle


async def told(database: Database, event_type: str) -> list[str]:
    async with database.transaction() as tx:
        rows = await tx.rows(Notification, "SELECT * FROM notification WHERE event_type = $1", event_type)
    return sorted(row.recipient for row in rows)


async def entries(database: Database) -> list[dict[str, object]]:
    async with database.transaction() as tx:
        rows = (await sql(tx, "SELECT value FROM outbox WHERE topic = 'feed' ORDER BY id")).all()
    return [msgspec.json.decode(row.value) for row in rows]


class TestTelling:
    async def test_of_an_accepted_referral_reaches_its_sender(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        await hear(referral_event("received"), referral_event("accepted"))
        assert await told(notifications_db, "referral.received") == []
        assert await told(notifications_db, "referral.accepted") == ["Organization/family-practice"]

    async def test_waits_while_the_referral_is_unknown_and_writes_nothing(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        for event in (referral_event("accepted"), authorization_event(), team_event(members=["physiatrist"])):
            with pytest.raises(NotYet):
                await hear(event)
        assert await entries(notifications_db) == []

    async def test_twice_of_the_same_event_tells_once(self, notifications_db: Database, hear: Hear) -> None:
        accepted = referral_event("accepted")
        await hear(referral_event("received"), accepted)
        async with notifications_db.transaction() as tx:
            await sql(tx, "DELETE FROM outbox")
        await hear(accepted)
        assert await told(notifications_db, "referral.accepted") == ["Organization/family-practice"]

    async def test_of_an_authorization_reaches_its_insurer_and_of_the_decision_the_offices(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        await hear(referral_event(), authorization_event(), authorization_event("decided"))
        assert await told(notifications_db, "authorization.requested") == ["Organization/workplace-insurer"]
        assert await told(notifications_db, "authorization.decided") == [
            "Device/coordinator",
            "Organization/family-practice",
        ]

    async def test_does_not_reach_an_insurer_whose_consent_was_withdrawn_until_it_is_given_again(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        await hear(referral_event(), authorization_event(), authorization_event("consent-withdrawn"))
        await hear(authorization_event("cancelled"))
        assert await told(notifications_db, "authorization.cancelled") == []
        await hear(authorization_event("consent-given"), authorization_event("cancelled"))
        assert await told(notifications_db, "authorization.cancelled") == ["Organization/workplace-insurer"]

    async def test_reaches_the_team_as_it_is_now(self, notifications_db: Database, hear: Hear) -> None:
        await hear(
            referral_event(),
            team_event(members=["physiatrist", "psychologist"]),
            team_event("changed", members=["physiatrist"]),
        )
        assert await told(notifications_db, "careteam.formed") == [
            "Practitioner/physiatrist",
            "Practitioner/psychologist",
        ]
        assert await told(notifications_db, "careteam.changed") == ["Practitioner/physiatrist"]

    async def test_reaches_the_last_members_of_a_team_that_ended(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        await hear(
            referral_event(),
            team_event(members=["physiatrist"]),
            team_event("changed", members=[], status="inactive"),
            referral_event("revoked"),
        )
        assert await told(notifications_db, "referral.revoked") == [
            "Device/coordinator",
            "Organization/family-practice",
            "Practitioner/physiatrist",
        ]

    async def test_of_a_meeting_reaches_its_participants(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        await hear(meeting_event(people=["physiatrist", "psychologist"]))
        assert await told(notifications_db, "meeting.agenda-published") == [
            "Practitioner/physiatrist",
            "Practitioner/psychologist",
        ]
        [entry] = await entries(notifications_db)
        assert (entry["site"], entry["referral"]) == ("toronto", None)
        assert entry["people"] == ["physiatrist", "psychologist"]

    async def test_of_a_referral_that_moved_goes_to_the_site_that_has_it_now(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        await hear(referral_event(site="ottawa"))
        await hear(referral_event("triaged"))
        await hear(appointment_event("booked"))
        assert [entry["site"] for entry in await entries(notifications_db)] == [
            "ottawa",
            "toronto",
            "toronto",
        ]

    async def test_of_an_action_reaches_its_owner(self, notifications_db: Database, hear: Hear) -> None:
        await hear(referral_event(), action_event())
        assert await told(notifications_db, "action.assigned") == ["Practitioner/psychologist"]

    async def test_of_a_single_session_is_the_feeds_business(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        await hear(referral_event(), appointment_event("missed", kind="session"))
        assert await told(notifications_db, "appointment.missed") == []
        assert [entry["type"] for entry in await entries(notifications_db)] == [
            "referral.received",
            "appointment.missed",
        ]

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            ("review", "A review was booked."),
            ("telehealth", "A visit by video or telephone was booked."),
            ("procedure", "A procedure was booked."),
            ("group", "A place in a group was booked."),
            ("test", "A test was booked."),
            ("meeting", "A meeting with the patient was booked."),
        ],
    )
    async def test_of_another_kind_than_the_first_the_feed_says_which_and_nobody_gets_a_letter(
        self, kind: str, text: str, notifications_db: Database, hear: Hear
    ) -> None:
        await hear(referral_event(), appointment_event("booked", kind=kind))
        assert await told(notifications_db, "appointment.booked") == []
        assert (await entries(notifications_db))[-1]["text"] == text

    async def test_a_first_visit_by_several_disciplines_is_told_as_a_first_visit_is(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        await hear(referral_event(), appointment_event("booked", kind="joint-first"))
        assert len(await told(notifications_db, "appointment.booked")) == 1


class TestAFeedEntry:
    async def test_names_ids_and_a_sentence_and_nothing_of_the_payload(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        await hear(referral_event(), appointment_event("booked"))
        entry = (await entries(notifications_db))[-1]
        assert entry["text"] == NOTIFICATION_ROUTES["appointment.booked"].text
        assert (entry["patient"], entry["referral"]) == (PATIENT, REFERRAL)
        assert entry["people"] == ["physiotherapist"]
        assert entry["requester"] == "family-practice"


class TestAMessage:
    async def test_is_a_communication_without_names(self, notifications_db: Database, hear: Hear) -> None:
        await hear(referral_event("received"), referral_event("accepted"))
        async with notifications_db.transaction() as tx:
            [row] = await tx.rows(Notification, "SELECT * FROM notification")
        body = msgspec.json.decode(row.body)
        assert body["resourceType"] == "Communication"
        assert body["status"] == "preparation"
        assert body["basedOn"] == [{"reference": f"{BASE}/referral/fhir/ServiceRequest/{REFERRAL}"}]
        assert body["recipient"] == [
            {"reference": "Organization/family-practice", "display": "Elm Street Family Practice"}
        ]
        assert body["meta"]["versionId"] == "1"


class TestTellingOfWhatIsNobodysVisit:
    async def test_visits_to_plan_anew_reach_the_sites_coordinator_without_a_patient(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        await hear(replan_event("found"), replan_event("resolved"))
        assert await told(notifications_db, "calendar.conflicts-found") == ["Device/coordinator"]
        assert await told(notifications_db, "calendar.conflicts-resolved") == []
        for entry in await entries(notifications_db):
            assert (entry["site"], entry["audiences"]) == ("toronto", ["coordinator"])
            assert (entry["patient"], entry["referral"]) == (None, None)


class TestTellingOfADeath:
    async def test_reaches_the_team_and_the_referrer_and_nobody_who_is_a_patient(
        self, notifications_db: Database, hear: Hear
    ) -> None:
        team = team_event(members=["physiatrist", "physiotherapist"])
        await hear(referral_event("received"), team, booking_ended())
        assert await told(notifications_db, "booking.ended") == [
            "Device/coordinator",
            "Practitioner/physiatrist",
            "Practitioner/physiotherapist",
        ]
        entry = (await entries(notifications_db))[-1]
        assert entry["audiences"] == ["referrer", "coordinator", "team"]
        assert "died" not in str(entry["text"])


class TestAPatient:
    async def test_has_one_letter_when_many_of_their_visits_are_called_off_at_once(
        self, runtime: Runtime
    ) -> None:
        await reachable(runtime)
        await together(runtime, *(a_session(number) for number in range(20)))
        rows = await letters(runtime)
        assert [(row.visit_id, row.version) for row in rows] == [(None, 1)]
        assert {visit.status for visit in await visits(runtime)} == {"cancelled"}
        assert len(await visits(runtime)) == 20

    async def test_hears_of_another_clinician_and_not_of_another_room(self, runtime: Runtime) -> None:
        await reachable(runtime)
        await together(runtime, a_session(1, "moved", who="ben"))
        before = len(await letters(runtime))
        await together(runtime, a_session(1, "reassigned", who="ben", room="treatment-2"))
        assert len(await letters(runtime)) == before
        await together(runtime, a_session(1, "reassigned", who="bo", room="treatment-2"))
        told = [row for row in await letters(runtime) if row.event_type == "appointment.reassigned"]
        assert [row.visit_id for row in told] == [session_id(1)]

    async def test_hears_once_of_a_series_that_somebody_else_gives_from_then_on(
        self, runtime: Runtime
    ) -> None:
        await reachable(runtime)
        await together(runtime, *(a_session(number, "moved", who="ben") for number in range(4)))
        await together(runtime, *(a_session(number, "reassigned", who="bo") for number in range(1, 4)))
        told = [row for row in await letters(runtime) if row.event_type == "appointment.reassigned"]
        assert [row.visit_id for row in told] == [None]

    async def test_is_reminded_of_the_sessions_before_those_that_were_called_off(
        self, runtime: Runtime
    ) -> None:
        await reachable(runtime)
        await together(runtime, *(a_session(number, "moved") for number in range(8, 12)))
        await together(runtime, *(a_session(number) for number in range(10, 12)))
        async with runtime.database.transaction() as tx:
            due = list(await tx.rows(Timer, "SELECT kind, ref, due_at FROM timer WHERE kind = 'remind'"))
        for timer in sorted(due, key=lambda one: one.due_at):
            ctx = replace(runtime.context(cause=timer.ref), at=timer.due_at)
            async with runtime.database.transaction() as tx:
                await use_cases.reminders.run(ctx, tx, timer, without=())
        reminded = {row.visit_id for row in await letters(runtime) if row.event_type == "visit.reminder"}
        assert reminded == {session_id(8), session_id(9)}

    async def test_has_one_letter_about_a_visit_that_moves_twice_at_once_and_it_says_the_last_time(
        self, runtime: Runtime
    ) -> None:
        await reachable(runtime)
        moves = [a_session(1, "moved", hours=hours) for hours in (1, 2)]
        await together(runtime, *moves)
        [letter] = await letters(runtime)
        assert moves[0].subject == f"Appointment/{letter.visit_id}"
        assert letter.visit_starts_at == NOON + timedelta(days=2, hours=2)


class TestWhoPermitsNoMessage:
    @pytest.mark.parametrize(
        ("cause", "by_event", "calls"),
        [("request-1", False, 0), ("timer/settle/toronto", False, 1), ("event-1", True, 1)],
        ids=["a person", "a timer", "an event"],
    )
    async def test_is_called_about_another_time_where_nobody_asked_for_it(
        self, runtime: Runtime, cause: str, by_event: bool, calls: int
    ) -> None:
        await together(runtime, referral_event("received"))
        moved = replace(a_session(1, "moved"), causation=cause, caused_by_event=by_event)
        await together(runtime, moved)
        assert [row.channel for row in await letters(runtime)] == ["telephone"] * calls

    async def test_is_called_about_another_clinician_whoever_brought_that_about(
        self, runtime: Runtime
    ) -> None:
        await together(runtime, referral_event("received"))
        await together(runtime, a_session(1, "moved", who="ben"))
        await together(runtime, a_session(1, "reassigned", who="bo"))
        assert [(row.event_type, row.channel) for row in await letters(runtime)] == [
            ("appointment.reassigned", "telephone")
        ]


async def reachable(runtime: Runtime) -> None:
    """Let there be a patient who permits e-mail, and a referral of theirs."""
    person = {"family": "Bench", "given": "Ann", "birth_date": "1980-01-01"}
    points = [{"system": "email", "value": "ann@mail.example"}]
    consents = [{"channel": "email", "permitted": True, "date": "2026-01-01"}]
    async with runtime.database.transaction() as tx:
        await tx.run(
            "INSERT INTO known_patient (id, event_version, person, contact_points, channel_consents)"
            " VALUES ($1, 1, $2, $3, $4)",
            *(PATIENT, person, points, consents),
        )
    await together(runtime, referral_event("received"))


async def together(runtime: Runtime, *events: Event) -> None:
    """Handle events as one batch."""
    ctx = runtime.context(cause=events[0].id)
    batch = EventBatch([EventContext(typed(one), ctx) for one in events])
    async with runtime.database.transaction() as tx:
        await handlers.on_events(ctx, tx, batch)
    batch.raise_if_deferred()


async def letters(runtime: Runtime) -> list[Notification]:
    async with runtime.database.transaction() as tx:
        statement = "SELECT * FROM notification WHERE audience = 'patient' ORDER BY created_at, id"
        return await tx.rows(Notification, statement)


async def visits(runtime: Runtime) -> list[KnownVisit]:
    async with runtime.database.transaction() as tx:
        return await tx.rows(KnownVisit, "SELECT * FROM known_visit ORDER BY id")


def session_id(number: int) -> str:
    return f"00000000-0000-7000-8000-0000000001{number:02}"


def a_session(
    number: int, what: str = "cancelled", *, who: str = "ben", room: str = "treatment-1", hours: int = 0
) -> Event:
    """Make what befell a session that begins so many days after tomorrow noon, and hours after that."""
    start = NOON + timedelta(days=1 + number, hours=hours)
    people = (f"Patient/{PATIENT}", f"Practitioner/{who}", f"Location/{room}")
    session = {
        "resourceType": "Appointment",
        "id": session_id(number),
        "status": "cancelled" if what == "cancelled" else "booked",
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
        "appointmentType": {"coding": [{"system": APPOINTMENT_KIND_SYSTEM, "code": "session"}]},
        "basedOn": [{"reference": f"ServiceRequest/{REFERRAL}"}],
        "participant": [{"actor": {"reference": one}} for one in people],
    }
    return an_event(f"appointment.{what}", session)
