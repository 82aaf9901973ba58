"""The condition of a conditional creation or update: `identifier=system|value`, in every legal writing."""

from urllib.parse import parse_qsl

from shared import indexed_text

UNDERSTOOD = "the condition that is understood here is identifier=system|value"


def identifier(text: str | None, *, resource_type: str) -> str | None:
    """Return the identifier of a condition, with its type before it or without; None for any other search."""
    kind, mark, condition = (text or "").partition("?")
    if mark and kind not in ("", resource_type):
        return None
    asked = parse_qsl(condition if mark else text or "", keep_blank_values=True)
    if len(asked) != 1 or asked[0][0] != "identifier":
        return None
    token = asked[0][1]
    return token if token.partition("|")[2] and indexed_text.wrong(token) is None else None


def of_update(url: str | None, *, resource_type: str) -> str | None:
    """Return the identifier of `Type?identifier=...`; None where it is no conditional update of this type."""
    address, _, condition = (url or "").partition("?")
    return (
        identifier(condition, resource_type=resource_type)
        if address.rpartition("/")[2] == resource_type
        else None
    )
