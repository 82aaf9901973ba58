"""Versions of a resource in the headers: ETag, Last-Modified, If-Match, and references to one version."""

from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime

import msgspec
from starlette.requests import Request

from shared.db.models import Resource
from shared.errors import Invalid, Stale


class MissingIfMatch(Invalid):
    """A change of a resource must name the version that it changes."""

    code = "required"


class OtherVersion(Stale):
    """If-Match names another version than the current one."""


def check_match(request: Request, row: Resource) -> None:
    """Hold If-Match against the row's version: raises Stale; Invalid on PUT and DELETE without one."""
    wanted = request.headers.get("if-match")
    if wanted is None:
        if request.method in ("PUT", "DELETE"):
            raise MissingIfMatch(f'say which version you change: If-Match: W/"{row.version}"')
        return
    versions = {version_in(part) for part in wanted.split(",")}
    if "*" not in versions and str(row.version) not in versions:
        raise OtherVersion(f'If-Match names {wanted}; the current version is W/"{row.version}"')


def version_headers(row: Resource) -> dict[str, str]:
    """ETag and Last-Modified of a row."""
    headers = {"ETag": f'W/"{row.version}"'}
    if row.last_updated is not None:
        headers["Last-Modified"] = format_datetime(row.last_updated, usegmt=True)
    return headers


def is_known(request: Request, row: Resource) -> bool:
    """Tell whether the caller has this version already: by If-None-Match, else by If-Modified-Since."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return bool({"*", str(row.version)} & {version_in(tag) for tag in tags.split(",")})
    since = request.headers.get("if-modified-since")
    if since is None or row.last_updated is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    # A date of HTTP has whole seconds, in UTC whether it says so or not.
    known = moment.replace(tzinfo=moment.tzinfo or UTC)
    return row.last_updated.replace(microsecond=0) <= known


def version_in(tag: str) -> str:
    """Read the version out of an entity tag: `W/"3"` is 3."""
    return tag.strip().removeprefix("W/").strip('"')


class _TypeOnly(msgspec.Struct):
    resourceType: str = "Resource"


def reference_to(row: Resource) -> str:
    """Refer to one version of a row, by the type that stands in its body."""
    kind = msgspec.json.decode(row.body, type=_TypeOnly).resourceType if row.body else "Resource"
    return f"{kind}/{row.fhir_id}/_history/{row.version}"
