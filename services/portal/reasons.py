"""Reasons in the reader's language and zone: said anew from the code and its typed arguments.

The sentences are those of the services' code systems, which are the same in all of them, and kept for as long
as they may be. Where none can be read, the English sentence that came with a reason stands in.
"""

import asyncio
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from services.portal.calls import Calls, resources
from services.portal.languages import CODES, Language
from shared.clinic import Clinic
from shared.clock import monotonic
from shared.fhir import reason_codes
from shared.fhir.reason_codes import ReaderTexts
from shared.reasons import Words

_SERVICES = ("referral", "scheduling", "careteam", "notifications")
_KEPT = 300.0
_AGAIN = 30.0
_MOST = 200


class Sentences:
    """The sentences by language, read again when they have been kept long enough."""

    def __init__(self, clinic: Clinic) -> None:
        self._names = _names_of(clinic)
        self._texts: Mapping[str, ReaderTexts] = {}
        self._read_at = self._named_at = -_KEPT
        self._reading = asyncio.Lock()

    async def refresh(self, calls: Calls) -> None:
        """Read the code systems where that was long ago, of the first service that answers."""
        async with self._reading:
            await self._read_names(calls)
            if monotonic() - self._read_at < _KEPT:
                return
            for service in _SERVICES:
                address = f"/{service}/fhir/CodeSystem"
                reasons = await calls.get(f"{address}/reason")
                words = await calls.get(f"{address}/reason-word")
                if reasons.is_good and words.is_good:
                    systems = (reasons.body, words.body)
                    self._texts = {code: reason_codes.read(systems, language=code) for code in CODES}
                    self._read_at = monotonic()
                    return

    async def _read_names(self, calls: Calls) -> None:
        """Read whom and what the directory names now, where this person may; the roster has newer names than
        clinic.yaml.
        """
        if monotonic() - self._named_at < _KEPT:
            return
        # Who may not read them, or a service that is away, lets the next try wait a little.
        self._named_at = monotonic() - _KEPT + _AGAIN
        people = resources(await calls.get("/scheduling/fhir/Practitioner", _count=_MOST))
        rooms = resources(await calls.get("/scheduling/fhir/Location", _count=_MOST))
        if people is None or rooms is None:
            return
        named = {person["id"]: person["name"][0]["text"] for person in people}
        self._names = {
            **self._names,
            "who": {**self._names["who"], **named},
            "practitioner": {
                **self._names["practitioner"],
                **{f"Practitioner/{id}": name for id, name in named.items()},
            },
            "room": {
                **self._names["room"],
                **{f"Location/{room['id']}": room["name"] for room in rooms},
            },
        }
        self._named_at = monotonic()

    def say(self, concept: Mapping[str, Any] | None, *, language: Language, zone: tzinfo) -> str:
        """Say a concept in the reader's language; what a person wrote stays as it is."""
        if not concept:
            return ""
        texts = self._texts.get(language.code)
        if texts is None:
            return str(concept.get("text", ""))
        return reason_codes.say(concept, texts, zone=zone, names=self._names)


def _names_of(clinic: Clinic) -> Words:
    """Give what clinic.yaml calls things, by the arguments that name them."""
    programmes = {programme.id: programme.name for programme in clinic.programmes}
    people = {person.id: f"{person.given} {person.family}" for person in clinic.people}
    return {
        "who": people,
        "practitioner": {f"Practitioner/{id}": name for id, name in people.items()},
        "programme": programmes,
        "asked": programmes,
        "payer": {f"Organization/{payer.id}": payer.name for payer in clinic.payers},
        "room": {f"Location/{room.id}": room.name for site in clinic.sites for room in site.rooms},
    }
