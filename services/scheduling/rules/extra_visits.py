"""More visits a week as people write them: `physiotherapy:4`, several disciplines with `,`."""

from collections.abc import Sequence

from services.scheduling.models.forecasts import Extra, Need

MOST = 40


class NoExtra(Exception):
    """What is asked for is none; `name` is the part that is wrong, the text says what is allowed."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def read(text: str, known: Sequence[Need], *, from_week: int, weeks: int) -> list[Extra]:
    """Read how many visits a week are added, of which disciplines; each stands once. Raises NoExtra."""
    if not 1 <= from_week <= weeks:
        raise NoExtra("extra-from", f"extra-from is a whole number from 1 to {weeks}")
    found: dict[Need, Extra] = {}
    for part in text.split(",") if text else ():
        need, _, number = part.partition(":")
        visits = whole_number(number)
        if need not in known:
            known_ones = ", ".join(known)
            raise NoExtra("extra", f"{need[:64]!r} has no first visits here; these have: {known_ones}")
        if visits is None or visits > MOST:
            raise NoExtra("extra", f"{need} takes a whole number of visits a week, 0 to {MOST}: {need}:4")
        if need in found:
            raise NoExtra("extra", f"{need} stands twice")
        found[need] = Extra(need=need, visits=visits, from_week=from_week)
    return list(found.values())


def whole_number(text: str) -> int | None:
    """Read a small whole number in plain digits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None
