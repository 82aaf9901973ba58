"""Reads inside the row scope: read, versions, history, search, totals, includes, paging, and their audit."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from shared.fhir import store
from tests.conftest import MakeDatabase
from tests.support.toy import MONDAY, Base, Note, Person, Toy, run_toy

NOTES = "/fhir/Communication"


@pytest_asyncio.fixture
async def toy(make_database: MakeDatabase) -> AsyncIterator[Toy]:
    yield await run_toy(await make_database(Base.metadata))


async def a_note(toy: Toy, practice: str, *, about: Person | None = None) -> Note:
    note = Note(organization=practice, patient_id=str(about.id) if about else None)
    async with toy.database.transaction() as tx:
        await store.insert(tx, note, {"resourceType": "Communication", "status": "completed"}, at=MONDAY)
    return note


async def a_person(toy: Toy, practice: str) -> Person:
    person = Person(organization=practice)
    async with toy.database.transaction() as tx:
        await store.insert(tx, person, {"resourceType": "Patient"}, at=MONDAY)
    return person


def ids(bundle: dict[str, Any], mode: str = "match") -> list[str]:
    return [one["resource"]["id"] for one in bundle.get("entry", ()) if one["search"]["mode"] == mode]


class TestRead:
    async def test_answers_the_stored_bytes(self, toy: Toy) -> None:
        note = await a_note(toy, "family-practice")
        answer = await toy.as_("family-practice").get(f"{NOTES}/{note.id}")
        assert answer.content == note.body
        assert answer.headers["etag"] == 'W/"1"'

    async def test_of_a_known_version_is_304(self, toy: Toy) -> None:
        note = await a_note(toy, "family-practice")
        answer = await toy.as_("family-practice").get(
            f"{NOTES}/{note.id}", headers={"If-None-Match": 'W/"1"'}
        )
        assert (answer.status_code, answer.content) == (304, b"")

    @pytest.mark.parametrize("rest", ["", "/_history", "/_history/1"])
    async def test_of_a_foreign_id_is_404_like_of_none(self, toy: Toy, rest: str) -> None:
        note = await a_note(toy, "second-practice")
        client = toy.as_("family-practice")
        foreign = await client.get(f"{NOTES}/{note.id}{rest}")
        none = await client.get(f"{NOTES}/0191d4b2-7a70-7000-8000-00000000000f{rest}")
        assert foreign.status_code == none.status_code == 404
        assert foreign.text.replace(str(note.id), "") == none.text.replace(
            "0191d4b2-7a70-7000-8000-00000000000f", ""
        )

    async def test_of_old_versions_and_the_history(self, toy: Toy) -> None:
        note = await a_note(toy, "family-practice")
        async with toy.database.transaction() as tx:
            row = await tx.row(Note, "SELECT * FROM toy_note WHERE id = $1 FOR UPDATE", note.id)
            assert row is not None
            changed = {"resourceType": "Communication", "status": "stopped"}
            await store.update(tx, row, changed, at=MONDAY)
        client = toy.as_("family-practice")
        first = await client.get(f"{NOTES}/{note.id}/_history/1")
        history = (await client.get(f"{NOTES}/{note.id}/_history")).json()
        assert (first.json()["status"], first.headers["etag"]) == ("completed", 'W/"1"')
        assert [one["resource"]["status"] for one in history["entry"]] == ["stopped", "completed"]
        assert history["total"] == 2
        assert (await client.get(f"{NOTES}/{note.id}/_history/3")).status_code == 404

    async def test_is_audited_once_with_patient_and_version(self, toy: Toy) -> None:
        person = await a_person(toy, "family-practice")
        note = await a_note(toy, "family-practice", about=person)
        await toy.as_("family-practice").get(f"{NOTES}/{note.id}")
        (audited,) = await toy.audited()
        assert audited == {
            "actor": "Organization/family-practice",
            "client": "family-practice",
            "action": "read",
            "outcome": "0",
            "what": f"Communication/{note.id}/_history/1",
            "patient_id": str(person.id),
        }


class TestSearch:
    async def test_finds_and_counts_only_what_the_caller_may_see(self, toy: Toy) -> None:
        mine = await a_note(toy, "family-practice")
        await a_note(toy, "second-practice")
        found = (await toy.as_("family-practice").get(NOTES)).json()
        assert ids(found) == [str(mine.id)]
        assert found["total"] == 1

    async def test_by_post_is_the_same(self, toy: Toy) -> None:
        mine = await a_note(toy, "family-practice")
        found = await toy.as_("family-practice").post(f"{NOTES}/_search", data={"status": "completed"})
        assert ids(found.json()) == [str(mine.id)]

    async def test_counts_nothing_for_a_party_without_rows(self, toy: Toy) -> None:
        await a_note(toy, "family-practice")
        found = (await toy.as_("coordinator").get(NOTES)).json()
        assert (found["total"], ids(found)) == (0, [])

    async def test_includes_only_what_the_caller_may_see(self, toy: Toy) -> None:
        mine, foreign = await a_person(toy, "family-practice"), await a_person(toy, "second-practice")
        await a_note(toy, "family-practice", about=mine)
        await a_note(toy, "family-practice", about=foreign)
        found = await toy.as_("family-practice").get(NOTES, params={"_include": "Communication:subject"})
        assert ids(found.json(), "include") == [str(mine.id)]

    async def test_turns_pages_without_loss_or_repetition(self, toy: Toy) -> None:
        notes = [await a_note(toy, "family-practice") for _ in range(5)]
        client, seen, address = toy.as_("family-practice"), [], f"{NOTES}?_count=2"
        while address:
            page = (await client.get(address)).json()
            seen += ids(page)
            links = {one["relation"]: one["url"] for one in page["link"]}
            address = links.get("next", "").removeprefix("http://clinic.test/toy")
        assert sorted(seen) == sorted(str(note.id) for note in notes)

    async def test_is_audited_once_with_the_patient_that_was_asked_for(self, toy: Toy) -> None:
        person = await a_person(toy, "family-practice")
        await toy.as_("family-practice").get(NOTES, params={"subject": f"Patient/{person.id}"})
        (audited,) = await toy.audited()
        assert (audited["action"], audited["patient_id"]) == ("search-type", str(person.id))
