"""Step 5, second part: every patient reference of a Bundle means the same patient.

A reference is followed to its entry (fullUrl, urn, `Type/id`) or its contained resource. The patient of the
Bundle is the one that the first reference means; whoever means another is named with its entry. A patient who
is named by an identifier, by a search or by a contained resource is another one when an identifier of the
same system, or the birth date, says so; an identifier beside a reference must fit it.

Some elements name other people than the one whom their resource is about: who insures or pays, who wrote,
whom to telephone. A Patient entry that only these name is nobody's record here, and no other patient.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.errors import Problem
from shared.fhir import condition, references
from shared.fhir.check.across import entries_of, references_in
from shared.fhir.references import ABOUT, Form, ParsedReference

Data = Mapping[str, Any]
# The kinds of Bundle that are one command, and so about one patient.
COMMANDS = frozenset({"transaction", "message"})
_TEXT = "this means another patient than the other entries of the Bundle"
_NAMES_OTHERS = re.compile(
    r"\.(?:subscriber|policyHolder|payor|payee|agent|contact|link|performer|author|asserter|recorder"
    r"|informationSource|source|sender|recipient|participant|onBehalfOf)(?:\[\d+\])?(?:\.|$)"
)


def problems(bundle: Data, path: str = "Bundle") -> Iterator[Problem]:
    """Give each place of a Bundle that means another patient than the rest."""
    entries = entries_of(bundle)
    patients = Patients(entries)
    others = other_people(bundle)
    expected: str | None = None
    for index, entry in enumerate(entries):
        resource = entry.get("resource")
        if not isinstance(resource, dict) or index in others:
            continue
        place = f"{path}.entry[{index}].resource"
        for where, meant in patients.meant_by(resource, place, entry):
            expected = expected or meant
            if meant != expected:
                yield Problem(text=_TEXT, code="business-rule", expression=where)


def other_people(bundle: Data) -> frozenset[int]:
    """Give the places of the Patient entries whom no resource is about: a subscriber, a mother, an agent."""
    entries = entries_of(bundle)
    places = [index for index, entry in enumerate(entries) if _type_of(entry) == "Patient"]
    if len(places) < 2:
        return frozenset()
    patients = Patients(entries)
    named: dict[bool, set[str | None]] = {True: set(), False: set()}
    for entry in entries:
        resource = entry.get("resource")
        if isinstance(resource, dict):
            for where, reference in references_in(resource, ".", links=True):
                meant = patients.meant(references.parse(reference), reference, resource)
                named[names_others(where)].add(meant)
    only_others = named[True] - named[False]
    return frozenset(
        index
        for index in places
        if patients.own_name(entries[index]["resource"], entries[index]) in only_others
    )


def names_others(path: str) -> bool:
    """Tell whether the element at a path names other people than the one whom its resource is about."""
    return _NAMES_OTHERS.search(path) is not None


def _type_of(entry: Data) -> Any:
    resource = entry.get("resource")
    return resource.get("resourceType") if isinstance(resource, dict) else None


class Patients:
    """The Patient entries of a Bundle, by each name that a reference may use."""

    def __init__(self, entries: list[Data]) -> None:
        self._by_name: dict[str, str] = {}
        self._known: list[Data] = []
        for entry in entries:
            resource = entry.get("resource")
            if isinstance(resource, dict) and resource.get("resourceType") == "Patient":
                self._add(entry, resource)

    def _add(self, entry: Data, patient: Data) -> None:
        self._known.append(patient)
        local, url = patient.get("id"), entry.get("fullUrl")
        name = f"Patient/{local}" if isinstance(local, str) else str(url)
        self._by_name[name] = name
        if isinstance(url, str):
            self._by_name[url] = name
            parsed = references.parse(url)
            if parsed.id is not None:
                self._by_name[f"Patient/{parsed.id}"] = name

    def meant_by(self, resource: Data, place: str, entry: Data) -> Iterator[tuple[str, str]]:
        """Give the place and the name of each patient that a resource is or refers to."""
        if resource.get("resourceType") == "Patient":
            yield place, self.own_name(resource, entry)
        for where, reference in references_in(resource, place):
            if names_others(where.removeprefix(place)):
                continue
            parsed = references.parse(reference)
            meant = self.meant(parsed, reference, resource)
            if meant is not None:
                yield where, meant
            if where.rpartition(".")[2] in ABOUT and parsed.type in (None, "Patient"):
                described = self._described({"identifier": [reference.get("identifier")]})
                if described is not None and described != meant:
                    yield f"{where}.identifier", described

    def own_name(self, patient: Data, entry: Data) -> str:
        """Give the name of a Patient entry."""
        local = patient.get("id")
        return self._by_name.get(
            f"Patient/{local}" if isinstance(local, str) else str(entry.get("fullUrl")), ""
        )

    def meant(self, parsed: ParsedReference, reference: Data, resource: Data) -> str | None:
        """Give the name of the patient that a reference in this resource means, None where it means none."""
        if parsed.text in self._by_name:
            return self._by_name[parsed.text]
        if parsed.form is Form.FRAGMENT:
            return self._described(_contained(resource, parsed.id))
        if parsed.type != "Patient":
            return None
        if parsed.form in (Form.RELATIVE, Form.ABSOLUTE):
            return self._by_name.get(f"Patient/{parsed.id}", f"Patient/{parsed.id}")
        if parsed.form is Form.LOGICAL:
            return self._described({"identifier": [reference.get("identifier")]})
        if parsed.form is Form.CONDITIONAL:
            system, _, value = (condition.identifier(parsed.text, resource_type="Patient") or "").partition(
                "|"
            )
            return self._described({"identifier": [{"system": system, "value": value}]})
        return None

    def _described(self, patient: Data | None) -> str | None:
        """Give a name of its own to a patient whose description contradicts every Patient entry."""
        if patient is None or not self._known or not all(_differ(patient, known) for known in self._known):
            return None
        stated = {system: sorted(values) for system, values in _identifiers(patient).items()}
        return f"described:{sorted(stated.items())}"


def _contained(resource: Data, local: str | None) -> Data | None:
    contained = resource.get("contained")
    for inner in contained if isinstance(contained, list) else ():
        if isinstance(inner, dict) and inner.get("id") == local and inner.get("resourceType") == "Patient":
            return inner
    return None


def _differ(described: Data, known: Data) -> bool:
    theirs, ours = _identifiers(described), _identifiers(known)
    shared = theirs.keys() & ours.keys()
    if any(theirs[system] & ours[system] for system in shared):
        return False
    births = {str(patient["birthDate"]) for patient in (described, known) if "birthDate" in patient}
    return bool(shared) or len(births) > 1


def _identifiers(patient: Data) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    identifiers = patient.get("identifier")
    for identifier in identifiers if isinstance(identifiers, list) else ():
        if isinstance(identifier, dict) and "value" in identifier:
            found.setdefault(str(identifier.get("system")), set()).add(str(identifier["value"]))
    return found
