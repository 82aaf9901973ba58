"""A Binary (R4B binary.html) as the resource that it is, and the places of other resources that name one."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.referral.models import content_types
from services.referral.models.attachments import Attachment
from services.referral.models.submission import Piece
from shared.errors import Problem
from shared.fhir import references
from shared.fhir.references import Form
from shared.fhir.search_values import as_uuid
from shared.fhir.store import overlaid
from shared.urls import Urls


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBinary:
    """An Attachment element whose `url` names a Binary, with what else it says of it and where it stands.

    `url` is as it was written, `id` the one in it, None where it has none of ours; `is_ours` says that it
    means this server: an absolute address of it, or a relative one of a resource that has no other home.
    """

    url: str
    id: UUID | None
    is_ours: bool
    expression: str
    size: Any = None
    digest: Any = None
    content_type: Any = None


def resource(*, content_type: str, security_context: Mapping[str, Any] | None) -> dict[str, Any]:
    """Render a Binary without its data, which stands beside it."""
    found: dict[str, Any] = {"resourceType": "Binary", "contentType": content_type}
    return found if security_context is None else {**found, "securityContext": security_context}


def with_data(row: Attachment, content: bytes) -> bytes:
    """Write a Binary with its data."""
    return overlaid(row.body, {"data": b64encode(content).decode("ascii")})


def content_of(data: Mapping[str, Any]) -> bytes | None:
    """Decode the data of a Binary; None where it has none."""
    try:
        return b64decode("".join(str(data.get("data") or "").split()), validate=True) or None
    except ValueError:
        return None


def problems(piece: Piece, where: str) -> Iterator[Problem]:
    """Find what keeps a Binary that came as JSON from being kept."""
    said = str(piece.data.get("contentType"))
    known, content = content_types.stated(said), content_of(piece.data)
    if known is None:
        yield Problem(
            text=content_types.not_kept(said), code="not-supported", expression=f"{where}.contentType"
        )
    if content is None:
        yield Problem(text="a Binary has its data, in base64", code="required", expression=f"{where}.data")
    elif known is not None and not is_what_it_says(known, content):
        text = f"the bytes are no {known.kind.name}"
        yield Problem(text=text, code="value", expression=f"{where}.data")


def is_what_it_says(known: content_types.Stated, content: bytes) -> bool:
    """Tell whether bytes are of the form that they are said to have."""
    return known.kind.fits(content[: content_types.HEAD]) and known.kind.goes_on(content)


def named_in(piece: Piece, where: str, *, urls: Urls) -> list[NamedBinary]:
    """List the Binaries that attachments in a resource name; `urls` tell which addresses are ours.

    In an entry whose fullUrl is an address of another server a relative url means that server (R4
    bundle.html 2.36.4), unless the id is one of ours.
    """
    home = next((link for link in piece.links if "://" in link and not link.startswith("urn:")), "")
    is_foreign = bool(home) and not urls.owns(home)
    return list(_named(piece.data, where, urls=urls, is_foreign=is_foreign))


def _named(node: Any, where: str, *, urls: Urls, is_foreign: bool) -> Iterator[NamedBinary]:
    if isinstance(node, list):
        for index, part in enumerate(node):
            yield from _named(part, f"{where}[{index}]", urls=urls, is_foreign=is_foreign)
    if not isinstance(node, dict):
        return
    url = node.get("url")
    if isinstance(url, str) and not any(name.startswith("value") or name == "extension" for name in node):
        yield from _of(node, url, where, urls=urls, is_foreign=is_foreign)
    for name, value in node.items():
        if isinstance(value, dict | list):
            yield from _named(value, f"{where}.{name}", urls=urls, is_foreign=is_foreign)


def _of(
    node: Mapping[str, Any], url: str, where: str, *, urls: Urls, is_foreign: bool
) -> Iterator[NamedBinary]:
    parsed = references.parse(url)
    if parsed.form is not Form.URN and parsed.type != "Binary":
        return
    is_here = references.is_ours(parsed, urls)
    means_another = is_foreign and parsed.base is None
    yield NamedBinary(
        url=url,
        id=as_uuid(parsed.id) if parsed.id is not None and is_here else None,
        is_ours=parsed.form is not Form.URN and is_here and not means_another,
        expression=f"{where}.url",
        size=node.get("size"),
        digest=node.get("hash"),
        content_type=node.get("contentType"),
    )
