"""Arithmetic on half-open spans of time, [start, end), aware and in UTC.

A span that ends at ten and one that begins at ten do not meet.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime

from services.scheduling.models.spans import Span


def merged(spans: Iterable[Span]) -> list[Span]:
    """Sort spans and join those that touch or overlap; empty ones vanish."""
    left = [span for span in spans if span[0] < span[1]]
    if len(left) < 2:
        return left
    left.sort()
    joined: list[Span] = []
    for span in left:
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def subtracted(base: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """Return what is left of the base when everything taken is cut out of it."""
    cuts = merged(taken)
    left: list[Span] = []
    for span in merged(base):
        at = span.start
        for cut in cuts[_first_ending_after(cuts, span.start) :]:
            if cut.start >= span.end:
                break
            if cut.start > at:
                left.append(Span(at, cut.start))
            at = max(at, cut.end)
        if at < span.end:
            left.append(Span(at, span.end))
    return left


def clipped(spans: Iterable[Span], window: Span) -> list[Span]:
    """Return the parts of the spans that lie inside the window."""
    cut = (Span(max(span.start, window.start), min(span.end, window.end)) for span in spans)
    return merged(cut)


def is_free(taken: Sequence[Span], wanted: Span) -> bool:
    """Tell whether nothing taken (merged) meets the wanted span."""
    return until_free(taken, wanted) is None


def until_free(taken: Sequence[Span], wanted: Span) -> datetime | None:
    """Return until when the wanted span is blocked by what is taken (merged), None when it is free."""
    place = _first_ending_after(taken, wanted.start)
    if place < len(taken) and taken[place].meets(wanted):
        return taken[place].end
    return None


def _first_ending_after(spans: Sequence[Span], moment: datetime) -> int:
    return bisect_right(spans, moment, key=lambda span: span.end)
