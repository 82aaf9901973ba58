"""A MessageDefinition for each message that is taken, and for what answers it."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.referral import texts
from services.referral.fhir import messages
from services.referral.fhir.messages import Act
from shared.fhir.codes import LUMBAR

DEFINITION = f"{LUMBAR}/MessageDefinition"
_DATE = "2026-11-30"
_FAMILIES: Mapping[str, str] = {
    messages.ONTARIO_SYSTEM: "ereferral",
    messages.BARS_SYSTEM: "bars",
    messages.V2_SYSTEM: "v2",
}


def render() -> list[dict[str, Any]]:
    """Render them all: those that are taken first, then those that only answer."""
    taken = [_taken(system, code, act) for system, code, act in messages.events()]
    answers = {_id(**answer): answer for answer in (answering for _, answering in _answered())}
    known = {definition["id"] for definition in taken}
    return [*taken, *(_answer(**answer) for id, answer in answers.items() if id not in known)]


def _answered() -> Iterator[tuple[str, dict[str, str]]]:
    for system, code, act in messages.events():
        yield code, messages.answer_to(act, system=system, code=code)


def _taken(system: str, code: str, act: Act) -> dict[str, Any]:
    answer = _id(**messages.answer_to(act, system=system, code=code))
    kinds = ("Communication",) if act is Act.COMMUNICATE else ("ServiceRequest", "Task")
    needed = len(kinds) == 1
    return {
        **_definition(system, code),
        "description": texts.MESSAGES[act],
        "focus": [{"code": kind, "min": int(needed), "max": "1"} for kind in kinds],
        "responseRequired": "always",
        "allowedResponse": [{"message": f"{DEFINITION}/{answer}", "situation": texts.ANSWER_TO_A_MESSAGE}],
    }


def _answer(system: str, code: str) -> dict[str, Any]:
    return {
        **_definition(system, code),
        "description": texts.ANSWER_TO_A_MESSAGE,
        "focus": [{"code": "Task", "min": 1, "max": "1"}],
        "responseRequired": "never",
    }


def _definition(system: str, code: str) -> dict[str, Any]:
    id = _id(system=system, code=code)
    return {
        "resourceType": "MessageDefinition",
        "id": id,
        "url": f"{DEFINITION}/{id}",
        "name": "".join(word[0].upper() + word[1:] for word in id.split("-")),
        "status": "active",
        "date": _DATE,
        "eventCoding": {"system": system, "code": code},
        "category": "consequence",
    }


def _id(system: str, code: str) -> str:
    return f"{_FAMILIES[system]}-{code.lower()}"
