"""Values of search parameters: text to value (`read`), value to SQL (`clause`), for each kind.

A date without a time zone is taken as UTC; its precision makes it a range (R4 search.html 3.1.1.5.2).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, exists, false, func, literal, not_, select

from shared.errors import Invalid, NotSupported
from shared.fhir import references
from shared.fhir.references import Form

_COMMA = re.compile(r"(?<!\\),")
_ESCAPED = re.compile(r"\\([,|$\\])")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_CODE = re.compile(r"\S(?:.{0,254}\S)?")
_DATE = re.compile(
    r"(?P<prefix>[a-z]{2})?(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+\- ]\d\d:\d\d)?)?)?)?"
)
_PREFIXES = frozenset({"eq", "ne", "gt", "ge", "lt", "le", "sa", "eb"})


@dataclass(frozen=True, slots=True)
class Range:
    """A date as a half-open range, and how to compare with it."""

    prefix: str
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """A code with the system it was given with: None for any, empty for none."""

    system: str | None
    code: str


def split(text: str) -> list[str]:
    """Split a value at the commas that are not escaped."""
    return _COMMA.split(text)


def read(kind: str, text: str, *, name: str, types: tuple[str, ...]) -> Any:
    """Read one value of this kind; raises Invalid, or NotSupported for a prefix, about the parameter."""
    if not text or "\x00" in text or len(text) > 1024:
        raise Invalid("a value is needed", expression=name)
    if kind == "date":
        return _read_date(text, name)
    plain = _ESCAPED.sub(r"\1", text)
    if kind in ("token", "tokens"):
        return _read_token(plain, name, system_alone=kind == "tokens")
    return _read_reference(plain, name, types) if kind == "reference" else plain


def clause(kind: str, column: Any, value: Any) -> ColumnElement[bool]:
    """Give the SQL condition that a column matches a value."""
    return _CLAUSES[kind](column, value)


def is_id(text: str) -> bool:
    """Tell whether a text has the form of a resource's id."""
    return _ID.fullmatch(text) is not None


def as_uuid(text: Any) -> UUID | None:
    """Read a UUID, or give None where the text is none."""
    try:
        return UUID(str(text))
    except ValueError:
        return None


def _read_token(text: str, name: str, *, system_alone: bool) -> Token:
    system, bar, code = text.rpartition("|")
    if not _CODE.fullmatch(code) and not (system_alone and system and not code):
        raise Invalid("code, system|code or |code is needed", expression=name)
    return Token(system if bar else None, code)


def _read_reference(text: str, name: str, types: tuple[str, ...]) -> str:
    if _ID.fullmatch(text):
        return text
    parsed = references.parse(text)
    if parsed.form not in (Form.RELATIVE, Form.ABSOLUTE) or parsed.id is None:
        raise Invalid("an id, Type/id or the URL of a resource is needed", expression=name)
    if types and parsed.type not in types:
        raise Invalid(f"this refers to: {', '.join(types)}", expression=name)
    return parsed.id


def _read_date(text: str, name: str) -> Range:
    match = _DATE.fullmatch(text)
    if match is None:
        raise Invalid("a date is needed, with a prefix such as ge or without", expression=name)
    prefix = match["prefix"] or "eq"
    if prefix not in _PREFIXES:
        text = f"this prefix is not supported; there are {', '.join(sorted(_PREFIXES))}"
        raise NotSupported(text, expression=name)
    try:
        low = _low(match)
        return Range(prefix, low, _high(match, low))
    except (ValueError, OverflowError):
        raise Invalid("there is no such date", expression=name) from None


def _low(match: re.Match[str]) -> datetime:
    # A plus that was not escaped in the URL arrives as a space.
    zone = (match["zone"] or "Z").replace(" ", "+")
    fraction = f".{match['fraction'][:6]:0<6}" if match["fraction"] else ""
    day = f"{match['year']}-{match['month'] or '01'}-{match['day'] or '01'}"
    clock = f"{match['hour'] or '00'}:{match['minute'] or '00'}:{match['second'] or '00'}{fraction}"
    return datetime.fromisoformat(f"{day}T{clock}{zone}").astimezone(UTC)


def _high(match: re.Match[str], low: datetime) -> datetime:
    if match["fraction"]:
        return low + timedelta(seconds=10.0 ** -min(len(match["fraction"]), 6))
    for part, step in (
        ("second", timedelta(seconds=1)),
        ("hour", timedelta(minutes=1)),
        ("day", timedelta(days=1)),
    ):
        if match[part]:
            return low + step
    if match["month"]:
        return low.replace(year=low.year + low.month // 12, month=low.month % 12 + 1)
    return low.replace(year=low.year + 1)


def _token(column: Any, value: Token) -> ColumnElement[bool]:
    return _equal(column, value.code)


def _tokens(column: Any, value: Token) -> ColumnElement[bool]:
    if value.system is not None and value.code:
        return _equal(column, f"{value.system}|{value.code}")
    part = func.unnest(column).column_valued("part")
    if value.system is not None:
        return exists(select(1).where(part.startswith(f"{value.system}|", autoescape=True)))
    return exists(select(1).where(part.endswith(f"|{value.code}", autoescape=True)))


def _reference(column: Any, value: str) -> ColumnElement[bool]:
    kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    if not isinstance(kind, Uuid):
        return _equal(column, value)
    found = as_uuid(value)
    return false() if found is None else _equal(column, found)


def _equal(column: Any, value: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool]
    found = literal(value) == any_(column) if isinstance(column.type, ARRAY) else column == value
    return found


def _date(column: Any, value: Range) -> ColumnElement[bool]:
    inside = and_(column >= value.low, column < value.high)
    conditions: dict[str, ColumnElement[bool]] = {
        "eq": inside,
        "ne": not_(inside),
        "gt": column >= value.high,
        "sa": column >= value.high,
        "ge": column >= value.low,
        "lt": column < value.low,
        "eb": column < value.low,
        "le": column < value.high,
    }
    return conditions[value.prefix]


def _string(column: Any, value: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = func.lower(column).startswith(value.lower(), autoescape=True)
    return found


_CLAUSES: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "date": _date,
    "reference": _reference,
    "string": _string,
    "token": _token,
    "tokens": _tokens,
}
