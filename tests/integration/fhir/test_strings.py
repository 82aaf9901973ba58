"""A text matches however it is written: without case and accents, composed or decomposed, and no other."""

import json
import unicodedata
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import true
from sqlmodel import SQLModel
from sqlmodel.main import registry

from shared.db import Database
from shared.db.models import Resource
from shared.db.tables import add_shared_tables
from shared.fhir import search, search_query, search_values, store
from shared.fhir.search import SearchParam
from tests.integration.fhir.test_search import MONDAY

NAMES = (
    "Émond",
    "Strauß",
    "İnce",
    "Iş\u0131k",
    "ǅungla",
    "O'Brien",
    "Ng",
    "Łukasz",
    "Lœuillet",
    "Ὀδυσσεύς",
    "ﬃcial",
)


class Base(SQLModel, registry=registry()):
    """The tables of this test."""


class Named(Resource):
    """Who is searched for."""

    __tablename__ = "named"

    family: str


class NamedTable(Named, Base, table=True):
    """The table of names."""


add_shared_tables(Base.metadata)
PARAMS = {"family": SearchParam(kind="string", column=NamedTable.family)}


@pytest_asyncio.fixture
async def db(make_database: Any) -> AsyncIterator[Database]:
    """A database with one of each name, composed and decomposed in turn."""
    database: Database = await make_database(Base.metadata)
    async with database.transaction() as tx:
        for number, name in enumerate(NAMES):
            written = unicodedata.normalize("NFD" if number % 2 else "NFC", name)
            await store.insert(
                tx, Named(family=written), {"resourceType": "Patient", "name": name}, at=MONDAY
            )
    yield database


async def found(db: Database, text: str, *, modifier: str = "") -> list[str]:
    """Give the names that a text finds."""
    asked = search_query.parse([(f"family{modifier}", text)], PARAMS)
    async with db.transaction() as tx:
        page = await search.run(tx, asked, NamedTable, true())
        return [json.loads(row.body)["name"] for row in page.rows]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("emond", "Émond"),
        ("E\u0301MO", "Émond"),
        ("éMOND", "Émond"),
        ("strauss", "Strauß"),
        ("STRAUẞ", "Strauß"),
        ("Strauß", "Strauß"),
        ("ince", "İnce"),
        ("İNCE", "İnce"),
        ("i\u0307nce", "İnce"),
        ("\u0131ŞI", "Iş\u0131k"),
        ("IŞIK", "Iş\u0131k"),
        ("isik", "Iş\u0131k"),
        ("lukasz", "Łukasz"),
        ("LOEUILLET", "Lœuillet"),
        ("dzungla", "ǅungla"),
        ("o'b", "O'Brien"),
        ("łuk", "Łukasz"),
        ("οδυσσευς", "Ὀδυσσεύς"),
        ("FFI", "ﬃcial"),
    ],
)
async def test_of_a_beginning(db: Database, text: str, name: str) -> None:
    assert await found(db, text) == [name]
    assert await found(db, text, modifier=":contains") == [name]


@pytest.mark.parametrize("text", ["mond", "%", "_", "n%", "emondé", "\\%"])
async def test_of_what_is_none(db: Database, text: str) -> None:
    assert await found(db, text.replace("\\", "\\\\")) == []


async def test_of_the_whole_as_it_is_written(db: Database) -> None:
    assert await found(db, "Émond", modifier=":exact") == ["Émond"]
    assert await found(db, "emond", modifier=":exact") == []


@pytest.mark.parametrize("name", NAMES)
async def test_both_sides_are_folded_alike(db: Database, name: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        for cased in (name, name.upper(), name.lower(), name.swapcase()):
            written = unicodedata.normalize(form, cased)
            if search_values.folded(written) == search_values.folded(name):
                assert name in await found(db, written), written
