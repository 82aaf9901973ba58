"""An event can only grow: what consumers were promised in a sample stays true of the event of today."""

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from shared.events.catalog import CATALOG
from shared.events.envelope import Event
from tests.contract.make_samples import SAMPLES, path_of, sample

PROMISED = sorted(SAMPLES.glob("*.json"))


def without_what_was_promised(promised: Any, today: Any, at: str = "") -> list[str]:
    """List every member of the promise that is missing or different today; more than promised is fine."""
    if isinstance(promised, dict) and isinstance(today, dict):
        return [
            gap
            for name, value in promised.items()
            for gap in (
                without_what_was_promised(value, today[name], f"{at}.{name}")
                if name in today
                else [f"{at}.{name} is gone"]
            )
        ]
    if isinstance(promised, list) and isinstance(today, list) and len(promised) <= len(today):
        return [
            gap
            for index, value in enumerate(promised)
            for gap in without_what_was_promised(value, today[index], f"{at}[{index}]")
        ]
    return [] if promised == today else [f"{at} was {promised!r} and is {today!r}"]


# The header once stood under no base, so that its own focus did not resolve; nobody finds it by its address.
_HEADERS_ADDRESS = ".value.entry[0].fullUrl was 'urn:uuid:"


@pytest.mark.parametrize("path", PROMISED, ids=lambda path: path.stem)
def test_an_event_can_only_grow(path: Path) -> None:
    promised = json.loads(path.read_text())
    assert path.stem in CATALOG, "an event type is never removed or renamed; a breaking change is a .v2"
    gaps = without_what_was_promised(promised, sample(CATALOG[path.stem]))
    assert [gap for gap in gaps if not gap.startswith(_HEADERS_ADDRESS)] == []


@pytest.mark.parametrize("path", PROMISED, ids=lambda path: path.stem)
def test_an_event_as_promised_is_still_understood(path: Path) -> None:
    promised = json.loads(path.read_text())
    value = json.dumps(promised["value"]).encode()
    event = Event.from_wire(key="p1", headers=promised["headers"], value=value)
    assert event.type == path.stem
    assert event.focus["resourceType"] in CATALOG[path.stem].focus_types


@pytest.mark.parametrize("path", PROMISED, ids=lambda path: path.stem)
def test_a_sample_is_a_message_of_r4b(path: Path) -> None:
    Bundle.model_validate_json(json.dumps(json.loads(path.read_text())["value"]))


def test_every_event_type_has_a_sample() -> None:
    missing = [name for name in CATALOG if not path_of(name).exists()]
    assert missing == [], "run `python -m tests.contract.make_samples`"


def test_a_member_that_is_gone_is_found() -> None:
    assert without_what_was_promised({"a": [{"b": 1}]}, {"a": [{"c": 1}]}) == [".a[0].b is gone"]
    assert without_what_was_promised({"a": 1}, {"a": 1, "b": 2}) == []
