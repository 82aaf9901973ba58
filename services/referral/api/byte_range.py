"""The one range of bytes that a reader asks for (RFC 9110 section 14), so that a download can be resumed."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"^bytes=(?P<first>\d{0,12})-(?P<last>\d{0,12})$")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return self.last - self.first + 1


class NoSuchRange(Exception):
    """A range that begins behind the end."""


def wanted(header: str | None, *, size: int) -> ByteRange | None:
    """Read a Range header; None where the whole is wanted, or more than one range. Raises NoSuchRange."""
    matched = _RANGE.match((header or "").replace(" ", ""))
    if matched is None or not (matched["first"] or matched["last"]):
        return None
    if not matched["first"]:
        if not (length := int(matched["last"])):
            raise NoSuchRange
        return ByteRange(max(0, size - length), size - 1)
    first, last = int(matched["first"]), int(matched["last"] or size - 1)
    if first >= size:
        raise NoSuchRange
    return ByteRange(first, min(last, size - 1)) if last >= first else None
