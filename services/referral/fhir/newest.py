"""Which of several resources is the newest: by what its author wrote, not by the order of arrival."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.referral.fhir.reading import moment_of

_NOW = datetime.max.replace(tzinfo=UTC)


def oldest_first(
    resources: Iterable[Mapping[str, Any]],
    *,
    by: str,
    ends: Callable[[Mapping[str, Any]], bool] = lambda _: False,
) -> list[Mapping[str, Any]]:
    """Sort resources by a dateTime of theirs; one without it is as old as its last change, else the newest.

    None is newer than its arrival. Of one that `ends` something a day without a time is the whole day, so
    that it counts over what was given on it.
    """
    return sorted(resources, key=lambda resource: (_written(resource, by, ends(resource)), ends(resource)))


def _written(resource: Mapping[str, Any], by: str, is_end: bool) -> datetime:
    arrived = moment_of(resource.get("meta", {}).get("lastUpdated")) or _NOW
    text = resource.get(by)
    said = moment_of(text)
    if said is None:
        return arrived
    if is_end and "T" not in str(text):
        said += timedelta(days=1)
    return min(said, arrived)
