"""The documents that are generated from the catalog."""

import json
from pathlib import Path

from shared.events import document
from shared.events.catalog import CATALOG

DOCS = Path(__file__).parents[3] / "docs"
AGAIN = "the catalog has changed: run `python -m shared.events.document`"


def test_events_md_says_what_the_catalog_says() -> None:
    assert (DOCS / "events.md").read_text() == document.markdown(), AGAIN


def test_asyncapi_says_what_the_catalog_says() -> None:
    assert json.loads((DOCS / "asyncapi.json").read_text()) == document.asyncapi(), AGAIN


def test_every_event_type_stands_in_its_channel() -> None:
    channels = document.asyncapi()["channels"]
    for event in CATALOG.values():
        assert event.name in channels[event.topic]["messages"]
