"""The condition of a conditional creation, update or reference: `identifier=system|value`, in every legal
writing (R4 http.html 3.1.0.8.1, 3.1.0.10.1): encoded or plain, with the type before it or without, with or
without `?`, with the system or without.
"""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from shared import indexed_text
from shared.fhir import search_values

UNDERSTOOD = "the condition that is understood here is identifier=system|value"


def identifier(text: str | None, *, resource_type: str, own: Sequence[str] = ()) -> str | None:
    """Return the identifier of a condition as `system|value`; None for any other search.

    Where the condition names a value of any system, it is the one of `own`, the tokens of the resource
    itself, that has this value, if there is one.
    """
    kind, mark, condition = (text or "").partition("?")
    if mark and kind.rpartition("/")[2] not in ("", resource_type):
        return None
    asked = parse_qsl(condition if mark else text or "", keep_blank_values=True)
    if len(asked) != 1 or asked[0][0] != "identifier":
        return None
    token = one_value(asked[0][1])
    if "|" not in token:
        token = next((known for known in own if known.partition("|")[2] == token), "")
    return token if token.partition("|")[2] and indexed_text.wrong(token) is None else None


def one_value(text: str) -> str:
    """Return the value of a condition without its escapes; empty for several, of which one would do."""
    values = search_values.split(text)
    return search_values.unescaped(values[0]) if len(values) == 1 else ""


def of_update(url: str | None, *, resource_type: str, own: Sequence[str] = ()) -> str | None:
    """Return the identifier of `Type?identifier=...`; None where it is no conditional update of this type."""
    address, _, condition = (url or "").partition("?")
    return (
        identifier(condition, resource_type=resource_type, own=own)
        if address.rpartition("/")[2] == resource_type
        else None
    )
