"""Whatever text a message, an outcome, a case, a goal or a plan holds: stored whole or refused by name."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.careteam.care import (
    BASE,
    a_case,
    a_message,
    a_rating,
    active_plan,
    one,
    oswestry,
    seen,
)
from tests.support.clinic import TestClinic
from tests.support.strange_texts import TEXTS, encoded, refused_by_name

_ANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
JSON = {"Content-Type": "application/fhir+json"}
Steps = tuple[Any, ...]
SENT: list[tuple[dict[str, Any], Steps]] = [
    (a_message(""), ("payload", 0, "contentString")),
    (a_message("Hello", identifier=[{"system": "urn:m", "value": ""}]), ("identifier", 0, "value")),
    (a_message("Hello", identifier=[{"system": "", "value": "1"}]), ("identifier", 0, "system")),
    (a_rating(6, note=[{"text": ""}]), ("note", 0, "text")),
    (a_rating(6, identifier=[{"value": ""}]), ("identifier", 0, "value")),
    (oswestry(*[2] * 10, identifier={"value": ""}), ("identifier", "value")),
    (a_case(""), ("reasonCode", "text")),
]


@pytest_asyncio.fixture
async def team(clinic: TestClinic) -> AsyncIterator[TestClinic]:
    await seen(clinic)
    await active_plan(clinic)
    yield clinic


def with_text(resource: dict[str, Any], steps: Steps, text: str) -> dict[str, Any]:
    step, *rest = steps
    if not rest:
        return {**resource, step: text}
    if isinstance(resource[step], list):
        index, *rest = rest
        parts = list(resource[step])
        parts[index] = with_text(parts[index], tuple(rest), text)
        return {**resource, step: parts}
    return {**resource, step: with_text(resource[step], tuple(rest), text)}


def text_at(resource: Any, steps: Steps) -> str:
    for step in steps:
        resource = resource[step]
    return str(resource)


def stored_or_refused(answer: httpx.Response, steps: Steps, text: str) -> None:
    last = str(steps[-1])
    if answer.is_success:
        assert text_at(answer.json(), steps) == text
    elif answer.status_code != 409:
        choice = {"contentString": "content.ofType(string)"}.get(last, last)
        assert refused_by_name(answer, last, choice), answer.text


@_ANY
@given(sent=st.sampled_from(SENT), text=TEXTS)
async def test_in_what_is_sent(team: TestClinic, sent: tuple[dict[str, Any], Steps], text: str) -> None:
    resource, steps = sent
    address = f"{BASE}/{resource['resourceType']}"
    body = encoded(with_text(resource, steps, text))
    stored_or_refused(await team.as_("physiatrist").post(address, content=body, headers=JSON), steps, text)


@pytest.mark.parametrize(
    ("search", "steps"),
    [
        ("CarePlan?patient=patient-1", ("activity", 0, "detail", "description")),
        ("CareTeam?patient=patient-1", ("name",)),
    ],
)
@_ANY
@given(text=TEXTS)
async def test_in_what_is_changed(team: TestClinic, search: str, steps: Steps, text: str) -> None:
    by = "physiatrist" if search.startswith("CarePlan") else "coordinator"
    current = await one(team, search, by=by)
    version = {"If-Match": f'W/"{current["meta"]["versionId"]}"'}
    answer = await team.as_(by).put(
        f"{BASE}/{current['resourceType']}/{current['id']}",
        content=encoded(with_text(current, steps, text)),
        headers=JSON | version,
    )
    if answer.is_success and steps == ("name",):
        return  # a team's name is ours
    stored_or_refused(answer, steps, text)
