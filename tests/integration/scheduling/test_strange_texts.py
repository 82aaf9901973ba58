"""Whatever text the reason of a cancelled visit holds: stored whole or refused by name."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.scheduling.test_doors import APPOINTMENT, PAT, clinic, first_of, refer
from tests.support.clinic import TestClinic
from tests.support.strange_texts import TEXTS, encoded, refused_by_name

__all__ = ["clinic"]
_ANY = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
PLACES = ("text", "system", "code", "display", "comment", "identifier")


def cancelled(visit: dict[str, Any], place: str, text: str) -> dict[str, Any]:
    other: dict[str, Any] = {"system": "urn:other", "code": "x"}
    why: dict[str, Any] = {"coding": [{"system": PAT, "code": "pat"}, other], "text": "The patient is ill"}
    changed = visit | {"status": "cancelled", "cancelationReason": why}
    if place == "text":
        why["text"] = text
    elif place in ("system", "code", "display"):
        other[place] = text
    elif place == "comment":
        changed["comment"] = text
    else:
        changed["identifier"] = [{"system": "urn:v", "value": text}]
    return changed


@_ANY
@given(place=st.sampled_from(PLACES), text=TEXTS)
async def test_in_the_reason_of_a_cancelled_visit(clinic: TestClinic, place: str, text: str) -> None:
    visit = await first_of(clinic, await refer(clinic))
    answer = await clinic.as_("coordinator").put(
        f"{APPOINTMENT}/{visit['id']}",
        content=encoded(cancelled(visit, place, text)),
        headers={"If-Match": f'W/"{visit["meta"]["versionId"]}"', "Content-Type": "application/fhir+json"},
    )
    if answer.status_code == 200 and place in ("text", "system", "code", "display"):
        why = answer.json()["cancelationReason"]
        found = why["text"] if place == "text" else why["coding"][1][place]
        assert found.strip() == text.strip()
    elif answer.status_code != 200:
        assert refused_by_name(answer, place, "value", "cancelationReason"), (place, answer.text)
