"""Who a resource names: the insurer, the member id, the parts of a person's name."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from services.referral.fhir.reading import has_code, tokens
from services.referral.models.facts import Demographics
from shared.clinic import Clinic
from shared.fhir import people

Resource = Mapping[str, Any]


def payer_of(
    reference: Resource, *, within: Resource, known: Mapping[str, Resource], clinic: Clinic
) -> str | None:
    """Find the insurer of clinic.yaml that a Reference names: by identifier, our id, or a sent Organization.

    `within` is the resource that holds the reference (its contained resources are looked at), `known` the
    others by the text with which they are referred to.
    """
    named = set(tokens([reference.get("identifier")]))
    text = reference.get("reference")
    if isinstance(text, str):
        target = known.get(text) or _contained(within, text)
        named |= set(tokens((target or {}).get("identifier")))
        # An absolute URL may be another server's, whose Organization of this id is another one.
        if text.removeprefix("Organization/") in {payer.id for payer in clinic.payers}:
            return text.removeprefix("Organization/")
    for payer in clinic.payers:
        if named & set(payer.identifiers):
            return payer.id
    return None


def member_ids(*resources: Resource) -> list[str]:
    """Collect the member ids (MB) that a Coverage and its Patient state."""
    found: dict[str, None] = {}
    for resource in resources:
        if resource.get("resourceType") == "Coverage" and resource.get("subscriberId"):
            found[str(resource["subscriberId"])] = None
        for identifier in resource.get("identifier", []):
            if has_code(identifier.get("type"), "MB") and identifier.get("value"):
                found[str(identifier["value"])] = None
    return list(found)


def demographics(patient: Resource) -> Demographics:
    """Read who a Patient is."""
    family, given = people.names(patient)
    return Demographics(family=family, given=given, birth_date=patient.get("birthDate"))


def is_deceased(patient: Resource) -> bool:
    """Tell whether a Patient is said to have died; a date says it too."""
    return patient.get("deceasedBoolean") is True or patient.get("deceasedDateTime") is not None


def is_replaced(patient: Resource) -> bool:
    """Tell whether a Patient says that another record replaced it."""
    return any(link.get("type") == "replaced-by" for link in patient.get("link", []))


def replacing(patient: Resource) -> tuple[str, ...]:
    """Give the identifiers of the records that replaced a Patient."""
    return tuple(
        token
        for link in patient.get("link", [])
        if link.get("type") == "replaced-by"
        for token in tokens([link.get("other", {}).get("identifier")])
    )


def linked(patient: Resource, other: str, *, kind: str) -> list[Any]:
    """Return the links of a Patient with one more, to another record: `kind` is replaced-by or replaces."""
    return [
        *(unlinked(patient, other, kind=kind) or ()),
        {"other": {"reference": f"Patient/{other}"}, "type": kind},
    ]


def unlinked(patient: Resource, other: str, *, kind: str) -> list[Any] | None:
    """Return the links of a Patient without that to one other record of ours; None where none is left."""
    ours = {"other": {"reference": f"Patient/{other}"}, "type": kind}
    return [link for link in patient.get("link", []) if link != ours] or None


# What tells who a person is and how to reach them; a death and a fuller birth date are taken over at once.
_TOLD = ("name", "telecom", "gender", "address", "maritalStatus", "contact", "communication", "birthDate")
_OFFERED = ("identifier", *_TOLD, "deceasedBoolean")
_BESIDE = ("id", "extension", "period", "rank", "use", "text")


def said_newly(sent: Resource, *known: Resource) -> dict[str, Any]:
    """Return what a Patient says that no known description says: of lists the elements that are new.

    A birth date that agrees with a known one, as far as both go, says nothing that differs.
    """
    found: dict[str, Any] = {}
    for member in ("identifier", *_TOLD):
        stated = sent.get(member)
        theirs = [description[member] for description in known if description.get(member) is not None]
        if isinstance(stated, list):
            said = {_plain(member, _without_end(part)) for parts in theirs for part in parts}
            more = [part for part in stated if _plain(member, part) not in said | {""}]
            found |= {member: more} if more else {}
        elif stated is not None and not any(_agree(member, stated, value) for value in theirs):
            found |= {member: stated} if theirs or member != "birthDate" else {}
    lives = sent.get("deceasedBoolean") is False and any(map(is_deceased, known[:1]))
    if lives and all(description.get("deceasedBoolean") is not False for description in known):
        found["deceasedBoolean"] = False
    return found


def joined(earlier: Resource, later: Resource) -> dict[str, Any]:
    """Put together what two times is said newly: of lists each element once, else what was said later."""
    found = {name: value for name, value in earlier.items() if name in _OFFERED}
    for member, value in later.items():
        stated = found.get(member)
        if isinstance(value, list) and isinstance(stated, list):
            said = {_plain(member, part) for part in stated}
            value = [*stated, *(part for part in value if _plain(member, part) not in said)]
        found[member] = value
    return found


def left_of(offered: Resource, known: Resource) -> dict[str, Any]:
    """Return what is offered of a Patient and is not known; that somebody lives is not to be taken over."""
    left = said_newly(offered, known)
    return left | {name: offered[name] for name in ("deceasedBoolean",) if name in offered}


def takes_back_death(sent: Resource, before: Resource) -> bool:
    """Tell whether a sender says that a patient lives of whom it said before that they had died."""
    return is_deceased(before) and sent.get("deceasedBoolean") is False


def _agree(member: str, stated: Any, known: Any) -> bool:
    if member == "birthDate":
        shorter, longer = sorted((str(stated), str(known)), key=len)
        return f"{longer}-".startswith(f"{shorter}-")
    return _plain(member, stated) == _plain(member, known)


def _without_end(part: Any) -> Any:
    """Leave out that an element is no longer in use: it is known all the same."""
    return {name: value for name, value in part.items() if name != "use"} if isinstance(part, dict) else part


def _plain(member: str, part: Any) -> str:
    """Write an element so that two ways to say the same are equal: a telephone number by its digits."""
    if member == "identifier":
        return next(iter(tokens([part])), "")
    if member == "telecom" and isinstance(part, dict):
        value = str(part.get("value", "")).casefold()
        return f"{part.get('system')}|{re.sub(r'[^0-9a-z@.+]', '', value)}"
    if isinstance(part, dict):
        part = {name: value for name, value in part.items() if name not in _BESIDE} or part
    return msgspec.json.encode(part, order="sorted").decode().casefold()


def _contained(within: Resource, text: str) -> Resource | None:
    for resource in within.get("contained", []):
        if text == f"#{resource.get('id')}":
            return resource  # type: ignore[no-any-return]
    return None
