"""A forecast as an SVG file: the drawing of the portal's page, with its colours written in."""

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from services.portal.forecasts import WIDE, ForecastDrawing, Outlook, outlooks

_TITLE = 24
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#444}.title{font-weight:600;fill:#111}"
    ".grid{stroke:#ddd}.line{fill:none;stroke:#1f5f8b;stroke-width:2.5}.interval{fill:#1f5f8b;opacity:.18}"
)


def svg(body: Mapping[str, Any]) -> str:
    """Draw the breaches to come, all disciplines together and then each, one below the other."""
    width, height = WIDE
    found = outlooks(body)
    parts = [_panel(outlook, top=place * (height + _TITLE)) for place, outlook in enumerate(found)]
    whole = (height + _TITLE) * len(found)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {whole}" role="img">'
        f"<title>Breaches to come by week, with 80% intervals</title><style>{_STYLE}</style>"
        f'<rect width="{width}" height="{whole}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _panel(outlook: Outlook, *, top: int) -> str:
    drawing, total = outlook.drawing(WIDE), outlook.total["breaches"]
    title = f"{outlook.discipline or 'All disciplines'}: {total['q50']} ({total['q10']} to {total['q90']})"
    return (
        f'<g transform="translate(0 {top})">'
        f'<text class="title" x="{drawing.left}" y="16">{escape(title)}</text>'
        f'<g transform="translate(0 {_TITLE})">{_grid(drawing)}'
        f'<polygon class="interval" points="{drawing.band}"/>'
        f'<polyline class="line" points="{drawing.path}"/>{_weeks(drawing)}</g></g>'
    )


def _grid(drawing: ForecastDrawing) -> str:
    return "".join(
        f'<line class="grid" x1="{drawing.left}" x2="{drawing.right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{drawing.left - 6}" y="{y + 4:.1f}" text-anchor="end">{number}</text>'
        for y, number in drawing.lines
    )


def _weeks(drawing: ForecastDrawing) -> str:
    ends = dict.fromkeys((drawing.points[0], drawing.points[-1]))
    return "".join(
        f'<text x="{point.x:.1f}" y="{drawing.height - 6}" text-anchor="{anchor}">'
        f"{escape(point.begins)}</text>"
        for point, anchor in zip(ends, ("start", "end"), strict=False)
    )
