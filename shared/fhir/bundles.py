"""Bundles that are answered: transaction-response, searchset and history, around bytes that stay as they are.

Resources are given as they are stored (bytes) or as mappings; the Bundle is returned as bytes, so that no
resource is decoded and written again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

Resource = Mapping[str, Any] | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of one entry of a transaction: `location` is `Type/id/_history/version`."""

    location: str
    version: int
    last_updated: datetime
    status: str = "201 Created"
    resource: Resource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a resource, for a history."""

    location: str
    version: int
    last_updated: datetime
    body: bytes


def transaction_response(entries: Sequence[Answered]) -> bytes:
    """Answer a transaction: one entry per entry that was sent, in the same order."""
    return _bundle("transaction-response", entries=[_answered(entry) for entry in entries])


def searchset(
    matches: Sequence[tuple[str, bytes]],
    *,
    total: int | None,
    self_url: str,
    next_url: str | None = None,
    included: Sequence[tuple[str, bytes]] = (),
    outcomes: Sequence[Mapping[str, Any]] = (),
) -> bytes:
    """Answer a search: `matches` and `included` are pairs of fullUrl and stored bytes."""
    links = [{"relation": "self", "url": self_url}]
    if next_url is not None:
        links.append({"relation": "next", "url": next_url})
    entries = [_found(url, body, "match") for url, body in matches]
    entries += [_found(url, body, "include") for url, body in included]
    entries += [{"resource": outcome, "search": {"mode": "outcome"}} for outcome in outcomes]
    return _bundle("searchset", total=total, link=links, entries=entries)


def history(versions: Sequence[Version], *, base_url: str, self_url: str) -> bytes:
    """Answer a history, the newest version first; `base_url` ends with `/fhir`."""
    entries = [_past(version, base_url.rstrip("/")) for version in versions]
    return _bundle(
        "history", total=len(versions), link=[{"relation": "self", "url": self_url}], entries=entries
    )


def _bundle(kind: str, *, entries: Sequence[Mapping[str, Any]], **members: Any) -> bytes:
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
    bundle |= {name: value for name, value in members.items() if value is not None}
    if entries:
        bundle["entry"] = entries
    return msgspec.json.encode(bundle)


def _answered(entry: Answered) -> dict[str, Any]:
    response = {
        "status": entry.status,
        "location": entry.location,
        "etag": f'W/"{entry.version}"',
        "lastModified": _instant(entry.last_updated),
    }
    if entry.resource is None:
        return {"response": response}
    return {"resource": _embedded(entry.resource), "response": response}


def _found(url: str, body: bytes, mode: Literal["match", "include"]) -> dict[str, Any]:
    return {"fullUrl": url, "resource": msgspec.Raw(body), "search": {"mode": mode}}


def _past(version: Version, base_url: str) -> dict[str, Any]:
    resource = version.location.split("/_history/")[0]
    created = version.version == 1
    return {
        "fullUrl": f"{base_url}/{resource}",
        "resource": msgspec.Raw(version.body),
        "request": {
            "method": "POST" if created else "PUT",
            "url": resource.split("/")[0] if created else resource,
        },
        "response": {
            "status": "201 Created" if created else "200 OK",
            "etag": f'W/"{version.version}"',
            "lastModified": _instant(version.last_updated),
        },
    }


def _embedded(resource: Resource) -> Any:
    return msgspec.Raw(resource) if isinstance(resource, bytes) else resource


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
