"""What is kept under an Idempotency-Key: only what wrote something, and only for who may read it now."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from tests.conftest import MakeDatabase
from tests.support.sql import sql
from tests.support.toy import Base, Toy, run_toy

NOTES = "/fhir/Communication"
PATIENT = "0191d4b2-7a70-7000-8000-00000000000a"
KEY = {"Idempotency-Key": "one"}


@pytest_asyncio.fixture
async def toy(make_database: MakeDatabase) -> AsyncIterator[Toy]:
    yield await run_toy(await make_database(Base.metadata))


def a_note() -> dict[str, Any]:
    about = {"reference": f"Patient/{PATIENT}"}
    return {"resourceType": "Communication", "status": "completed", "subject": about}


async def hand_over(toy: Toy, practice: str) -> None:
    """Let every note belong to another practice, as when a patient moves."""
    async with toy.database.transaction() as tx:
        await tx.run("UPDATE toy_note SET organization = $1", practice)


class TestAReplay:
    async def test_is_404_as_a_read_where_the_caller_may_no_longer_read(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **KEY)
        made = await client.post(NOTES, json=a_note())
        await hand_over(toy, "second-practice")
        again = await client.post(NOTES, json=a_note())
        read = await client.get(f"{NOTES}/{made.json()['id']}")
        assert (again.status_code, again.json()) == (read.status_code, read.json()) == (404, read.json())
        assert "idempotent-replayed" not in again.headers
        assert await toy.count("toy_note") == 1
        assert [row["outcome"] for row in await toy.audited()] == ["0", "4", "4"]

    async def test_is_answered_again_once_the_caller_may_read_again(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **KEY)
        made = await client.post(NOTES, json=a_note())
        await hand_over(toy, "second-practice")
        assert (await client.post(NOTES, json=a_note())).status_code == 404
        await hand_over(toy, "family-practice")
        again = await client.post(NOTES, json=a_note())
        assert (again.status_code, again.content) == (201, made.content)
        assert again.headers["idempotent-replayed"] == "true"

    async def test_of_a_change_is_404_where_the_caller_may_no_longer_read(self, toy: Toy) -> None:
        made = (await toy.as_("family-practice").post(NOTES, json=a_note())).json()
        client = toy.as_("family-practice", **KEY, **{"If-Match": 'W/"1"'})
        assert (await client.put(f"{NOTES}/{made['id']}", json=a_note())).status_code == 200
        assert (await client.put(f"{NOTES}/{made['id']}", json=a_note())).status_code == 200
        await hand_over(toy, "second-practice")
        assert (await client.put(f"{NOTES}/{made['id']}", json=a_note())).status_code == 404

    async def test_is_audited_with_what_and_about_whom(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **KEY)
        made = (await client.post(NOTES, json=a_note())).json()
        await client.post(NOTES, json=a_note())
        first, again = await toy.audited()
        assert first["what"] == f"Communication/{made['id']}/_history/1"
        assert again["what"] == f"Communication/{made['id']}"
        assert (again["outcome"], again["patient_id"]) == ("0", PATIENT)


class TestAReading:
    @pytest.mark.parametrize(
        ("address", "sent"),
        [
            pytest.param(f"{NOTES}/_search", {"data": {"subject": f"Patient/{PATIENT}"}}, id="search"),
            pytest.param(f"{NOTES}/$sum", {"json": {"resourceType": "Parameters"}}, id="dry run"),
        ],
    )
    async def test_is_not_kept_under_the_key_and_is_true_each_time(
        self, toy: Toy, address: str, sent: dict[str, Any]
    ) -> None:
        client = toy.as_("family-practice", **KEY)
        first = await client.post(address, **sent)
        assert first.status_code == 200, first.text
        assert await toy.count("idempotency") == 0
        await toy.as_("family-practice").post(NOTES, json=a_note())
        again = await client.post(address, **sent)
        assert "idempotent-replayed" not in again.headers
        assert (again.json().get("total"), first.json().get("total")) in ((1, 0), (None, None))

    async def test_leaves_the_key_to_a_command(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **KEY)
        await client.post(f"{NOTES}/_search", data={"status": "completed"})
        assert (await client.post(NOTES, json=a_note())).status_code == 201
        async with toy.database.transaction() as tx:
            [kept] = await sql(tx, "SELECT about, body FROM idempotency")
        assert kept.about == f"Communication/{msgspec.json.decode(bytes(kept.body))['id']}"
