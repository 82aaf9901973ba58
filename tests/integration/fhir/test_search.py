"""Search on a real database: each kind of parameter, or and and, the row scope, pages that stay right."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic import AwareDatetime
from sqlalchemy import ARRAY, Text, true
from sqlmodel import Field, SQLModel
from sqlmodel.main import registry

from shared.db import Database
from shared.db.models import Resource
from shared.db.tables import add_shared_tables
from shared.errors import Invalid, NotSupported
from shared.fhir import search, search_includes, search_query, store
from shared.fhir.search import Include, Reverse, SearchParam
from shared.ids import new_id
from shared.urls import Urls


class Base(SQLModel, registry=registry()):
    """The tables of this test."""


class Sender(Resource):
    """What the matches refer to."""

    __tablename__ = "sender"

    name: str


class Request(Resource):
    """What is searched."""

    __tablename__ = "request"

    status: str
    patient_id: str
    sender_id: UUID
    due_at: AwareDatetime | None = None
    family: str = ""
    identifiers: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))


class SenderTable(Sender, Base, table=True):
    """The table of senders."""


class RequestTable(Request, Base, table=True):
    """The table of requests."""


add_shared_tables(Base.metadata)

STATUS = "http://hl7.org/fhir/request-status"
URLS = Urls(base="https://clinic.example", service="referral")
PARAMS = {
    "status": SearchParam(kind="token", column=RequestTable.status, system=STATUS),
    "stage": SearchParam(kind="coding", column=RequestTable.status, system="urn:stage"),
    "identifier": SearchParam(kind="tokens", column=RequestTable.identifiers),
    "subject": SearchParam(kind="reference", column=RequestTable.patient_id, types=("Patient",)),
    "requester": SearchParam(kind="reference", column=RequestTable.sender_id, types=("Organization",)),
    "due": SearchParam(kind="date", column=RequestTable.due_at),
    "family": SearchParam(kind="string", column=RequestTable.family),
}
INCLUDES = {
    "ServiceRequest:requester": Include(
        resource_type="Organization", model=SenderTable, column=RequestTable.sender_id, visible=None
    )
}
MONDAY = datetime(2026, 1, 5, 15, 30, tzinfo=UTC)
CLINIC, OTHER = new_id(), new_id()


@pytest_asyncio.fixture
async def db(make_database: Any) -> AsyncIterator[Database]:
    """A database with five requests and two senders."""
    database: Database = await make_database(Base.metadata)
    rows: list[tuple[Resource, str]] = [
        (Sender(id=CLINIC, name="clinic"), "Organization"),
        (Sender(id=OTHER, name="other"), "Organization"),
    ]
    for number, (status, family) in enumerate(
        [("active", "Roy"), ("active", "Royer"), ("revoked", "roY"), ("draft", "100%"), ("active", "Ng")]
    ):
        request = Request(
            status=status,
            patient_id=f"p{number % 2}",
            sender_id=CLINIC if number < 3 else OTHER,
            due_at=None if number == 4 else MONDAY + timedelta(days=number),
            family=family,
            identifiers=[f"urn:a|{number}", f"urn:b|x{number}"],
        )
        rows.append((request, "ServiceRequest"))
    async with database.transaction() as tx:
        for row, kind in rows:
            await store.insert(tx, row, {"resourceType": kind, "number": number_of(row)}, at=MONDAY)
    yield database


async def found(db: Database, *query: tuple[str, str], visible: Any = None) -> list[str]:
    """Give the first identifier of each match, without its system."""
    asked = search_query.parse(query, PARAMS, urls=URLS)
    async with db.transaction() as tx:
        page = await search.run(tx, asked, RequestTable, true() if visible is None else visible)
    return numbers(page.rows)


def number_of(row: Resource) -> str | None:
    """Give the number of a request."""
    return row.identifiers[0].partition("|")[2] if isinstance(row, Request) else None


def numbers(rows: Sequence[Resource]) -> list[str]:
    """Give the number of each row."""
    return [json.loads(row.body)["number"] for row in rows]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([], "01234"),
        ([("status", "active")], "014"),
        ([("status", "revoked,draft")], "23"),
        ([("status", "http://hl7.org/fhir/request-status|draft")], "3"),
        ([("status", "http://hl7.org/fhir/task-status|draft")], ""),
        ([("status", "http://hl7.org/fhir/request-status|")], "01234"),
        ([("status", "http://hl7.org/fhir/task-status|")], ""),
        ([("status", "|draft")], "3"),
        ([("status", "DRAFT")], ""),
        ([("status:not", "active")], "23"),
        ([("status:not", "active,draft")], "2"),
        ([("stage", "draft")], "3"),
        ([("stage", "urn:stage|draft")], "3"),
        ([("stage", "|draft")], ""),
        ([("status", "active"), ("subject", "Patient/p0")], "04"),
        ([("subject", "p1")], "13"),
        ([("subject", "https://clinic.example/referral/fhir/Patient/p1")], "13"),
        ([("subject", "https://clinic.example/referral/fhir/Patient/p1/_history/2")], "13"),
        ([("subject", "https://other.example/referral/fhir/Patient/p1")], ""),
        ([("subject", "https://clinic.example.other/referral/fhir/Patient/p1")], ""),
        ([("subject", "https://other.example/fhir/Patient/p1,Patient/p0")], "024"),
        ([("subject:missing", "true")], ""),
        ([("subject:Patient", "p1")], "13"),
        ([("requester", f"Organization/{OTHER}")], "34"),
        ([("requester", "Organization/not-a-uuid")], ""),
        ([("identifier", "urn:a|3")], "3"),
        ([("identifier", "urn:b|x1,urn:a|0")], "01"),
        ([("identifier", "x4")], "4"),
        ([("identifier", r"urn:b|x1\|2")], ""),
        ([("identifier:missing", "false")], "01234"),
        ([("identifier", "urn:a|")], "01234"),
        ([("identifier", "urn:c|")], ""),
        ([("family", "roy")], "012"),
        ([("family:exact", "roy")], ""),
        ([("family:exact", "Roy")], "0"),
        ([("family:contains", "OYE")], "1"),
        ([("family:contains", "00%")], "3"),
        ([("family", "100%")], "3"),
        ([("family", "%")], ""),
        ([("due", "2026-01-06")], "1"),
        ([("due", "ne2026-01-06")], "023"),
        ([("due", "ge2026-01-06")], "123"),
        ([("due", "gt2026-01-06")], "23"),
        ([("due", "lt2026-01-06")], "0"),
        ([("due", "le2026-01-06")], "01"),
        ([("due", "2026-01")], "0123"),
        ([("due", "2026")], "0123"),
        ([("due", "2026-01-05T15:30Z")], "0"),
        ([("due", "2026-01-05T10:30:00-05:00")], "0"),
        ([("due", "2026-01-05T16:30:00 01:00")], "0"),
        ([("due", "ge2026-01-06"), ("due", "lt2026-01-08")], "12"),
        ([("due:missing", "true")], "4"),
        ([("due:missing", "false")], "0123"),
        ([("_lastUpdated", "2026-01-05")], "01234"),
        ([("_lastUpdated", "gt2026-01-05")], ""),
        ([("_id", "nobody")], ""),
        ([("_id", str(CLINIC))], ""),
        ([("_format", "json"), ("status", "draft")], "3"),
        ([("_sort", "-due")], "32104"),
        ([("_sort", "due")], "40123"),
        ([("_sort", "status,-due")], "10432"),
    ],
)
async def test_what_matches_is_found(db: Database, query: list[tuple[str, str]], expected: str) -> None:
    assert "".join(await found(db, *query)) == expected


@pytest.mark.parametrize("sort", ["", "due", "-due", "status", "-status,due", "_lastUpdated", "-family"])
async def test_pages_follow_each_other_without_gap_or_repetition(db: Database, sort: str) -> None:
    whole = await found(db, ("_sort", sort))
    seen: list[str] = []
    after: list[tuple[str, str]] = []
    for _ in range(5):
        asked = search_query.parse([("_sort", sort), ("_count", "2"), *after], PARAMS)
        async with db.transaction() as tx:
            page = await search.run(tx, asked, RequestTable, true())
        seen += numbers(page.rows)
        assert page.total == 5
        if page.next is None:
            break
        after = [("_after", page.next)]
    assert seen == whole
    assert len(seen) == 5


async def test_a_row_out_of_scope_is_neither_found_nor_counted(db: Database) -> None:
    visible = RequestTable.sender_id == OTHER
    asked = search_query.parse([("status", "active")], PARAMS)
    async with db.transaction() as tx:
        page = await search.run(tx, asked, RequestTable, visible)  # type: ignore[arg-type]
    assert (numbers(page.rows), page.total) == (["4"], 1)


async def test_count_0_gives_the_total_only(db: Database) -> None:
    async with db.transaction() as tx:
        page = await search.run(tx, search_query.parse([("_count", "0")], PARAMS), RequestTable, true())
    assert (list(page.rows), page.total, page.next) == ([], 5, None)


async def test_what_the_matches_refer_to_is_included_once_if_visible(db: Database) -> None:
    asked = search_query.parse([("_include", "ServiceRequest:requester")], PARAMS, includes=INCLUDES)
    async with db.transaction() as tx:
        page = await search.run(tx, asked, RequestTable, true())
        both = await search_includes.included(
            tx, asked, page.rows, INCLUDES, reverses={}, of=RequestTable, visible=lambda *_: true()
        )
        one = await search_includes.included(
            tx,
            asked,
            page.rows,
            INCLUDES,
            reverses={},
            of=RequestTable,
            visible=lambda *_: SenderTable.name == "other",  # type: ignore[arg-type,return-value]
        )
    assert [(kind, row.id) for kind, row in both.rows] == [("Organization", CLINIC), ("Organization", OTHER)]
    assert [row.id for _, row in one.rows] == [OTHER]


@pytest.mark.parametrize(
    "wanted",
    ["ServiceRequest:requester", "ServiceRequest:requester:Organization", "ServiceRequest:*", "*"],
)
def test_an_include_has_several_names(wanted: str) -> None:
    asked = search_query.parse([("_include", wanted)], PARAMS, includes=INCLUDES)
    assert asked.includes == ("ServiceRequest:requester",)


@pytest.mark.parametrize("limit", [1000, 2])
async def test_what_refers_to_the_matches_is_included_if_visible_and_not_without_end(
    db: Database, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_includes, "MAX_REVERSE", limit)
    reverses = {
        "ServiceRequest:requester": Reverse(
            resource_type="ServiceRequest",
            model=RequestTable,
            visible=None,
            include=INCLUDES["ServiceRequest:requester"],
        )
    }
    asked = search_query.parse(
        [("_revinclude", "ServiceRequest:requester:Organization"), ("_id", str(CLINIC))],
        PARAMS,
        resource_type="Organization",
        reverses=reverses,
    )
    async with db.transaction() as tx:
        page = await search.run(tx, asked, SenderTable, true())
        found = await search_includes.included(
            tx,
            asked,
            page.rows,
            {},
            reverses=reverses,
            of=SenderTable,
            visible=lambda *_: RequestTable.status == "active",  # type: ignore[arg-type,return-value]
        )
    assert (numbers([row for _, row in found.rows]), found.cut) == (["0", "1"], [])
    if limit == 2:
        return
    assert {kind for kind, _ in found.rows} == {"ServiceRequest"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "x"),
        ("status:in", "x"),
        ("due", "ap2026"),
        ("_sort", "colour"),
        ("_include", "Task:focus"),
        ("_revinclude", "Task:focus"),
        ("_elements", "colour"),
    ],
)
def test_what_is_not_supported_is_ignored_with_a_note_for_a_lenient_caller(name: str, value: str) -> None:
    asked = search_query.parse(
        [("status", "active"), (name, value)], PARAMS, resource_type="ServiceRequest", lenient=True
    )
    assert [criterion.name for criterion in asked.criteria] == ["status"]
    assert [(note.severity, note.expression) for note in asked.notes] == [("warning", name.partition(":")[0])]


@pytest.mark.parametrize("name", ["due", "status", "_count", "_summary", "_total"])
def test_a_wrong_value_is_refused_for_a_lenient_caller_too(name: str) -> None:
    with pytest.raises(Invalid):
        search_query.parse([(name, "")], PARAMS, resource_type="ServiceRequest", lenient=True)


async def test_without_a_total_nothing_is_counted(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_total", None)
    asked = search_query.parse([("_total", "none"), ("_count", "2")], PARAMS)
    async with db.transaction() as tx:
        page = await search.run(tx, asked, RequestTable, true())
    assert (len(page.rows), page.total) == (2, None)


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("colour", "x", NotSupported),
        ("status:in", "x", NotSupported),
        ("status:not", "", Invalid),
        ("due:missing", "perhaps", Invalid),
        ("subject:identifier", "x|1", NotSupported),
        ("subject.name", "x", NotSupported),
        ("subject:Group", "x", NotSupported),
        ("_include", "ServiceRequest:patient", NotSupported),
        ("_sort", "identifier", NotSupported),
        ("_sort", "colour", NotSupported),
        ("_include:iterate", "ServiceRequest:requester", NotSupported),
        ("_include", "ServiceRequest:requester:Patient", NotSupported),
        ("_include", "ServiceRequest:requester:Organization:more", NotSupported),
        ("_include", "Task:*", NotSupported),
        ("_revinclude", "Task:focus", NotSupported),
        ("_summary", "some", Invalid),
        ("_elements", "colour", NotSupported),
        ("_total", "perhaps", Invalid),
        ("due", "ap2026", NotSupported),
        ("due", "yesterday", Invalid),
        ("due", "2026-02-30", Invalid),
        ("due", "", Invalid),
        ("status", "", Invalid),
        ("status", "active,", Invalid),
        ("status", "a\x00b", Invalid),
        ("subject", "Group/1", Invalid),
        ("subject", "a/b/c", Invalid),
        ("_count", "-1", Invalid),
        ("_count", "many", Invalid),
        ("_count", "²", Invalid),
    ],
)
def test_what_is_unknown_or_wrong_is_refused_by_its_name(
    name: str, value: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal) as refused:
        search_query.parse([(name, value)], PARAMS, resource_type="ServiceRequest", includes=INCLUDES)
    assert refused.value.problems[0].expression == name.partition(":")[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "",
        "W10=",
        "bnVsbA==",
        "WzFd",
        "é",
        "W1sidSIsMV1d",
        "W1sidiIseyJhIjoxfV1d",
        "W1siZCIsICIyMDI2LTAxLTAxIl1d",
    ],
)
async def test_a_token_that_is_not_ours_is_refused(db: Database, token: str) -> None:
    with pytest.raises(Invalid) as refused:
        await found(db, ("_after", token))
    assert refused.value.problems[0].expression == "_after"
