"""Values of search parameters: text to value (`read`), value to SQL (`clause`), for each kind.

A date without a time zone is taken as UTC; its precision makes it a range (R4 search.html 3.1.1.5.2). Strings
match without case and accents, in whichever Unicode form they are written.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    String,
    Text,
    Uuid,
    and_,
    cast,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    text,
)

from shared.errors import Invalid, NotSupported
from shared.fhir import references
from shared.fhir.references import Form
from shared.urls import Urls

_COMMA = re.compile(r"(?<!\\),")
_BAR = re.compile(r"(?<!\\)\|")
_ESCAPED = re.compile(r"\\([,|$\\])")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_CODE = re.compile(r"\S(?:.{0,254}\S)?")
_DATE = re.compile(
    r"(?P<prefix>[a-z]{2})?(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+\- ]\d\d:\d\d)?)?)?)?"
)
_PREFIXES = frozenset({"eq", "ne", "gt", "ge", "lt", "le", "sa", "eb"})
# The combining marks that a decomposed letter carries, as both sides of a comparison leave them out.
_MARKS = "[\u0300-\u036f]"
_FOLDING = "pg_unicode_fast"
# Letters that Unicode does not take apart, though who has no such key writes them otherwise.
_LETTERS = ("ıłøđðħŧ", "iloddht")
_LIGATURES = (("æ", "ae"), ("œ", "oe"))


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


def read(kind: str, text: str, *, name: str, types: tuple[str, ...], urls: Urls | None = None) -> Any:
    """Read one value of this kind; raises Invalid, or NotSupported for a prefix, about the parameter.

    `urls` tell which absolute URLs are this clinic's own; another server's resource is None: none of ours.
    """
    if not text or "\x00" in text or len(text) > 1024:
        raise Invalid("a value is needed", expression=name)
    if kind == "date":
        return _read_date(text, name)
    if kind in ("token", "coding", "tokens"):
        return _read_token(text, name)
    plain = unescaped(text)
    return _read_reference(plain, name, types, urls) if kind == "reference" else plain


def clause(
    kind: str, column: Any, value: Any, *, modifier: str = "", system: str | None = None
) -> ColumnElement[bool]:
    """Give the SQL condition that a column matches a value; `system` is that of the codes in the column."""
    if kind in ("token", "coding"):
        return _code(column, value, system=system, coded=kind == "coding")
    return _STRINGS[modifier](column, value) if kind == "string" else _CLAUSES[kind](column, value)


def missing(column: Any) -> ColumnElement[bool]:
    """Give the SQL condition that a column says nothing."""
    if isinstance(column.type, ARRAY):
        return func.coalesce(func.cardinality(column), 0) == 0
    is_null: ColumnElement[bool] = column.is_(None)
    return or_(is_null, column == "") if isinstance(column.type, String) else is_null


def folded(text: str) -> str:
    """Write a text without case and accents, as `_folded` has a column."""
    decomposed = unicodedata.normalize("NFKD", text)
    folded = re.sub(_MARKS, "", unicodedata.normalize("NFKD", decomposed.casefold()))
    for ligature, letters in _LIGATURES:
        folded = folded.replace(ligature, letters)
    return folded.translate(str.maketrans(*_LETTERS))


def is_id(text: str) -> bool:
    """Tell whether a text has the form of a resource's id."""
    return _ID.fullmatch(text) is not None


def as_uuid(text: Any) -> UUID | None:
    """Read a UUID, or give None where the text is none."""
    try:
        return UUID(str(text))
    except ValueError:
        return None


def unescaped(text: str) -> str:
    """Take the escapes away that a value has where it stands in a search."""
    return _ESCAPED.sub(r"\1", text)


def _read_token(text: str, name: str) -> Token:
    before, *rest = _BAR.split(text, maxsplit=1)
    system, code = (unescaped(before), unescaped(rest[0])) if rest else (None, unescaped(before))
    if not _CODE.fullmatch(code) and not (system and not code):
        raise Invalid("code, system|code, |code or system| is needed", expression=name)
    return Token(system, code)


def _read_reference(text: str, name: str, types: tuple[str, ...], urls: Urls | None) -> str | None:
    if _ID.fullmatch(text):
        return text
    parsed = references.parse(text)
    if parsed.form not in (Form.RELATIVE, Form.ABSOLUTE) or parsed.id is None:
        raise Invalid("an id, Type/id or the URL of a resource is needed", expression=name)
    if types and parsed.type not in types:
        raise Invalid(f"this refers to: {', '.join(types)}", expression=name)
    return parsed.id if references.is_ours(parsed, urls) else None


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


def _code(column: Any, value: Token, *, system: str | None, coded: bool) -> ColumnElement[bool]:
    """Match a code of one system; an element of type code has none of its own (R4 search.html 3.1.1.4.10)."""
    allowed = (None, system) if coded else (None, system, "")
    if system is not None and value.system not in allowed:
        return false()
    return _equal(column, value.code) if value.code else not_(missing(column))


def _tokens(column: Any, value: Token) -> ColumnElement[bool]:
    if value.system is not None and value.code:
        return _equal(column, f"{value.system}|{value.code}")
    part = func.unnest(column).column_valued("part")
    if value.system is not None:
        return exists(select(1).where(part.startswith(f"{value.system}|", autoescape=True)))
    after_system = func.substr(part, func.strpos(part, "|") + 1)
    return exists(select(1).where(after_system == value.code))


def _reference(column: Any, value: str | None) -> ColumnElement[bool]:
    if value is None:
        return false()
    kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    if not isinstance(kind, Uuid):
        return _equal(column, value)
    found = as_uuid(value)
    return false() if found is None else _equal(column, found)


def _equal(column: Any, value: Any) -> ColumnElement[bool]:
    if not isinstance(column.type, ARRAY):
        equal: ColumnElement[bool] = column == value
        return equal
    # What an array contains is found by an index, what is any of its elements is not.
    item = Text() if isinstance(column.type.item_type, String) else column.type.item_type
    contained: ColumnElement[bool] = column.bool_op("@>")(cast([value], ARRAY(item)))
    return contained


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


def _folded(column: Any) -> Any:
    """Write a column without case and accents, as `folded` has a text, by Unicode's full case folding."""
    decomposed = func.normalize(column, text("NFKD"))
    folded_case = func.normalize(func.casefold(decomposed.collate(_FOLDING)), text("NFKD"))
    folded = func.regexp_replace(folded_case, _MARKS, "", "g")
    for ligature, letters in _LIGATURES:
        folded = func.replace(folded, ligature, letters)
    return func.translate(folded, *_LETTERS, type_=String)


def _starts(column: Any, value: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = _folded(column).startswith(folded(value), autoescape=True)
    return found


def _contains(column: Any, value: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = _folded(column).contains(folded(value), autoescape=True)
    return found


_STRINGS: Mapping[str, Callable[[Any, str], ColumnElement[bool]]] = {
    "": _starts,
    "contains": _contains,
    "exact": _equal,
}
_CLAUSES: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "date": _date,
    "reference": _reference,
    "tokens": _tokens,
}
