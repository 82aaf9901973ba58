"""People, hours and rooms are changed as resources of the directory, with what follows for visits."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest

from services.scheduling import use_cases
from services.scheduling.models.roster_changes import AffectedVisit
from services.scheduling.models.rows import ReplanTask
from services.scheduling.rules.roster import CannotChangeRoster
from shared.db import Database
from shared.directory.rows import DirectoryResource
from shared.errors import Invalid, NotFound
from shared.fhir.codes import (
    DISCIPLINE_SYSTEM,
    HOURS_FOR_EXTENSION,
    LANGUAGES,
    PLACE_EXTENSION,
    RELEASE_EXTENSION,
    ROOM_KIND_SYSTEM,
    VISIT_EXTENSION,
)
from tests.support.booking import COORDINATOR, Desk, a_clinic, a_person, local

TUESDAY = date(2026, 6, 2)
NINE = local(TUESDAY, "09:00")
ANA, BEN = a_person("ana"), a_person("ben")
WEEK = ["mon", "tue", "wed", "thu", "fri"]


async def open_desk(database: Database, *people: dict[str, Any], rooms: int = 2) -> Desk:
    desk = Desk(database, a_clinic(people=people or [ANA, BEN], rooms=rooms))
    await desk.start()
    return desk


async def stored(desk: Desk, named: str) -> DirectoryResource:
    kind, _, id = named.partition("/")
    async with desk.database.transaction() as tx:
        sql = "SELECT * FROM directory_resource WHERE type = $1 AND logical_id = $2"
        found = await tx.row(DirectoryResource, sql, kind, id)
    assert found is not None, named
    return found


async def read(desk: Desk, named: str) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode((await stored(desk, named)).body)
    return body


async def put(desk: Desk, named: str, **changes: Any) -> DirectoryResource:
    """Change a resource as the coordinator does by PUT."""
    body = await read(desk, named) | changes
    ctx = desk.ctx(principal=COORDINATOR)
    async with desk.database.transaction() as tx:
        row = await use_cases.change_directory.update(
            ctx, tx, named.partition("/")[2], body, expect=lambda _: None
        )
    await desk.settle()
    return row


async def post(desk: Desk, kind: str, **members: Any) -> DirectoryResource:
    ctx = desk.ctx(principal=COORDINATOR)
    async with desk.database.transaction() as tx:
        row = await use_cases.change_directory.create(ctx, tx, {"resourceType": kind, **members})
    await desk.settle()
    return row


async def preview(desk: Desk, named: str, **changes: Any) -> list[AffectedVisit]:
    body = await read(desk, named) | changes
    ctx = desk.ctx(principal=COORDINATOR)
    async with desk.database.transaction() as tx:
        return await use_cases.change_directory.preview(ctx, tx, body)


async def asked(desk: Desk) -> dict[UUID, list[str]]:
    async with desk.database.transaction() as tx:
        found = await tx.row(ReplanTask, "SELECT * FROM replan_task WHERE status = 'requested'")
    visits = [] if found is None else found.visits
    return {one.appointment: [reason.code for reason in one.reasons] for one in visits}


async def everything(desk: Desk) -> list[object]:
    async with desk.database.transaction() as tx:
        return [
            [tuple(one) for one in await tx.records(f"SELECT * FROM {table} ORDER BY 1")]
            for table in ("roster", "directory_resource", "replan_task", "outbox", "appointment", "timer")
        ]


def hours(start: str, end: str, *purposes: str, days: list[str] | None = None) -> dict[str, Any]:
    said = [{"url": HOURS_FOR_EXTENSION, "valueCode": purpose} for purpose in purposes]
    return {
        **({"extension": said} if said else {}),
        "daysOfWeek": days or WEEK,
        "availableStartTime": f"{start}:00",
        "availableEndTime": f"{end}:00",
    }


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


class TestHours:
    async def test_count_at_once_for_who_is_booked_next(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        row = await put(desk, "PractitionerRole/ana", availableTime=[hours("13:00", "17:00")])
        assert row.version == 2
        assert (await desk.first(await desk.accept())).starts_at == local(TUESDAY, "13:00")

    async def test_move_what_they_no_longer_hold_to_a_colleague_or_ask(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA, a_person("ben", end="10:00"))
        first, other = [await desk.first(await desk.accept()) for _ in range(2)]
        await desk.end(str(other.referral_id))
        later = [{"availableTime": [hours("11:00", "17:00")]}]
        said = await preview(desk, "PractitionerRole/ana", **later[0])
        assert [(one.row.id, one.placement and one.placement.person) for one in said] == [(first.id, "ben")]
        await put(desk, "PractitionerRole/ana", **later[0])
        assert (await desk.first(str(first.referral_id))).practitioner == "ben"
        assert await asked(desk) == {}

    async def test_are_for_what_they_say(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        split = [hours("09:00", "12:00", "first"), hours("12:00", "17:00", "session")]
        await put(desk, "PractitionerRole/ana", availableTime=split)
        assert [part.purpose for part in desk.clinic.person("ana").hours] == [("first",), ("session",)]
        again = await read(desk, "PractitionerRole/ana")
        assert again["availableTime"][0]["extension"] == split[0]["extension"]
        assert (await put(desk, "PractitionerRole/ana")).version == 2, "the same again changes nothing"

    async def test_kept_for_first_visits_are_open_to_others_some_days_ahead(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db, ANA, a_person("ben", days=["fri"]))
        kept = hours("09:00", "17:00", "first")
        kept["extension"].append({"url": RELEASE_EXTENSION, "valueInteger": 0})
        await put(desk, "PractitionerRole/ana", availableTime=[kept])
        (part,) = desk.clinic.person("ana").hours
        assert (part.purpose, part.release_days) == (("first",), 0)
        assert (await put(desk, "PractitionerRole/ana")).version == 2
        referral = await desk.accept(payer="insurer")
        await desk.authorize(referral)
        assert {row.practitioner for row in await desk.sessions(referral)} == {"ben"}

    @pytest.mark.parametrize(
        ("parts", "words"),
        [
            ([hours("12:00", "09:00")], "end after they have begun"),
            ([hours("09:00", "12:00", "dancing")], "'first'"),
            ([hours("09:00", "12:00", days=["someday"])], "mon"),
            ([{"daysOfWeek": ["mon"], "allDay": True}], "times of the wall clock"),
        ],
    )
    async def test_that_are_none_are_refused_by_name(
        self, scheduling_db: Database, parts: list[dict[str, Any]], words: str
    ) -> None:
        desk = await open_desk(scheduling_db)
        before = await everything(desk)
        with pytest.raises(Invalid, match=words) as refused:
            await put(desk, "PractitionerRole/ana", availableTime=parts)
        assert str(refused.value.problems[0].expression).startswith("PractitionerRole.availableTime[0]")
        assert await everything(desk) == before

    async def test_that_overlap_are_refused(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        before = await everything(desk)
        with pytest.raises(CannotChangeRoster, match=r"P\. Ana would have hours twice .*\(mon\)"):
            await put(
                desk,
                "PractitionerRole/ana",
                availableTime=[hours("09:00", "12:00"), hours("11:00", "17:00")],
            )
        assert await everything(desk) == before

    async def test_that_leave_nobody_for_a_kind_of_visit_are_refused(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        with pytest.raises(CannotChangeRoster, match="first visits of Rehabilitation"):
            await put(desk, "PractitionerRole/ana", availableTime=[hours("09:00", "12:00", "session")])


class TestAPerson:
    async def test_is_added_gets_hours_and_is_booked(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        row = await post(
            desk,
            "Practitioner",
            name=[{"family": "Çelik-Núñez", "given": ["Zoë"]}],
            telecom=[{"system": "email", "value": "zoe@clinic.example"}],
            qualification=[{"code": coded(DISCIPLINE_SYSTEM, "physiotherapy")}],
        )
        assert (row.logical_id, row.version) == ("zoe-celik-nunez", 1)
        assert b"zoe@" not in row.body
        assert desk.clinic.person("zoe-celik-nunez").email == "zoe@clinic.example"
        await put(desk, "PractitionerRole/zoe-celik-nunez", availableTime=[hours("08:00", "09:00")])
        assert (await desk.first(await desk.accept())).practitioner == "zoe-celik-nunez"

    async def test_gets_an_id_of_their_own(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        made = [
            await post(
                desk,
                "Practitioner",
                name=[{"family": "Lee", "given": ["Kim"]}],
                telecom=[{"system": "email", "value": "kim@clinic.example"}],
                qualification=[{"code": coded(DISCIPLINE_SYSTEM, "physiotherapy")}],
            )
            for _ in range(2)
        ]
        assert [row.logical_id for row in made] == ["kim-lee", "kim-lee-2"]

    async def test_who_leaves_is_inactive_and_their_visits_are_seen_to(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        rows = [await desk.first(await desk.accept()) for _ in range(3)]
        bens = {row.id for row in rows if row.practitioner == "ben"}
        said = await preview(desk, "Practitioner/ben", active=False)
        assert {one.row.id for one in said} == bens
        left = await put(desk, "Practitioner/ben", active=False)
        assert msgspec.json.decode(left.body)["active"] is False
        assert [person.id for person in desk.clinic.people] == ["ana"]
        placed = {one.row.id for one in said if one.placement is not None}
        assert set(await asked(desk)) == bens - placed

    async def test_who_comes_back_says_address_and_discipline_again(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        await put(desk, "Practitioner/ben", active=False)
        with pytest.raises(Invalid) as refused:
            await put(desk, "Practitioner/ben", active=True)
        wanting = {str(one.expression) for one in refused.value.problems}
        assert wanting == {"Practitioner.telecom", "Practitioner.qualification"}
        await put(
            desk,
            "Practitioner/ben",
            active=True,
            telecom=[{"system": "email", "value": "ben@clinic.example"}],
            qualification=[{"code": coded(DISCIPLINE_SYSTEM, "physiotherapy")}],
        )
        assert desk.clinic.person("ben").hours == ()

    async def test_who_chairs_the_meeting_does_not_leave(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        before = await everything(desk)
        with pytest.raises(CannotChangeRoster, match=r"P\. Ana chairs the case meeting"):
            await put(desk, "Practitioner/ana", active=False)
        assert await everything(desk) == before

    async def test_speaks_languages_and_a_room_is_for_a_wheelchair(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        await put(desk, "Practitioner/ben", communication=[coded(LANGUAGES, "fr")])
        assert desk.clinic.person("ben").languages == ("fr",)
        fit = visit("room", wheelchair=True) | {"url": PLACE_EXTENSION}
        await put(desk, "Location/treatment-1", extension=[fit])
        assert [room.wheelchair for room in desk.clinic.site("toronto").rooms].count(True) == 1
        assert (await put(desk, "Location/treatment-1")).version == 2
        device = visit("equipment", id="laser", name="Laser", kind="laser") | {"url": PLACE_EXTENSION}
        await put(desk, "Location/toronto", extension=[device])
        assert [one.name for one in desk.clinic.site("toronto").equipment] == ["Laser"]

    async def test_is_called_something_else(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        await put(desk, "Practitioner/ben", name=[{"family": "Otto", "given": ["Ben"]}])
        assert desk.clinic.person("ben").family == "Otto"
        assert desk.clinic.person("ben").email == "ben@clinic.example"

    @pytest.mark.parametrize(
        ("changes", "expression"),
        [
            ({"name": []}, "Practitioner.name"),
            ({"gender": "female"}, "Practitioner.gender"),
            ({"telecom": [{"system": "phone", "value": "1"}]}, "Practitioner.telecom"),
            ({"telecom": [{"system": "email", "value": "nowhere"}]}, "Practitioner.telecom"),
            ({"qualification": [{"code": coded(DISCIPLINE_SYSTEM, "magic")}]}, "Practitioner.qualification"),
        ],
    )
    async def test_that_is_none_is_refused_by_name(
        self, scheduling_db: Database, changes: dict[str, Any], expression: str
    ) -> None:
        desk = await open_desk(scheduling_db)
        before = await everything(desk)
        with pytest.raises(Invalid) as refused:
            await put(desk, "Practitioner/ben", **changes)
        assert [one.expression for one in refused.value.problems] == [expression]
        assert await everything(desk) == before


class TestARoom:
    async def test_that_is_gone_has_its_visits_in_another_at_the_same_time(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db)
        row = await desk.first(await desk.accept())
        other = {"assessment-1": "assessment-2", "assessment-2": "assessment-1"}[str(row.room)]
        await put(desk, f"Location/{row.room}", status="inactive")
        now = await desk.first(str(row.referral_id))
        assert (now.room, now.practitioner, now.starts_at) == (other, row.practitioner, NINE)
        assert await asked(desk) == {}

    async def test_that_is_the_only_one_of_its_kind_stays(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, rooms=1)
        with pytest.raises(CannotChangeRoster, match=r"no assessment room any more.*Rehabilitation"):
            await put(desk, "Location/assessment-1", status="inactive")

    async def test_that_is_new_is_booked(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, rooms=1)
        await post(
            desk,
            "Location",
            status="active",
            name="Blue room",
            type=[coded(ROOM_KIND_SYSTEM, "assessment")],
            partOf={"reference": "Location/toronto"},
        )
        rows = [await desk.first(await desk.accept()) for _ in range(2)]
        assert {row.room for row in rows} == {"assessment-1", "blue-room"}
        assert {row.starts_at for row in rows} == {NINE}

    async def test_comes_back_as_it_was(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        before = desk.clinic.site("toronto").rooms
        await put(desk, "Location/treatment-2", status="inactive")
        await put(desk, "Location/treatment-2", status="active")
        assert desk.clinic.site("toronto").rooms == before

    async def test_of_another_kind_than_there_is_or_elsewhere_is_refused(
        self, scheduling_db: Database
    ) -> None:
        desk = await open_desk(scheduling_db)
        with pytest.raises(Invalid) as refused:
            await put(desk, "Location/treatment-1", type=[coded(ROOM_KIND_SYSTEM, "pool")])
        assert [one.expression for one in refused.value.problems] == ["Location.type"]
        with pytest.raises(Invalid, match="part of your site"):
            await post(desk, "Location", name="X", partOf={"reference": "Location/ottawa"})
        with pytest.raises(Invalid, match="name cannot be changed here"):
            await put(desk, "Location/toronto", name="Elsewhere")


def visit(element: str, **members: Any) -> dict[str, Any]:
    kinds = {int: "valueInteger", str: "valueString", bool: "valueBoolean"}
    said = [{"url": name, kinds[type(value)]: value} for name, value in members.items()]
    return {"url": VISIT_EXTENSION, "extension": [{"url": "element", "valueCode": element}, *said]}


async def others(desk: Desk) -> list[dict[str, Any]]:
    stands = await read(desk, "HealthcareService/rehab")
    return [one for one in stands["extension"] if one["url"] != VISIT_EXTENSION]


class TestWhatVisitsNeed:
    async def test_counts_for_who_is_booked_next(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db, ANA)
        before = await desk.first(await desk.accept())
        said = [visit("first", minutes=30, discipline="physiotherapy", room="treatment")]
        await put(desk, "HealthcareService/rehab", extension=[*await others(desk), *said])
        row = await desk.first(await desk.accept())
        assert row.starts_at is not None
        assert row.ends_at is not None
        assert (row.ends_at - row.starts_at).seconds == 30 * 60
        assert str(row.room).startswith("treatment")
        assert (await desk.first(str(before.referral_id))).version == before.version
        assert desk.clinic.programme("rehab").sessions is None

    async def test_is_read_as_it_was_written(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        described = desk.clinic.programme("rehab")
        assert (await put(desk, "HealthcareService/rehab")).version == 1
        assert desk.clinic.programme("rehab") == described

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            (visit("first", minutes=3, discipline="physiotherapy", room="treatment"), "first.minutes"),
            (visit("first", minutes=30, discipline="magic", room="treatment"), "first.discipline"),
            (
                visit("first", minutes=30, discipline="physiotherapy", room="treatment", colour="red"),
                "colour",
            ),
            (visit("dance", minutes=30), "element is one of first, sessions, visits"),
        ],
    )
    async def test_that_is_none_is_refused_by_name(
        self, scheduling_db: Database, said: dict[str, Any], words: str
    ) -> None:
        desk = await open_desk(scheduling_db)
        before = await everything(desk)
        with pytest.raises(Invalid, match=words):
            await put(desk, "HealthcareService/rehab", extension=[*await others(desk), said])
        assert await everything(desk) == before

    async def test_that_the_site_does_not_have_is_refused(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        said = visit("first", minutes=30, discipline="psychology", room="treatment")
        with pytest.raises((Invalid, CannotChangeRoster)):
            await put(desk, "HealthcareService/rehab", extension=[*await others(desk), said])

    async def test_keeps_what_a_visit_with_a_name_takes(self, scheduling_db: Database) -> None:
        desk = await open_desk(scheduling_db)
        stands = (await read(desk, "HealthcareService/rehab"))["extension"]
        named = {"id": "injection", "name": "Injection", "kind": "procedure", "minutes": 30}
        said = visit("visits", **named, disciplines="physiotherapy", room="procedure")
        before = await everything(desk)
        with pytest.raises(Invalid, match="there is no procedure room at 'toronto'"):
            await put(desk, "HealthcareService/rehab", extension=[*stands, said])
        assert await everything(desk) == before
        said = visit("visits", **named, disciplines="physiotherapy", room="treatment")
        await put(desk, "HealthcareService/rehab", extension=[*stands, said])
        assert [one.id for one in desk.clinic.programme("rehab").visits] == ["injection"]


async def test_what_is_not_there_is_not_found(scheduling_db: Database) -> None:
    desk = await open_desk(scheduling_db)
    ctx = desk.ctx(principal=COORDINATOR)
    for kind, wanted in (("Practitioner", "nobody"), ("Location", "clinic"), ("PractitionerRole", "x")):
        body = {"resourceType": kind, "id": wanted}
        async with desk.database.transaction() as tx:
            with pytest.raises(NotFound):
                await use_cases.change_directory.update(ctx, tx, wanted, body, expect=lambda _: None)
