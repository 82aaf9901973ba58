"""Reading a FHIR reference in each of its forms, and replacing the links of a Bundle in the bytes.

Forms (R4 references.html 2.3.0): relative `Patient/1`, absolute `https://x/fhir/Patient/1`, either with
`/_history/2`; `urn:uuid:`/`urn:oid:` (an entry of the same Bundle); `#x` (contained); a search
`Patient?identifier=...` (conditional); and an element with an `identifier` only (logical).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from shared.errors import Invalid
from shared.urls import Urls

_URL = re.compile(
    r"(?P<base>(?:https?|HTTPS?)://[^\s?#]*?/)?"
    r"(?P<type>[A-Z][A-Za-z]{1,63})/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?(?:#\S*)?"
)
_PAIR = r"[A-Za-z_][A-Za-z0-9_\-.:]*=[^\s&=?]+"
_CONDITIONAL = re.compile(rf"(?:https?://[^\s?#]*/)?(?P<type>[A-Z][A-Za-z]{{1,63}})\?{_PAIR}(?:&{_PAIR})*")
_URN = re.compile(r"urn:(?:uuid|oid):\S+")

# Where a transaction replaces links (R4 http.html 3.1.0.11.2): references and elements of type uri, url, oid
# and uuid, never canonicals. `system` names a vocabulary, never an entry.
_LINK_MEMBERS = frozenset(
    {"reference", "url", "uri", "source", "instantiatesUri", "valueUri", "valueUrl", "valueOid", "valueUuid"}
)
# Elements that say whom a resource is about, whatever types they may refer to.
ABOUT = ("subject", "patient", "beneficiary", "for")
_LOOKED_AT = frozenset(name.encode() for name in (*_LINK_MEMBERS, "div"))
_STRING = re.compile(rb'"(?P<name>[^"\\]*(?:\\.[^"\\]*)*)"(?P<key>[ \t\r\n]*:)?', re.DOTALL)
_HTML_LINK = re.compile(r"""(?P<before>\b(?:href|src)\s*=\s*(?P<quote>["']))(?P<link>[^"']*)(?P=quote)""")


# References of usual length are taken apart once: a Bundle names its patient ten times.
_REMEMBERED_LENGTH = 200


class Form(StrEnum):
    """How a reference names its target."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"
    URN = "urn"
    FRAGMENT = "fragment"
    CONDITIONAL = "conditional"
    LOGICAL = "logical"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedReference:
    """A reference taken apart; `text` is the reference as it was written."""

    form: Form
    text: str = ""
    type: str | None = None
    id: str | None = None
    version: str | None = None
    base: str | None = None


def parse(reference: str | Mapping[str, Any]) -> ParsedReference:
    """Take a reference apart: its text, or the Reference element around it; never fails."""
    if isinstance(reference, str):
        return _known(reference)
    text, stated = reference.get("reference"), reference.get("type")
    stated = stated.rsplit("/", 1)[-1] if isinstance(stated, str) else None
    if not isinstance(text, str):
        return ParsedReference(form=Form.LOGICAL if "identifier" in reference else Form.OTHER, type=stated)
    parsed = _known(text)
    if parsed.type is None and stated is not None:
        return ParsedReference(form=parsed.form, text=text, type=stated, id=parsed.id)
    return parsed


def is_ours(parsed: ParsedReference, urls: Urls | None) -> bool:
    """Tell whether a reference names something of this clinic: a relative one, or one of its own URLs.

    Without `urls` every absolute URL is another server's.
    """
    return parsed.base is None or (urls is not None and urls.owns(parsed.base))


def own_id(reference: str | Mapping[str, Any], *, urls: Urls, expression: str | None = None) -> str:
    """Give the id in a reference that a caller sent; raises Invalid for one without, or of another server."""
    if not is_ours(parse(reference), urls):
        raise Invalid("this names a resource of another server, not of this clinic", expression=expression)
    return local_id(reference, expression=expression)


def local_id(reference: str | Mapping[str, Any], *, expression: str | None = None) -> str:
    """Give the id in a reference that this clinic wrote; raises Invalid for a reference without one."""
    parsed = parse(reference)
    if parsed.form not in (Form.RELATIVE, Form.ABSOLUTE) or parsed.id is None:
        raise Invalid("a reference of the form Type/id is needed here", expression=expression)
    return parsed.id


def reference_type(reference: str | Mapping[str, Any]) -> str | None:
    """Give the resource type that a reference says it points to, or None where it does not say."""
    return parse(reference).type


def replaced(body: bytes, links: Mapping[str, str]) -> bytes:
    """Replace links in a JSON body and keep every other byte.

    `links` maps a reference as it was written (an entry's fullUrl, `urn:uuid:...`) to `Type/id`. A string is
    a link when it is equal to one and its member is a reference or of a uri type, or when it is the href or
    src of the narrative; a text that merely looks like one stays.
    """
    if not links or not _mentions(body, links):
        return body
    if (plainly := _plainly_replaced(body, links)) is not None:
        return plainly
    pieces: list[bytes] = []
    member, done = b"", 0
    for match in _STRING.finditer(body):
        if match["key"]:
            member = match["name"]
            continue
        if member not in _LOOKED_AT and b"\\" not in member:
            continue
        new = _replacement(json.loads(b'"' + member + b'"'), match.group(), links)
        if new is not None:
            pieces += [body[done : match.start()], new]
            done = match.end()
    return b"".join([*pieces, body[done:]])


def _mentions(body: bytes, links: Mapping[str, str]) -> bool:
    """Tell whether a link may stand in a body; with an escape in it, only the strings themselves can tell."""
    return b"\\" in body or any(link.encode() in body for link in links)


def _plainly_replaced(body: bytes, links: Mapping[str, str]) -> bytes | None:
    """Replace where every mention is a whole `"reference":"..."`; None where one may be anything else."""
    if b"\\" in body or not links.keys().isdisjoint(links.values()):
        return None
    found = []
    for link, target in links.items():
        if mentions := body.count(link.encode()):
            whole = b'"reference":"%s"' % link.encode()
            if body.count(whole) != mentions:
                return None
            found.append((whole, b'"reference":' + json.dumps(target, ensure_ascii=False).encode()))
    for whole, new in found:
        body = body.replace(whole, new)
    return body


def _known(text: str) -> ParsedReference:
    return _remembered(text) if len(text) <= _REMEMBERED_LENGTH else _parsed(text)


@lru_cache(maxsize=4096)
def _remembered(text: str) -> ParsedReference:
    return _parsed(text)


def _parsed(text: str) -> ParsedReference:
    if text.startswith("#"):
        return ParsedReference(form=Form.FRAGMENT, text=text, id=text[1:])
    if _URN.fullmatch(text):
        return ParsedReference(form=Form.URN, text=text)
    if match := _URL.fullmatch(text):
        form = Form.ABSOLUTE if match["base"] else Form.RELATIVE
        return ParsedReference(form=form, text=text, **match.groupdict())
    if match := _CONDITIONAL.fullmatch(text):
        return ParsedReference(form=Form.CONDITIONAL, text=text, type=match["type"])
    return ParsedReference(form=Form.OTHER, text=text)


def _replacement(member: str, token: bytes, links: Mapping[str, str]) -> bytes | None:
    if member in _LINK_MEMBERS:
        text = json.loads(token) if b"\\" in token else token[1:-1].decode()
        new = links.get(text)
    elif member == "div":
        text = json.loads(token)
        new = _HTML_LINK.sub(lambda match: _html_link(match, links), text)
        new = None if new == text else new
    else:
        return None
    return None if new is None else json.dumps(new, ensure_ascii=False).encode()


def _html_link(match: re.Match[str], links: Mapping[str, str]) -> str:
    link = links.get(match["link"], match["link"])
    return f"{match['before']}{link}{match['quote']}"
