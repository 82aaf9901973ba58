"""What every FHIR address has in common: HEAD, OPTIONS, slashes, formats, gzip, what the caller prefers."""

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from shared.fhir import store
from shared.fhir.check import MAX_BYTES
from tests.conftest import MakeDatabase
from tests.support.toy import BASE_URL, MONDAY, Base, Note, Person, Toy, run_toy

NOTES = "/fhir/Communication"
A_NOTE = {"resourceType": "Communication", "status": "completed"}
FHIR_JSON = {"Content-Type": "application/fhir+json"}


@pytest_asyncio.fixture
async def toy(make_database: MakeDatabase) -> AsyncIterator[Toy]:
    yield await run_toy(await make_database(Base.metadata))


async def a_note(toy: Toy, **members: Any) -> Note:
    note = Note(organization="family-practice", patient_id=members.pop("patient", None))
    async with toy.database.transaction() as tx:
        await store.insert(tx, note, A_NOTE | members, at=MONDAY)
    return note


async def changed(toy: Toy, note: Note, *, times: int) -> None:
    """Change a note, once a day."""
    for day in range(1, times + 1):
        async with toy.database.transaction() as tx:
            row = await tx.row(Note, "SELECT * FROM toy_note WHERE id = $1 FOR UPDATE", note.id)
            assert row is not None
            await store.update(tx, row, A_NOTE, at=MONDAY + timedelta(days=day))


class TestHead:
    async def test_is_the_get_without_its_body_and_audited_as_that(self, toy: Toy) -> None:
        note = await a_note(toy)
        client = toy.as_("family-practice")
        for path in (f"{NOTES}/{note.id}", f"{NOTES}/{note.id}/_history/1", NOTES, "/fhir/metadata"):
            answer, head = await client.get(path), await client.head(path)
            assert (head.status_code, head.content) == (200, b"")
            for name in ("etag", "last-modified", "content-length", "content-type"):
                assert head.headers.get(name) == answer.headers.get(name), (path, name)
        assert [row["action"] for row in await toy.audited()] == [
            *("read", "read", "vread", "vread", "search-type", "search-type")
        ]

    async def test_sees_no_more_than_a_get(self, toy: Toy) -> None:
        note = await a_note(toy)
        assert (await toy.as_("second-practice").head(f"{NOTES}/{note.id}")).status_code == 404
        assert (await toy.anonymous().head(f"{NOTES}/{note.id}")).status_code == 401
        assert (await toy.as_("family-practice").head(f"{NOTES}/$sum")).status_code in (404, 405)


class TestOptions:
    @pytest.mark.parametrize(
        ("path", "allowed"),
        [
            (NOTES, "GET, HEAD, OPTIONS, POST"),
            (f"{NOTES}/1", "GET, HEAD, OPTIONS, PUT"),
            (f"{NOTES}/$sum", "OPTIONS, POST"),
            ("/fhir/metadata", "GET, HEAD, OPTIONS"),
        ],
    )
    async def test_tell_the_methods_to_anybody(self, toy: Toy, path: str, allowed: str) -> None:
        answer = await toy.anonymous().options(path)
        assert (answer.status_code, answer.content) == (204, b"")
        assert set(allowed.split(", ")) <= set(answer.headers["allow"].split(", "))

    async def test_of_nothing_are_404(self, toy: Toy) -> None:
        assert (await toy.anonymous().options("/fhir/Nothing/1/2")).status_code == 404


class TestAddresses:
    async def test_with_a_slash_behind_are_the_same(self, toy: Toy) -> None:
        note = await a_note(toy)
        client = toy.as_("family-practice")
        for path in (NOTES, f"{NOTES}/{note.id}", f"{NOTES}/{note.id}/_history", "/fhir/metadata"):
            assert (await client.get(f"{path}/")).status_code == 200, path
        assert (await client.post(f"{NOTES}/_search/", data={"status": "completed"})).json()["total"] == 1
        assert (await client.post(f"{NOTES}/", json=A_NOTE)).status_code == 201

    async def test_of_one_key_are_the_same_with_a_slash(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **{"Idempotency-Key": "k1"})
        first, again = await client.post(NOTES, json=A_NOTE), await client.post(f"{NOTES}/", json=A_NOTE)
        assert first.json()["id"] == again.json()["id"]

    async def test_of_before_are_read_as_those_of_now_and_others_as_they_are(self, toy: Toy) -> None:
        old, other = "http://old.test/referral/fhir/Patient/1", "http://other.test/referral/fhir/Patient/1"
        note = await a_note(toy, about=[{"reference": old}, {"reference": other}])
        toy.app.state.runtime = replace(toy.runtime, former_urls=("http://old.test",))
        client = toy.as_("family-practice")
        for found in (
            (await client.get(f"{NOTES}/{note.id}")).json(),
            (await client.get(NOTES)).json()["entry"][0]["resource"],
            (await client.get(f"{NOTES}/{note.id}/_history/1")).json(),
        ):
            assert [one["reference"] for one in found["about"]] == [
                f"{BASE_URL}/referral/fhir/Patient/1",
                other,
            ]
        assert old.encode() in note.body


