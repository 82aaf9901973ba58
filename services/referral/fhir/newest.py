"""Which of several resources is the newest: by what its author wrote, not by the order of arrival."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from services.referral.fhir.reading import moment_of

_NOW = datetime.max.replace(tzinfo=UTC)


def oldest_first(resources: Iterable[Mapping[str, Any]], *, by: str) -> list[Mapping[str, Any]]:
    """Sort resources by a dateTime of theirs; one without it is as old as its last change, else the
    newest.
    """
    return sorted(resources, key=lambda resource: _written(resource, by))


def _written(resource: Mapping[str, Any], by: str) -> datetime:
    said = moment_of(resource.get(by))
    return said or moment_of(resource.get("meta", {}).get("lastUpdated")) or _NOW
