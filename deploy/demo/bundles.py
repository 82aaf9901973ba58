"""The example Bundles: FHIR as a practice would send it, with dates relative to the day of sending.

A token stands where a date is relative: `{{date:-60d}}` a date, `{{datetime:-1h}}` an instant in UTC,
`{{years:-17y}}` a date so many years ago.
"""

import re
from datetime import date, datetime, timedelta
from importlib.resources import files

_TOKEN = re.compile(r"\{\{(date|datetime|years):(-?\d+)([dhy])\}\}")


def example(name: str, *, at: datetime) -> bytes:
    """Read `examples/referrals/NAME` and fill its tokens relative to `at` (aware UTC)."""
    text = files("examples").joinpath("referrals", name).read_text("utf-8")
    return filled(text, at=at).encode()


def filled(text: str, *, at: datetime) -> str:
    """Fill every token; raises ValueError for a token that is none of the three kinds."""
    result = _TOKEN.sub(lambda found: _moment(found, at), text)
    if "{{" in result:
        raise ValueError(f"an unknown token near {result[result.index('{{') :][:40]!r}")
    return result


def _moment(found: re.Match[str], at: datetime) -> str:
    amount, unit = int(found[2]), found[3]
    if unit == "y":
        return _years(at.date(), amount).isoformat()
    moment = at + (timedelta(days=amount) if unit == "d" else timedelta(hours=amount))
    return moment.date().isoformat() if found[1] == "date" else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _years(day: date, amount: int) -> date:
    try:
        return day.replace(year=day.year + amount)
    except ValueError:
        return day.replace(year=day.year + amount, day=28)
