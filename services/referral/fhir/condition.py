"""The condition of a conditional creation or update: `identifier=system|value`, in every legal writing."""

import re
from urllib.parse import parse_qsl

from shared import indexed_text

UNDERSTOOD = "the condition that is understood here is identifier=system|value"
_TYPE = re.compile(r"^[A-Za-z]*\?")


def identifier(text: str | None) -> str | None:
    """Return the identifier of a condition, with a type before it or without; None for any other search."""
    asked = parse_qsl(_TYPE.sub("", text or ""), keep_blank_values=True)
    if len(asked) != 1 or asked[0][0] != "identifier":
        return None
    token = asked[0][1]
    return token if token.partition("|")[2] and indexed_text.wrong(token) is None else None


def of_update(url: str | None, *, resource_type: str) -> str | None:
    """Return the identifier of `Type?identifier=...`; None where it is no conditional update of this type."""
    address, _, condition = (url or "").partition("?")
    return identifier(condition) if address.rpartition("/")[2] == resource_type else None
