"""A table of figures as JSON, CSV or a plot."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec

_WIDTH, _NAMES, _VALUES, _TOP, _LINE, _MARGIN = 800, 330, 60, 48, 28, 12
_COLOUR = "#2a6f97"

MEDIA_TYPES = {"json": "application/json", "csv": "text/csv", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of these columns; `label` names the ones that name a row, `value` the one that is plotted."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    label: tuple[str, ...]
    value: str


def format_of(accept: str) -> str:
    """Choose the format that a caller accepts first; JSON where it says nothing of the others."""
    for stated in accept.split(","):
        for name, media_type in MEDIA_TYPES.items():
            if stated.partition(";")[0].strip() == media_type:
                return name
    return "json"


def render(table: Table, wanted: str, *, first: date, last: date, smallest: int) -> bytes:
    """Write the table in one of the formats; what is hidden is empty in each of them."""
    if wanted == "csv":
        return _csv(table)
    if wanted == "svg":
        return _plot(table, first=first, last=last)
    period = {"from": first.isoformat(), "to": last.isoformat()}
    return msgspec.json.encode({"period": period, "smallest_group": smallest, table.name: table.rows})


def _csv(table: Table) -> bytes:
    written = io.StringIO()
    writer = csv.DictWriter(written, fieldnames=table.columns)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in table.rows)
    return written.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return "; ".join(f"{part['code']} {part['times']}" for part in value)
    return value


def _plot(table: Table, *, first: date, last: date) -> bytes:
    """Draw a bar for each row that is shown, with its name before it and its value behind it."""
    shown = [row for row in table.rows if row[table.value] is not None]
    most = max((row[table.value] for row in shown), default=0) or 1
    height = _TOP + _LINE * len(shown) + _MARGIN
    picture = Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_WIDTH} {height}", role="img")
    picture.set("font-family", "sans-serif")
    title = f"{table.title}, {first} to {last}"
    SubElement(picture, "title").text = title
    _text(picture, _MARGIN, _TOP / 2, title, size=16)
    for place, row in enumerate(shown):
        middle = _TOP + _LINE * (place + 0.5)
        length = (_WIDTH - _NAMES - _VALUES) * row[table.value] / most
        _text(picture, _MARGIN, middle, " ".join(str(row[name]) for name in table.label))
        bar = {
            "x": _NAMES,
            "y": middle - _LINE / 3,
            "width": round(length, 1),
            "height": round(_LINE * 2 / 3, 1),
        }
        SubElement(picture, "rect", {name: str(value) for name, value in bar.items()}, fill=_COLOUR)
        _text(picture, _NAMES + length + _MARGIN / 2, middle, str(row[table.value]))
    return bytes(tostring(picture))


def _text(picture: Element, x: float, y: float, words: str, *, size: int = 12) -> None:
    at = {"x": f"{x:g}", "y": f"{y:g}", "font-size": str(size), "dominant-baseline": "middle"}
    SubElement(picture, "text", at).text = words
