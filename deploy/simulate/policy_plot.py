"""Who is seen in time under each policy, drawn over the load as an SVG file: a panel for each priority."""

from collections.abc import Mapping, Sequence

_PANELS = {"urgent5": "asap, 5 days", "semi10": "urgent, 10 days", "routine28": "routine, 28 days"}
_COLOURS = {"earliest": "#b5533c", "carve-out": "#8a7a1f", "plan": "#1f5f8b"}
_WIDE, _HIGH, _LEFT, _TOP = 220, 160, 36, 28
_STYLE = "text{font:12px system-ui,sans-serif;fill:#444}.title{font-weight:600;fill:#111}.grid{stroke:#ddd}"
Means = Mapping[tuple[float, str], Mapping[str, float]]


def svg(means: Means) -> str:
    """Draw the shares (0 to 1) by load and policy; the loads stand in their order, evenly apart."""
    loads = sorted({load for load, _ in means})
    panels = [_panel(means, name, loads, at=place) for place, name in enumerate(_PANELS)]
    width, height = len(_PANELS) * (_WIDE + _LEFT) + 12, _HIGH + _TOP + 48
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f"<title>Seen in time by load, three policies</title><style>{_STYLE}</style>"
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f"{''.join(panels)}{_legend(height - 10)}</svg>\n"
    )


def _panel(means: Means, measure: str, loads: Sequence[float], *, at: int) -> str:
    left = at * (_WIDE + _LEFT) + _LEFT
    step = (_WIDE - 24) / max(1, len(loads) - 1)
    grid = "".join(
        f'<line class="grid" x1="0" x2="{_WIDE - 24}" y1="{_y(part)}" y2="{_y(part)}"/>'
        f'<text x="-6" y="{_y(part) + 4}" text-anchor="end">{100 * part:.0f}</text>'
        for part in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    below = "".join(
        f'<text x="{place * step:.0f}" y="{_HIGH + 16}" text-anchor="middle">{load:.2f}</text>'
        for place, load in enumerate(loads)
    )
    lines = "".join(
        f'<polyline fill="none" stroke-width="2.5" stroke="{colour}" points="'
        + " ".join(
            f"{place * step:.1f},{_y(means[load, policy][measure])}" for place, load in enumerate(loads)
        )
        + '"/>'
        for policy, colour in _COLOURS.items()
    )
    title = f'<text class="title" x="0" y="-10">{_PANELS[measure]}, %</text>'
    return f'<g transform="translate({left} {_TOP})">{title}{grid}{below}{lines}</g>'


def _y(part: float) -> float:
    return round(_HIGH * (1 - part), 1)


def _legend(y: int) -> str:
    return "".join(
        f'<rect x="{_LEFT + 110 * place}" y="{y - 9}" width="18" height="4" fill="{colour}"/>'
        f'<text x="{_LEFT + 24 + 110 * place}" y="{y}">{policy}</text>'
        for place, (policy, colour) in enumerate(_COLOURS.items())
    )
