"""Formats of the primitive types (R4 datatypes.html): each value is right or there is a sentence about it.

No sentence repeats the value: it may be a patient's.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

from shared.fhir.check.narrative import wrong_narrative

_YEAR = r"(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]{1,12})?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_DATE = re.compile(rf"{_YEAR}(?:-{_MONTH}(?:-{_DAY})?)?")
_DATE_TIME = re.compile(rf"{_YEAR}(?:-{_MONTH}(?:-{_DAY}(?:T{_TIME}{_ZONE})?)?)?")
_INSTANT = re.compile(rf"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}{_ZONE}")
_CLOCK = re.compile(_TIME)
_CODE = re.compile(r"[^\s\x00-\x1f]+(?:[^\S\x0b\x0c\x1c-\x1f][^\s\x00-\x1f]+)*")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_URI = re.compile(r"[^\s\x00-\x1f]+")
_OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+")
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BLANK = re.compile(r"\s+")
_INT32 = 2**31


def wrong(type_name: str, value: Any) -> str | None:
    """Say in a sentence what is wrong with a value of this primitive type, or None."""
    return _FORMATS[type_name](value)


def _boolean(value: Any) -> str | None:
    return None if type(value) is bool else "a boolean is true or false"


def _integer(value: Any, *, least: int) -> str | None:
    if type(value) is int and least <= value < _INT32:
        return None
    return f"an integer from {least} to {_INT32 - 1} is needed"


def _decimal(value: Any) -> str | None:
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return None
    return "a decimal is a JSON number"


def _string(value: Any) -> str | None:
    if type(value) is not str:
        return "a JSON string is needed"
    if not value:
        return "a value is never empty"
    return "a text holds no control characters" if _CONTROL.search(value) else None


def _matching(value: Any, *, pattern: re.Pattern[str], text: str) -> str | None:
    if type(value) is not str:
        return "a JSON string is needed"
    return None if pattern.fullmatch(value) else text


def _dated(value: Any, *, pattern: re.Pattern[str], text: str) -> str | None:
    if found := _matching(value, pattern=pattern, text=text):
        return found
    if len(value) < len("2020-01-01"):
        return None
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return "there is no such day"
    return None


def _base64(value: Any) -> str | None:
    if type(value) is not str:
        return "a JSON string is needed"
    try:
        data = base64.b64decode(_BLANK.sub("", value), validate=True)
    except (binascii.Error, ValueError):
        return "base64 (RFC 4648) is needed"
    return None if data else "a value is never empty"


_uri = partial(_matching, pattern=_URI, text="a URI is not empty and holds no spaces")

_FORMATS: Mapping[str, Callable[[Any], str | None]] = {
    "base64Binary": _base64,
    "boolean": _boolean,
    "canonical": _uri,
    "code": partial(_matching, pattern=_CODE, text="a code is not empty and has no spaces around it"),
    "date": partial(_dated, pattern=_DATE, text="a date is YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": partial(
        _dated,
        pattern=_DATE_TIME,
        text="a dateTime is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a time zone",
    ),
    "decimal": _decimal,
    "id": partial(_matching, pattern=_ID, text="an id has 1 to 64 of the characters A-Z a-z 0-9 - ."),
    "instant": partial(
        _dated, pattern=_INSTANT, text="an instant is YYYY-MM-DDThh:mm:ss.sss with a time zone"
    ),
    "integer": partial(_integer, least=-_INT32),
    "markdown": _string,
    "oid": partial(_matching, pattern=_OID, text="an oid is urn:oid: and numbers with dots"),
    "positiveInt": partial(_integer, least=1),
    "string": _string,
    "time": partial(_matching, pattern=_CLOCK, text="a time is hh:mm:ss"),
    "unsignedInt": partial(_integer, least=0),
    "uri": _uri,
    "url": _uri,
    "uuid": partial(_matching, pattern=_UUID, text="a uuid is urn:uuid: and an RFC 4122 UUID"),
    "xhtml": wrong_narrative,
}

# What a compiled validator asks (compiled.py): it takes nothing that `wrong` refuses, and no 29 February.
_SURE_DAY = (
    rf"{_YEAR}-(?:{_MONTH}-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
    r"|(?:0[13578]|1[02])-31)"
)
_SIXES = "[A-Za-z0-9+/]"
QUICK: Mapping[str, str] = {
    "base64Binary": rf"(?:{_SIXES}{{4}})*{_SIXES}{{2}}(?:{_SIXES}[A-Za-z0-9+/=]|==)",
    "canonical": _URI.pattern,
    "code": _CODE.pattern,
    "date": rf"{_SURE_DAY}|{_YEAR}(?:-{_MONTH})?",
    "dateTime": rf"{_SURE_DAY}(?:T{_TIME}{_ZONE})?|{_YEAR}(?:-{_MONTH})?",
    "id": _ID.pattern,
    "instant": rf"{_SURE_DAY}T{_TIME}{_ZONE}",
    "oid": _OID.pattern,
    "time": _TIME,
    "uri": _URI.pattern,
    "url": _URI.pattern,
    "uuid": _UUID.pattern.replace("a-f", "a-fA-F"),
}
