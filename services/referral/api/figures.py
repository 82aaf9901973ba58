"""A table of figures as JSON, CSV or a plot."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from xml.etree import ElementTree

import msgspec
import pygal
from pygal.style import CleanStyle

MEDIA_TYPES = {"json": "application/json", "csv": "text/csv", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one shape; `label` names the members that name a row, `value` the one that is plotted."""

    name: str
    title: str
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
    names = list(table.rows[0]) if table.rows else [*table.label, table.value]
    writer = csv.DictWriter(written, fieldnames=names)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in table.rows)
    return written.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return "; ".join(f"{part['code']} {part['times']}" for part in value)
    return value


def _plot(table: Table, *, first: date, last: date) -> bytes:
    shown = [row for row in table.rows if row[table.value] is not None]
    chart = pygal.HorizontalBar(
        style=CleanStyle, js=(), show_legend=False, print_values=True, disable_xml_declaration=True
    )
    chart.title = f"{table.title}, {first} to {last}"
    chart.x_labels = [" ".join(str(row[name]) for name in table.label) for row in shown]
    chart.add(table.title, [row[table.value] for row in shown])
    picture = chart.render_tree()
    for parent in list(picture.iter()):
        # A picture needs no script, and a page that shows it allows none.
        for script in [part for part in parent if str(part.tag).endswith("script")]:
            parent.remove(script)
    return bytes(ElementTree.tostring(picture))
