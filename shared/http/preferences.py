"""What a caller prefers: the header Prefer (RFC 7240, R4 http.html 3.1.0.1.2), Accept and `_format`."""

import re
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import Headers, QueryParams

from shared.http.errors import FHIR_JSON, NotAcceptable

Return = Literal["minimal", "representation", "OperationOutcome"]
_RETURNS: dict[str, Return] = {
    "minimal": "minimal",
    "representation": "representation",
    "operationoutcome": "OperationOutcome",
}
_JSON = frozenset(
    {"json", "application/json", FHIR_JSON, "application/json+fhir", "text/json", "text/fhir+json"}
)
_ANYTHING = frozenset({"*/*", "application/*", "text/*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How a caller wants what it does not support handled, and what a create or an update answers."""

    lenient: bool = False
    returns: Return = "representation"


def preferences(headers: Headers) -> Preferences:
    """Read every Prefer header; what is not understood is ignored, as RFC 7240 has it."""
    said: dict[str, str] = {}
    for part in re.split(r"[,;]", ",".join(headers.getlist("prefer"))):
        name, _, value = part.partition("=")
        said.setdefault(name.strip().lower(), value.strip().strip('"'))
    returns = _RETURNS.get(said.get("return", "").lower(), "representation")
    return Preferences(lenient=said.get("handling", "").lower() == "lenient", returns=returns)


def check_acceptable(headers: Headers, query: QueryParams) -> None:
    """Refuse a caller who takes no JSON; `_format` goes before Accept (R4 http.html 3.1.0.1.11).

    Raises NotAcceptable.
    """
    asked = query.get("_format") or ""
    if asked:
        # A plus that was not escaped in the address arrives as a space.
        if _media_type(asked).replace(" ", "+") not in _JSON | _ANYTHING:
            raise NotAcceptable(f"the format is {FHIR_JSON}, not {asked[:64]}", expression="_format")
        return
    accepted = [part for text in headers.getlist("accept") for part in text.split(",") if part.strip()]
    if accepted and not any(_takes_json(part) for part in accepted):
        raise NotAcceptable(f"the format is {FHIR_JSON}; Accept names others only", expression="Accept")


def _takes_json(text: str) -> bool:
    weights = [part.strip().lower() for part in text.split(";")[1:]]
    refused = any(re.fullmatch(r"q=0(\.0*)?", weight) for weight in weights)
    return _media_type(text) in _JSON | _ANYTHING and not refused


def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()
