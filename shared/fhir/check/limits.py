"""Step 1: the limits that hold before anything is understood.

In this order: size, JSON in UTF-8 (msgspec is strict: no NaN, lone surrogate, comment, trailing comma),
depth, no member twice (R4 json.html 2.6.2.1), a known resourceType, number of entries. A body nested 100,000
deep ends in the parser's own recursion limit within a millisecond and is refused like any other.
"""

import json
import re
from typing import Any, NoReturn

import msgspec

from shared.errors import Malformed, Problem, TooLarge
from shared.fhir.check.schema import is_resource_type

MAX_BYTES = 1024 * 1024
MAX_ENTRIES = 200
MAX_DEPTH = 64
# Objects and arrays; real resources have one per 40 bytes or more, and each one costs time.
MAX_NODES = 40_000
MAX_PROBLEMS = 100

_MARK = b"\xef\xbb\xbf"
_OPENING = re.compile(rb'(?:\s*(?:"[^"\\]{0,200}"\s*[:,]|[\[{])){0,400}')
_DECODER = msgspec.json.Decoder()


def without_mark(body: bytes) -> bytes:
    """Drop a byte order mark: it may not be sent and may be ignored (RFC 8259 8.1); real files have one."""
    return body.removeprefix(_MARK)


def decoded(body: bytes) -> dict[str, Any]:
    """Decode a body that keeps all limits; raises TooLarge or Malformed."""
    data = parsed(body)
    hold(body, data)
    return data


def parsed(body: bytes) -> dict[str, Any]:
    """Decode a body that keeps the limits of size; raises TooLarge or Malformed."""
    if len(body) > MAX_BYTES:
        raise TooLarge(f"the body has more than {MAX_BYTES} bytes")
    if body.count(b"{") + body.count(b"[") > MAX_NODES:
        _refuse_nodes(body)
    data = _parsed(body)
    if not isinstance(data, dict):
        raise Malformed("a FHIR resource is a JSON object")
    _known_type(data)
    entries = data.get("entry")
    if data["resourceType"] == "Bundle" and isinstance(entries, list) and len(entries) > MAX_ENTRIES:
        raise TooLarge(f"the Bundle has more than {MAX_ENTRIES} entries", expression="Bundle.entry")
    return data


def hold(body: bytes, data: dict[str, Any]) -> None:
    """Hold a parsed body to the limits of its form, depth and no member twice; raises Malformed."""
    if _deeper_than(MAX_DEPTH, data):
        raise Malformed(f"the body is nested deeper than {MAX_DEPTH}")
    _no_member_twice(body)


def _refuse_nodes(body: bytes) -> NoReturn:
    """Refuse too many objects and arrays; where they stand one in the other from the start, say so."""
    opening = _OPENING.match(body)
    if opening and opening.group().count(b"[") + opening.group().count(b"{") > MAX_DEPTH:
        raise Malformed(f"the body is nested deeper than {MAX_DEPTH}")
    raise TooLarge(f"the body has more than {MAX_NODES} objects and arrays")


def _parsed(body: bytes) -> Any:
    try:
        return _DECODER.decode(body)
    except RecursionError:
        raise Malformed(f"the body is nested deeper than {MAX_DEPTH}") from None
    except UnicodeDecodeError:
        raise Malformed("the body is not valid UTF-8") from None
    except msgspec.MsgspecError as error:
        raise Malformed(f"the body is no JSON: {_clean(str(error))}") from None


def _clean(text: str) -> str:
    """Keep what the parser says of syntax; its texts name a place in bytes and never a value."""
    return text.removeprefix("JSON is malformed: ")


def _deeper_than(limit: int, data: Any) -> bool:
    level = [data]
    for _ in range(limit):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node if type(node) is list else ())
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


class _Twice(Exception):
    def __init__(self, member: str) -> None:
        self.member = member


def _no_member_twice(body: bytes) -> None:
    try:
        json.loads(body, object_pairs_hook=_unique)
    except _Twice as twice:
        problem = Problem(
            text=f"the member {_shown(twice.member)} stands twice in one object", code="structure"
        )
        raise Malformed(problems=[problem]) from None


def _unique(pairs: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) == len(pairs):
        return
    for name, _ in pairs:
        if name not in names:
            raise _Twice(name)
        names.discard(name)


def _known_type(data: dict[str, Any]) -> None:
    name = data.get("resourceType")
    if not isinstance(name, str):
        raise Malformed("a FHIR resource names its resourceType")
    if not is_resource_type(name):
        raise Malformed(f"{_shown(name)} is no resource type of FHIR R4B")


def _shown(name: str) -> str:
    """Show a name that the caller made up only where it looks like one."""
    return f"'{name}'" if name.isidentifier() and len(name) <= 64 else "(unnamed)"
