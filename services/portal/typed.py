"""What a person typed: the values of a form's fields, by their names."""

from collections.abc import Mapping, Sequence

Typed = Mapping[str, Sequence[str]]


def first(typed: Typed, name: str) -> str:
    """Give what stands in a field, without the space around it; empty where nothing does."""
    return next(iter(typed.get(name, ())), "").strip()


def whole_number(text: str) -> int | None:
    """Read a number of digits alone; None for anything else, and for more digits than anything here has."""
    return int(text) if text.isdecimal() and len(text) <= 9 else None


def rows(typed: Typed, name: str) -> list[int]:
    """Number the rows of a repeated group, whose fields are called `name.row.part`."""
    keys = (key.split(".") for key in typed if key.startswith(f"{name}."))
    numbers = {whole_number(parts[1]) for parts in keys if len(parts) == 3}
    return sorted(number for number in numbers if number is not None)


def rows_shown(typed: Typed, name: str, *, least: int, most: int) -> int:
    """Count the rows that a form shows: those with something in them, and one more where it was asked for."""
    shown = max(rows(typed, name), default=least - 1) + 1
    return min(shown + (first(typed, "more") == name), most)
