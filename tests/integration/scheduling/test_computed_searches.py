"""Free time, which is computed when it is asked for, is searched with the controls of every other search."""

from typing import Any

import pytest

from tests.integration.scheduling.test_doors import clinic
from tests.support.clinic import BASE_URL, TestClinic

__all__ = ["clinic"]

BASE = "/scheduling/fhir"
MONTHS = "start=ge2026-03-03T00:00:00Z&start=lt2026-05-03T00:00:00Z"
DAY = "start=ge2026-03-03T00:00:00Z&start=lt2026-03-04T00:00:00Z"


async def get(clinic: TestClinic, path: str, **headers: str) -> Any:
    answer = await clinic.as_("coordinator").get(f"{BASE}/{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_part_a_count_a_format_and_an_id(clinic: TestClinic) -> None:
    whole = await get(clinic, f"Slot?{DAY}&_format=json")
    part = await get(clinic, f"Slot?{DAY}&_elements=start")
    assert set(part["entry"][0]["resource"]) == {
        "resourceType",
        "id",
        "meta",
        *("schedule", "status", "start", "end"),
    }
    count = await get(clinic, f"Slot?{DAY}&_summary=count")
    assert (count["total"], "entry" in count) == (whole["total"], False)
    assert "total" not in await get(clinic, f"Slot?{DAY}&_total=none")
    first = whole["entry"][0]["resource"]["id"]
    one = await get(clinic, f"Slot?{DAY}&_id={first}")
    assert [entry["resource"]["id"] for entry in one["entry"]] == [first]


async def test_as_many_as_asked_for_and_a_link_to_the_rest(clinic: TestClinic) -> None:
    whole = [entry["resource"]["id"] for entry in (await get(clinic, f"Slot?{MONTHS}"))["entry"]]
    assert len(whole) > 50, "all of it comes where no count is asked for"
    page, found = await get(clinic, f"Slot?{MONTHS}&_count=30"), list[str]()
    while True:
        ids = [entry["resource"]["id"] for entry in page["entry"]]
        found += ids
        links = {link["relation"]: link["url"] for link in page["link"]}
        if "next" not in links:
            break
        assert (len(ids), page["total"]) == (30, len(whole))
        page = await get(clinic, links["next"].partition(f"{BASE}/")[2])
    assert found == whole
    assert "entry" not in await get(clinic, f"Slot?{MONTHS}&_count=0")
    strange = await clinic.as_("coordinator").get(f"{BASE}/Slot?{MONTHS}&_after=there")
    assert (strange.status_code, strange.json()["issue"][0]["expression"]) == (422, ["_after"])


async def test_by_post_and_by_our_own_url(clinic: TestClinic) -> None:
    named = await get(clinic, "Schedule?actor=Practitioner/psychologist")
    ours = await get(clinic, f"Schedule?actor={BASE_URL}/scheduling/fhir/Practitioner/psychologist")
    form = {"actor": "Practitioner/psychologist"}
    posted = await clinic.as_("coordinator").post(f"{BASE}/Schedule/_search", data=form)
    assert named["total"] == ours["total"] == posted.json()["total"] == 1
    theirs = await get(clinic, "Schedule?actor=https://other.example/fhir/Practitioner/psychologist")
    assert theirs["total"] == 0


@pytest.mark.parametrize(
    "asked", ["colour=red", "_sort=start", "_lastUpdated=2026", "status:not=busy", "_include=x"]
)
async def test_what_is_not_supported_is_refused_or_noted(clinic: TestClinic, asked: str) -> None:
    strict = await clinic.as_("coordinator").get(f"{BASE}/Slot?{DAY}&{asked}")
    assert strict.status_code == 400
    found = await get(clinic, f"Slot?{DAY}&{asked}", Prefer="handling=lenient")
    assert found["entry"][-1]["search"]["mode"] == "outcome"
    assert found["entry"][0]["search"]["mode"] == "match"
