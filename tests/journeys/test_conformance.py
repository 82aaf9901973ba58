"""Each sender's example is taken or refused as the table in `docs/conformance.md` says, which is made here.

With `LUMBAR_WRITE_CONFORMANCE=1` the first test writes the table.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from tests.support.clinic import TestClinic
from tests.support.samples import FOLDER
from tests.support.senders import examples
from tests.support.senders.examples import Example

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
_START, _END = "<!-- senders: made by tests/journeys/test_conformance.py -->\n", "<!-- end of senders -->\n"
_WRITES = bool(os.environ.get("LUMBAR_WRITE_CONFORMANCE"))
_HEAD = "| Sender | Example | After | Answer | Why, or what was left out |\n|---|---|---|---|---|\n"


async def row(clinic: TestClinic, example: Example) -> str:
    """Send an example to a clinic of its own, and say what it was told."""
    sender = clinic.as_("family-practice")
    for earlier in example.after:
        assert (await sender.post("/referral/fhir", json=earlier)).status_code == 200
    door = "" if example.sent["resourceType"] == "Bundle" else f"/{example.sent['resourceType']}"
    answer = await sender.post(f"/referral/fhir{door}", json=example.sent)
    assert answer.status_code < 500, f"{example.name}: {answer.text}"
    told = answer.json()
    issues = told.get("issue", []) if answer.status_code >= 300 else list(_noted(told))
    said = dict.fromkeys(str(issue["details"]["text"]) for issue in issues)
    taken = "taken" if answer.status_code < 300 else f"refused, {answer.status_code}"
    why = "; ".join(list(said)[:3]).replace("|", "\\|") + ("; ..." if len(said) > 3 else "")
    return f"| {example.sender} | {example.name} | {example.follows} | {taken} | {why} |\n"


def _noted(told: dict[str, list[dict[str, dict[str, object]]]]) -> Iterable[dict[str, dict[str, str]]]:
    for entry in told.get("entry", []):
        outcome = entry.get("response", {}).get("outcome") or entry.get("resource", {})
        if isinstance(outcome, dict) and outcome.get("resourceType") == "OperationOutcome":
            yield from outcome["issue"]


async def rows(found: Iterable[Example]) -> list[str]:
    made = []
    for example in found:
        async with TestClinic(services=("referral",)) as clinic:
            made.append(await row(clinic, example))
    return made


def in_page() -> list[str]:
    table = PAGE.read_text().partition(_START)[2].partition(_END)[0]
    return [f"{line}\n" for line in table.removeprefix(_HEAD).splitlines() if line]


async def test_each_example_of_a_sender_is_answered_as_the_table_says() -> None:
    made = await rows(examples.made())
    if _WRITES:
        write(made, await rows(examples.stored()))
    assert [line for line in in_page() if "| stored |" not in line] == made
    assert all("| taken |" in line for line in made)


async def test_each_stored_example_is_answered_as_the_table_says() -> None:
    kept = [line for line in in_page() if "| stored |" in line]
    assert len(kept) > 10
    if FOLDER.is_dir():
        assert kept == await rows(examples.stored())


def write(made: list[str], stored: list[str]) -> None:
    """Write the table into the page."""
    before, _, rest = PAGE.read_text().partition(_START)
    table = "".join([*made, *stored])
    PAGE.write_text(f"{before}{_START}{_HEAD}{table}{_END}{rest.partition(_END)[2]}")
