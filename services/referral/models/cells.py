"""What a small group may be told of: nothing that could be about one of a few.

Ontario's wait times and Ocean show no figure of fewer than six people; so it is here.
"""

from dataclasses import dataclass

SMALLEST = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """A count that is shown, or None where it is of a few."""

    count: int | None

    @classmethod
    def of(cls, count: int) -> "Cell":
        """Show a count of nobody, or of six and more."""
        return cls(count if count == 0 or count >= SMALLEST else None)

    @classmethod
    def part(cls, count: int, *, of: int) -> "Cell":
        """Show a part where neither it nor the rest of the whole is of a few: each tells the other."""
        shown = cls.of(count).count is not None and cls.of(of - count).count is not None
        return cls(count if shown and cls.of(of).count is not None else None)

    @property
    def is_hidden(self) -> bool:
        """Whether the count is not shown."""
        return self.count is None