class TestFormats:
    async def test_others_than_json_are_406_before_anything_is_done(self, toy: Toy) -> None:
        client = toy.as_("family-practice", Accept="application/fhir+xml")
        for answer in (
            await client.get(NOTES),
            await client.post(NOTES, json=A_NOTE),
            await client.get("/fhir/metadata"),
        ):
            assert answer.status_code == 406
            assert answer.json()["issue"][0]["expression"] == ["Accept"]
        assert await toy.count("toy_note") == 0

    async def test_of_a_client_that_takes_both_are_json(self, toy: Toy) -> None:
        accept = "application/fhir+xml;q=1.0, application/fhir+json;q=1.0, application/xml+fhir;q=0.9"
        answer = await toy.as_("family-practice", Accept=accept).get(f"{NOTES}?_format=json&_pretty=true")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+json")


class TestGzip:
    async def test_bodies_are_inflated(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **FHIR_JSON, **{"Content-Encoding": "gzip"})
        whole = json.dumps(A_NOTE).encode()
        for body in (gzip.compress(whole), gzip.compress(whole[:9]) + gzip.compress(whole[9:])):
            assert (await client.post(NOTES, content=body)).status_code == 201

    async def test_what_inflates_over_the_limit_is_413(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **FHIR_JSON, **{"Content-Encoding": "gzip"})
        bomb = gzip.compress(b" " * (64 * MAX_BYTES))
        assert len(bomb) < MAX_BYTES
        for body in (bomb, gzip.compress(b" " * (MAX_BYTES + 1)), gzip.compress(b" " * MAX_BYTES) * 2):
            assert (await client.post(NOTES, content=body)).status_code == 413

    @pytest.mark.parametrize(
        ("encoding", "body", "status"),
        [
            ("gzip", b"{}", 400),
            ("gzip", gzip.compress(b"{}" * 100)[:-9], 400),
            ("gzip", gzip.compress(b"{}") + b"more", 400),
            ("br", b"{}", 415),
            ("gzip, gzip", b"{}", 415),
        ],
        ids=["no gzip", "too short", "more behind it", "another", "twice"],
    )
    async def test_what_cannot_be_inflated_is_refused(
        self, toy: Toy, encoding: str, body: bytes, status: int
    ) -> None:
        client = toy.as_("family-practice", **FHIR_JSON, **{"Content-Encoding": encoding})
        assert (await client.post(NOTES, content=body)).status_code == status


async def test_a_condition_is_refused_where_nothing_is_created_on_one(toy: Toy) -> None:
    client = toy.as_("family-practice")
    answer = await client.post(NOTES, json=A_NOTE, headers={"If-None-Exist": "identifier=a|b"})
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (400, ["If-None-Exist"])
    assert (await client.get(NOTES)).json()["total"] == 0


class TestPreferences:
    @pytest.mark.parametrize(
        ("wanted", "kind"),
        [("minimal", None), ("OperationOutcome", "OperationOutcome"), ("representation", "Communication")],
    )
    async def test_say_what_a_create_and_an_update_answer(
        self, toy: Toy, wanted: str, kind: str | None
    ) -> None:
        client = toy.as_("family-practice", Prefer=f"return={wanted}")
        made = await client.post(NOTES, json=A_NOTE)
        path = made.headers["location"].removeprefix(f"{BASE_URL}/toy").partition("/_history")[0]
        put = await client.put(path, json=A_NOTE, headers={"If-Match": 'W/"1"'})
        assert (made.status_code, put.status_code, put.headers["etag"]) == (201, 200, 'W/"2"')
        for answer in (made, put):
            assert (json.loads(answer.content)["resourceType"] if answer.content else None) == kind
        assert (await client.get(path)).json()["resourceType"] == "Communication"

    async def test_are_kept_with_the_answer_of_a_key(self, toy: Toy) -> None:
        client = toy.as_("family-practice", Prefer="return=minimal", **{"Idempotency-Key": "k2"})
        first, again = await client.post(NOTES, json=A_NOTE), await client.post(NOTES, json=A_NOTE)
        assert (first.content, again.content) == (b"", b"")
        assert first.headers["location"] == again.headers["location"]

    async def test_of_a_lenient_caller_turn_a_refusal_into_a_note(self, toy: Toy) -> None:
        await a_note(toy)
        asked = f"{NOTES}?colour=blue&status:in=x&_include=Task:focus&_sort=colour"
        strict = await toy.as_("family-practice").get(asked)
        found = (await toy.as_("family-practice", Prefer="handling=lenient").get(asked)).json()
        assert strict.status_code == 400
        assert [entry["search"]["mode"] for entry in found["entry"]] == ["match", "outcome"]
        issues = found["entry"][1]["resource"]["issue"]
        assert [issue["expression"][0] for issue in issues] == ["colour", "status", "_include", "_sort"]
        assert {issue["severity"] for issue in issues} == {"warning"}


