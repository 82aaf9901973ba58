"""A place in a team, before it is a row."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a team and who has it."""

    practitioner: str
    discipline: str
