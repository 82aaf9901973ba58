"""Wrong resources out of right ones: parts removed, renamed, wrapped, replaced, grafted from elsewhere."""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**40, 7, "", " ", "x", "#x", "#o", "#", "Patient/1", "Medication/1",
    "2020-02-30", "2023-02-29", "2024-02-29", "2026-01-05T24:00:00Z", "2026-01-05T10:00:00Z", "2099-12-31",
    "1999", "active", "male", "a\x00b", "a\u0007", "a:b", "é", "QQ==", "QQ =", "urn:uuid:1", "a" * 65,
    "https://x/fhir/Patient/9/_history/1", "Patient?a=b", "<div/>",
    '<div xmlns="http://www.w3.org/1999/xhtml"><script/></div>',
    [], [None], [[]], {}, {"x": 1}, {"reference": 1}, {"reference": "Group/1"}, {"value": 1, "code": "kg"},
    {"start": "2021", "end": "2020"}, {"id": "x"}, {"resourceType": []}, {"resourceType": "Patient"},
    {"resourceType": "Bundle", "entry": 1}, {"resourceType": "Ingredient"}, {"url": "u"},
    {"type": "Patient", "identifier": {"value": "9"}}, {"url": "u", "valueString": "s"},
    {"url": "u", "valueString": "s", "valueCode": "c"},
]  # fmt: skip
NAMES = [
    "", "_", "_id", "id", "value", "valueString", "_value", "resourceType", "extension", "contained", "$",
    "status", "_status", "type", "subject", "system", "code", "text", "link", "total", "search", "response",
    "reference",
]  # fmt: skip


def mutated(resource: Any, chance: random.Random, *, grafts: Sequence[Any] = ()) -> Any:
    """Change one to three places of a resource; `grafts` are resources that parts may be taken from."""
    copy = json.loads(json.dumps(resource))
    for _ in range(chance.randint(1, 3)):
        holder = chance.choice(list(_holders(copy)))
        if grafts and isinstance(holder, dict) and chance.random() < 0.4:
            _graft(holder, chance, chance.choice(grafts))
        else:
            _change(holder, chance)
    return copy


def written(resource: Any, chance: random.Random) -> bytes:
    """Write a resource as any sender would, sometimes with a member twice or odd escapes."""
    indent = chance.choice([None, None, 1])
    text = json.dumps(resource, ensure_ascii=chance.random() < 0.5, indent=indent)
    if chance.random() < 0.05:
        at = [place for place, sign in enumerate(text) if sign == "{"]
        place = chance.choice(at) + 1
        text = text[:place] + chance.choice(TWICE) + text[place:]
    return text.encode()


# A member before those that stand there: where the object has one of this name, that one stands twice.
TWICE = [
    '"resourceType":"Patient",', '"status":"active",', '"id" : "x",', '"reference":"Patient/p1",',
    '"value":1,',
    '"st\\u0061tus":"active",', '"system":"a\\u003ab",', '"use":"official",', '"display":"\\":",',
    '"text":{},',
]  # fmt: skip


def _holders(node: Any) -> Iterator[Any]:
    if isinstance(node, dict | list):
        yield node
        for child in node.values() if isinstance(node, dict) else node:
            yield from _holders(child)


def _graft(holder: dict[str, Any], chance: random.Random, other: Any) -> None:
    """Put a part of another resource into an object: a right thing in what may be the wrong place."""
    donor = chance.choice([part for part in _holders(other) if isinstance(part, dict) and part])
    name = chance.choice(list(donor))
    into = chance.choice([name, name, *holder]) if holder else name
    holder[into] = json.loads(json.dumps(donor[name]))


def _change(holder: Any, chance: random.Random) -> None:
    value = json.loads(json.dumps(chance.choice(VALUES)))
    if isinstance(holder, list):
        if holder and chance.random() < 0.7:
            holder[chance.randrange(len(holder))] = value
        else:
            holder.append(value)
        return
    names = [*holder, *holder, *NAMES]
    name = chance.choice(names)
    how = chance.random()
    if how < 0.3:
        holder.pop(name, None)
    elif how < 0.4 and name in holder:
        holder[name + "x"] = holder.pop(name)
    elif how < 0.5 and name in holder:
        holder[name] = [holder[name]]
    else:
        holder[name] = value