class TestConditionalRead:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"If-None-Match": 'W/"1"'}, 304),
            ({"If-None-Match": '"1"'}, 304),
            ({"If-None-Match": "1"}, 304),
            ({"If-None-Match": "*"}, 304),
            ({"If-None-Match": 'W/"7", W/"1"'}, 304),
            ({"If-None-Match": 'W/"2"'}, 200),
            ({"If-Modified-Since": "Mon, 02 Mar 2026 13:00:00 GMT"}, 304),
            ({"If-Modified-Since": "Tue, 03 Mar 2026 13:00:00 GMT"}, 304),
            ({"If-Modified-Since": "Mon, 02 Mar 2026 12:59:59 GMT"}, 200),
            ({"If-Modified-Since": "yesterday"}, 200),
            ({"If-None-Match": 'W/"2"', "If-Modified-Since": "Tue, 03 Mar 2026 13:00:00 GMT"}, 200),
        ],
    )
    async def test_sends_nothing_that_is_known(self, toy: Toy, headers: dict[str, str], status: int) -> None:
        note = await a_note(toy)
        answer = await toy.as_("family-practice").get(f"{NOTES}/{note.id}", headers=headers)
        assert (answer.status_code, bool(answer.content)) == (status, status == 200)
        assert answer.headers["etag"] == 'W/"1"'


class TestHistory:
    async def test_comes_in_pages_without_gap_or_repetition(self, toy: Toy) -> None:
        note = await a_note(toy)
        await changed(toy, note, times=4)
        client, seen, address = toy.as_("family-practice"), [], f"{NOTES}/{note.id}/_history?_count=2"
        while address:
            page = (await client.get(address)).json()
            assert page["total"] == 5
            seen += [entry["resource"]["meta"]["versionId"] for entry in page["entry"]]
            links = {link["relation"]: link["url"] for link in page["link"]}
            address = links.get("next", "").removeprefix(f"{BASE_URL}/toy")
        assert seen == ["5", "4", "3", "2", "1"]

    @pytest.mark.parametrize(
        ("query", "versions", "total"),
        [
            ("", "321", 3),
            ("_count=0", "", 3),
            ("_count=3", "321", 3),
            ("_since=2026-03-03", "32", 2),
            ("_since=2026-03-04T13:00:00Z", "3", 1),
            ("_since=2026-03-05", "", 0),
            ("_since=2026-03-03&_count=1", "3", 2),
            ("_elements=status", "321", 3),
        ],
    )
    async def test_is_cut_as_it_is_asked_for(self, toy: Toy, query: str, versions: str, total: int) -> None:
        note = await a_note(toy)
        await changed(toy, note, times=2)
        page = (await toy.as_("family-practice").get(f"{NOTES}/{note.id}/_history?{query}")).json()
        found = [entry["resource"]["meta"]["versionId"] for entry in page.get("entry", ())]
        assert ("".join(found), page["total"]) == (versions, total)

    @pytest.mark.parametrize("query", ["_count=x", "_since=yesterday", "_after=x", "_after="])
    async def test_refuses_what_is_no_value(self, toy: Toy, query: str) -> None:
        note = await a_note(toy)
        answer = await toy.as_("family-practice").get(f"{NOTES}/{note.id}/_history?{query}")
        assert answer.status_code == 422


class TestParts:
    async def test_of_reads_searches_and_what_is_included(self, toy: Toy) -> None:
        person = Person(organization="family-practice")
        async with toy.database.transaction() as tx:
            named = {"resourceType": "Patient", "contact": [{"gender": "male"}], "gender": "male"}
            await store.insert(tx, person, named, at=MONDAY)
        note = await a_note(toy, patient=str(person.id), note=[{"text": "x"}])
        client = toy.as_("family-practice")
        asked = f"{NOTES}?_include=Communication:subject"
        summary = (await client.get(f"{asked}&_summary=true")).json()["entry"]
        assert ["note" in summary[0]["resource"], "contact" in summary[1]["resource"]] == [False, False]
        elements = (await client.get(f"{asked}&_elements=sent")).json()["entry"]
        assert ["note" in elements[0]["resource"], "contact" in elements[1]["resource"]] == [False, True]
        read = await client.get(f"{NOTES}/{note.id}?_summary=true")
        assert read.json()["meta"]["tag"][0]["code"] == "SUBSETTED"
        count = (await client.get(f"{asked}&_summary=count")).json()
        assert (count["total"], "entry" in count) == (1, False)
