"""A person is away, or the site is closed: whom it concerns, what is done at once, and what is asked."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from services.scheduling import fhir, use_cases
from services.scheduling.models.roster_changes import AffectedVisit
from services.scheduling.models.rows import Appointment, ReplanTask, UnavailableTime
from services.scheduling.rules.roster import CannotChangeRoster
from shared import timers
from shared.db import Database
from shared.errors import Invalid, NotFound
from shared.roster import refresh
from tests.support.booking import COORDINATOR, Desk, a_clinic, a_person, a_slot, local

TUESDAY, WEDNESDAY = date(2026, 6, 2), date(2026, 6, 3)
NINE, MIDNIGHT = local(TUESDAY, "09:00"), (local(TUESDAY, "00:00"), local(WEDNESDAY, "00:00"))
ANA, BEN = a_person("ana"), a_person("ben")


async def open_desk(database: Database, *people: dict[str, object], rooms: int = 2) -> Desk:
    """Give a desk whose roster was seeded."""
    desk = Desk(database, a_clinic(people=people or [ANA, BEN], rooms=rooms))
    await desk.start()
    return desk


async def named(desk: Desk) -> dict[UUID, list[str]]:
    """Give the visits that the open Task names, each with why."""
    async with desk.database.transaction() as tx:
        found = await tx.row(ReplanTask, "SELECT * FROM replan_task WHERE status = 'requested'")
    visits = [] if found is None else found.visits
    return {one.appointment: [reason.code for reason in one.reasons] for one in visits}


async def preview(desk: Desk, slot: dict[str, object]) -> list[AffectedVisit]:
    ctx = desk.ctx(principal=COORDINATOR)
    async with desk.database.transaction() as tx:
        change = fhir.unavailable.read(ctx, slot)
        return await use_cases.change_absence.preview(ctx, tx, change, of=None)


async def everything(desk: Desk) -> list[object]:
    """Give all that a refusal or a preview must leave as it is."""
    async with desk.database.transaction() as tx:
        return [
            [tuple(one) for one in await tx.records(f"SELECT * FROM {table} ORDER BY 1")]
            for table in ("roster", "unavailable_time", "replan_task", "outbox", "appointment", "timer")
        ]


class TestSomebodyIsAway:
    async def test_and_a_colleague_sees_the_patient_at_the_same_hour_in_the_same_room(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db)
        before = await desk.first(await desk.accept())
        assert (before.practitioner, before.starts_at) == ("ana", NINE)
        await desk.be_away("ana", *MIDNIGHT, comment="flu")
        after = await desk.first(str(before.referral_id))
        assert (after.practitioner, after.starts_at, after.room) == ("ben", NINE, before.room)
        assert after.version == before.version + 1
        (told,) = await desk.carried("appointment.reassigned")
        assert told.focus["participant"][1]["actor"]["reference"] == "Practitioner/ben"
        assert await named(desk) == {}
        async with desk.database.transaction() as tx:
            taken = await tx.records(
                "SELECT resource.id FROM occupancy JOIN resource ON number = resource WHERE live"
            )
        assert {one["id"] for one in taken if "patient" not in one["id"]} == {
            "person/ben",
            f"room/{before.room}",
        }

    async def test_and_who_is_in_the_care_team_comes_first(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA, BEN, a_person("cem"))
        row = await desk.first(await desk.accept())
        async with desk.database.transaction() as tx:
            await tx.run("UPDATE referral SET team = '{cem}'")
        await desk.be_away("ana", *MIDNIGHT)
        assert (await desk.first(str(row.referral_id))).practitioner == "cem"

    async def test_and_what_nobody_can_take_over_is_listed_at_once_and_stays(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db, ANA)
        row = await desk.first(await desk.accept())
        await desk.be_away("ana", *MIDNIGHT)
        assert await named(desk) == {row.id: ["person-absent"]}
        assert (await desk.first(str(row.referral_id))).version == row.version
        assert (await desk.told()).count("calendar.conflicts-found") == 1

    async def test_and_of_two_visits_at_one_time_one_colleague_takes_one(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db, ANA, BEN, a_person("cem", days=["wed"]), rooms=3)
        rows = [await desk.first(await desk.accept()) for _ in range(4)]
        both = [row for row in rows if row.starts_at == NINE]
        assert {row.practitioner for row in both} == {"ana", "ben"}
        await desk.be_away("ana", *MIDNIGHT)
        mine = [row.id for row in rows if row.practitioner == "ana"]
        assert set(await named(desk)) == set(mine)

    async def test_for_some_hours_only(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        rows = [await desk.first(await desk.accept()) for _ in range(2)]
        assert [row.starts_at for row in rows] == [NINE, local(TUESDAY, "10:00")]
        await desk.be_away("ana", NINE, local(TUESDAY, "10:00"))
        assert set(await named(desk)) == {rows[0].id}
        later = await desk.first(await desk.accept())
        assert later.starts_at == local(TUESDAY, "11:00")

    async def test_and_nothing_is_booked_with_them_any_more(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        await desk.accept()
        await desk.be_away("ana", *MIDNIGHT)
        assert (await desk.first(await desk.accept())).starts_at == local(WEDNESDAY, "09:00")

    async def test_until_it_is_taken_back(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        row = await desk.first(await desk.accept())
        absence = await desk.be_away("ana", *MIDNIGHT)
        await rewrite(desk, absence, status="entered-in-error")
        assert await named(desk) == {}
        assert desk.clinic.person("ana").absences == ()
        assert (await desk.first(str(row.referral_id))).version == row.version

    async def test_for_longer_than_was_said(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        absence = await desk.be_away("ana", *MIDNIGHT)
        longer = await rewrite(desk, absence, end=local(date(2026, 6, 5), "00:00").isoformat())
        assert longer.version == 2
        (away,) = desk.clinic.person("ana").absences
        assert (away.start, away.end) == (TUESDAY, date(2026, 6, 4))

    async def test_and_a_patient_who_waits_gets_the_time_of_who_comes_back(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db, ANA)
        absence = await desk.be_away("ana", MIDNIGHT[0], local(date(2026, 8, 1), "00:00"))
        referral = await desk.accept()
        assert (await desk.first(referral)).status == "waitlist"
        await rewrite(desk, absence, status="entered-in-error")
        assert (await desk.first(referral)).status == "booked"


class TestWhatIsAskedAbout:
    async def test_comes_with_times_of_several_days_no_two_visits_with_the_same_first(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db, ANA)
        rows = [await desk.first(await desk.accept()) for _ in range(2)]
        await desk.be_away("ana", *MIDNIGHT)
        shown = await replanning(desk)
        assert [one["id"] for one in shown] == [str(row.id) for row in rows]
        firsts = [one["times"][0]["start"] for one in shown]
        assert len(set(firsts)) == 2
        assert min(firsts) == "2026-06-03T13:00:00Z"
        for one in shown:
            assert len({time["start"][:10] for time in one["times"]}) == 3
            assert one["reason"]["coding"][0]["code"] == "person-absent"

    async def test_gets_such_a_time_with_a_colleague_and_is_asked_about_no_more(
        self, scheduling_db: Database
    ) -> None:
        ben = a_person("ben", days=["wed", "thu", "fri"])
        desk = await open_desk(scheduling_db, a_person("ana", days=["tue"]), ben)
        row = await desk.first(await desk.accept())
        assert row.practitioner == "ana"
        await desk.be_away("ana", *MIDNIGHT)
        (shown,) = await replanning(desk)
        time = shown["times"][0]
        assert time["practitioner"]["id"] == "ben"
        moved = await desk.put(row, start=time["start"], end=time["end"])
        assert (moved.practitioner, moved.starts_at) == ("ben", local(WEDNESDAY, "09:00"))
        assert await named(desk) == {}

    async def test_keeps_its_clinician_where_only_its_room_is_the_matter(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db)
        row = await desk.first(await desk.accept())
        later = local(TUESDAY, "14:00")
        moved = await desk.put(row, start=later.isoformat(), end=local(TUESDAY, "15:00").isoformat())
        assert moved.practitioner == row.practitioner

    async def test_and_decided_by_nobody_is_called_off_when_it_would_begin(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db, ANA)
        row = await desk.first(await desk.accept())
        await desk.be_away("ana", *MIDNIGHT)
        await desk.at(NINE - timedelta(minutes=1))
        assert (await desk.first(str(row.referral_id))).status == "booked"
        await desk.at(NINE)
        called_off, instead = await desk.appointments(str(row.referral_id))
        assert (called_off.status, called_off.reason_code) == ("cancelled", "prov")
        assert [reason.code for reason in called_off.reasons] == ["person-absent"]
        assert instead.status == "booked"
        assert instead.starts_at is not None
        assert instead.starts_at > MIDNIGHT[1]
        assert (await desk.told()).count("appointment.cancelled") == 1
        assert await named(desk) == {}

    async def test_and_settled_by_hand_stays(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        row = await desk.first(await desk.accept())
        await desk.be_away("ana", *MIDNIGHT)
        async with desk.database.transaction() as tx:
            task = await tx.row(ReplanTask, "SELECT * FROM replan_task")
            assert task is not None
            sent = msgspec.json.decode(task.body) | {
                "status": "completed",
                "statusReason": {"text": "A locum comes in."},
            }
            ctx = desk.ctx(principal=COORDINATOR)
            await use_cases.replan.complete(ctx, tx, str(task.id), sent=sent, expect=lambda _: None)
        await desk.at(NINE + timedelta(hours=2))
        assert (await desk.first(str(row.referral_id))).status == "booked"

    async def test_is_a_session_inside_its_grant_and_pace(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral)
        session = (await desk.sessions(referral))[1]
        assert session.starts_at is not None
        assert session.ends_at is not None
        await desk.be_away("ana", session.starts_at, session.ends_at)
        (shown,) = await replanning(desk)
        assert shown["id"] == str(session.id)
        for time in shown["times"]:
            await desk.put(await again(desk, session), start=time["start"], end=time["end"])


class TestASiteIsClosed:
    async def test_and_every_visit_of_the_day_is_asked_about(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        row = await desk.first(await desk.accept())
        await desk.be_away("toronto", *MIDNIGHT)
        assert await named(desk) == {row.id: ["site-closed"]}
        assert desk.clinic.site("toronto").closed == (TUESDAY,)

    async def test_on_whole_days_only(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        before = await everything(desk)
        with pytest.raises(Invalid, match="midnight"):
            await desk.be_away("toronto", NINE, MIDNIGHT[1])
        assert await everything(desk) == before


class TestThePreview:
    async def test_says_what_would_be_done_and_writes_nothing(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA, a_person("ben", end="10:00"))
        rows = [await desk.first(await desk.accept()) for _ in range(3)]
        before = await everything(desk)
        found = await preview(desk, a_slot("ana", *MIDNIGHT))
        assert await everything(desk) == before
        mine = [row for row in rows if row.practitioner == "ana"]
        assert [(one.row.id, one.placement) for one in found] == [(row.id, None) for row in mine]

    async def test_says_the_same_as_the_act(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA, BEN, a_person("cem", start="10:00"), rooms=3)
        rows = [await desk.first(await desk.accept()) for _ in range(5)]
        (bens,) = [row for row in rows if row.starts_at == NINE and row.practitioner == "ben"]
        await desk.end(str(bens.referral_id))
        rows.remove(bens)
        found = await preview(desk, a_slot("ana", *MIDNIGHT))
        assert {one.placement is None for one in found} == {True, False}
        await desk.be_away("ana", *MIDNIGHT)
        asked = {one.row.id for one in found if one.placement is None}
        assert set(await named(desk)) == asked
        placed = {one.row.id: one.placement for one in found if one.placement is not None}
        for row in rows:
            now = await desk.first(str(row.referral_id))
            if row.id in placed:
                assert (now.practitioner, now.room) == (placed[row.id].person, placed[row.id].room)
            else:
                assert now.version == row.version


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("slot", "words"),
        [
            (a_slot("nobody", *MIDNIGHT), "allowed are Schedule/ana, Schedule/ben, Schedule/toronto"),
            (a_slot("ana", MIDNIGHT[1], MIDNIGHT[0]), "ends after it has begun"),
            (a_slot("ana", MIDNIGHT[0], MIDNIGHT[0]), "ends after it has begun"),
            (a_slot("ana", *MIDNIGHT, status="free"), "free time is computed"),
            (a_slot("ana", *MIDNIGHT, comment="x" * 501), "at most 500 characters"),
            (a_slot("ana", NINE - timedelta(days=9), NINE - timedelta(days=3)), "it is over"),
            (a_slot("ana", NINE, NINE + timedelta(days=800)), "at most 732 days"),
        ],
    )
    async def test_is_what_is_no_absence(
        self, scheduling_db: Database, slot: dict[str, object], words: str
    ) -> None:
        desk = await open_desk(scheduling_db)
        before = await everything(desk)
        with pytest.raises(Invalid, match=words):
            await desk.send_absence(slot)
        assert await everything(desk) == before

    async def test_is_who_is_away_already_and_the_sentence_says_until_when(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db)
        await desk.be_away("ana", *MIDNIGHT)
        before = await everything(desk)
        with pytest.raises(CannotChangeRoster, match=r"P\. Ana is away already, until 2026-06-03 00:00"):
            await desk.be_away("ana", NINE, NINE + timedelta(days=3))
        assert await everything(desk) == before

    async def test_is_an_absence_of_another_site(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        absence = await desk.be_away("ana", *MIDNIGHT)
        foreign = desk.ctx(principal=replace(COORDINATOR, site="ottawa"))
        change = fhir.unavailable.read(desk.ctx(principal=COORDINATOR), a_slot("ana", *MIDNIGHT))
        async with desk.database.transaction() as tx:
            with pytest.raises(NotFound):
                await use_cases.change_absence.update(
                    foreign, tx, str(absence.id), change, expect=lambda _: None
                )


class TestARace:
    async def test_a_visit_that_was_booked_by_the_old_roster_is_found_a_minute_later(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db, ANA)
        stale = desk.clinic
        await desk.be_away("ana", *MIDNIGHT)
        current, desk.clinic = desk.current, stale
        row = await desk.first(await desk.accept())
        desk.current = current
        assert row.starts_at == NINE
        assert await named(desk) == {}
        await desk.at(desk.now + timedelta(minutes=1))
        assert await named(desk) == {row.id: ["person-absent"]}

    async def test_eight_who_book_while_a_clinician_falls_sick_keep_no_visit_with_them_unlisted(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db, ANA, BEN)
        booking = [desk.accept() for _ in range(8)]
        await asyncio.gather(desk.be_away("ana", *MIDNIGHT), *booking)
        await desk.at(desk.now + timedelta(minutes=1))
        async with desk.database.transaction() as tx:
            rows = await tx.rows(Appointment, "SELECT * FROM appointment WHERE status = 'booked'")
        listed = await named(desk)
        with_ana = [row.id for row in rows if row.practitioner == "ana" and _on_tuesday(row)]
        assert set(with_ana) == set(listed)

    async def test_two_changes_at_once_both_stand(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        await asyncio.gather(desk.be_away("ana", *MIDNIGHT), desk.be_away("ben", *MIDNIGHT))
        assert all(len(person.absences) == 1 for person in desk.clinic.people)
        async with desk.database.transaction() as tx:
            assert await tx.value("SELECT revision FROM roster") == 3


class TestTheRoster:
    async def test_is_seeded_once_by_workers_that_start_at_once(self, scheduling_db: Database) -> None:
        away = a_person("ana", absences=[(TUESDAY, TUESDAY)])
        desk = Desk(scheduling_db, a_clinic(people=[away], closed=[WEDNESDAY]))
        await asyncio.gather(*(desk.start() for _ in range(4)))
        async with desk.database.transaction() as tx:
            assert await tx.value("SELECT revision FROM roster") == 1
            rows = await tx.rows(UnavailableTime, "SELECT * FROM unavailable_time ORDER BY starts_at")
        assert [row.person for row in rows] == ["ana", None]
        assert (await desk.told()).count("roster.changed") == 1
        assert desk.clinic == a_clinic(people=[away], closed=[WEDNESDAY])

    async def test_counts_and_the_file_does_not_any_more(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        await desk.be_away("ana", *MIDNIGHT)
        desk.clinic = a_clinic(people=[BEN], closed=[WEDNESDAY])
        await desk.start()
        refreshing = refresh.RosterRefresh(desk.database, desk.current)
        await refreshing.step()
        assert [person.id for person in desk.clinic.people] == ["ana"]
        assert desk.clinic.site("toronto").closed == ()
        assert len(desk.clinic.person("ana").absences) == 1

    async def test_is_published_whole_without_why_somebody_is_away(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        await desk.be_away("ana", *MIDNIGHT, comment="a broken wrist")
        *_, told = await desk.carried("roster.changed")
        assert b"wrist" not in told.value
        assert told.key == (await desk.carried("roster.changed"))[0].key
        (roster,) = [one["valueString"] for one in told.focus["extension"]]
        (person,) = msgspec.json.decode(roster)["people"]
        assert person["absences"] == [{"from": "2026-06-02", "to": "2026-06-02"}]

    async def test_of_a_process_that_heard_nothing_is_found_by_looking(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        other = Desk(scheduling_db, a_clinic(people=[ANA]))
        await desk.be_away("ana", *MIDNIGHT)
        assert other.clinic.person("ana").absences == ()
        await refresh.RosterRefresh(scheduling_db, other.current).step()
        assert len(other.clinic.person("ana").absences) == 1

    async def test_change_that_fails_at_its_end_leaves_nothing(
        self, scheduling_db: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk = await open_desk(scheduling_db)
        await desk.accept()
        before = await everything(desk)

        async def die(*_: object) -> None:
            raise RuntimeError("killed")

        monkeypatch.setattr(timers, "schedule_all", die)
        with pytest.raises(RuntimeError, match="killed"):
            await desk.be_away("ana", *MIDNIGHT)
        assert await everything(desk) == before
        assert desk.clinic.person("ana").absences == ()


async def replanning(desk: Desk) -> list[dict[str, Any]]:
    """Give the visits that are to be planned anew, as the coordinator reads them."""
    ctx = desk.ctx(principal=COORDINATOR)
    async with desk.database.transaction() as tx:
        _, body = await use_cases.show_replanning.run(ctx, tx, site=desk.clinic.site("toronto"))
    rows: list[dict[str, Any]] = body["rows"]
    return rows


async def again(desk: Desk, row: Appointment) -> Appointment:
    async with desk.database.transaction() as tx:
        found = await tx.row(Appointment, "SELECT * FROM appointment WHERE id = $1", row.id)
    assert found is not None
    return found


def _on_tuesday(row: Appointment) -> bool:
    return row.starts_at is not None and MIDNIGHT[0] <= row.starts_at < MIDNIGHT[1]


async def rewrite(desk: Desk, absence: UnavailableTime, **changes: object) -> UnavailableTime:
    """Change an absence as the coordinator does by PUT."""
    ctx = desk.ctx(principal=COORDINATOR)
    async with desk.database.transaction() as tx:
        change = fhir.unavailable.read(ctx, msgspec.json.decode(absence.body) | changes)
        row = await use_cases.change_absence.update(ctx, tx, str(absence.id), change, expect=lambda _: None)
    await desk.settle()
    return row
