"""Step 5: what holds across the entries of a Bundle: the bdl rules, and one patient in one command.

A file of another patient attached to a referral is an incident that real systems had (Open-O EMR's pull
request 221), so every patient reference of a transaction or message must mean the same patient.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from shared.errors import Problem
from shared.fhir import references
from shared.fhir.check.schema import word
from shared.fhir.references import ABOUT, Form

Data = Mapping[str, Any]

_REQUESTS = frozenset({"batch", "transaction", "history"})
_RESPONSES = frozenset({"batch-response", "transaction-response", "history"})
_COMMANDS = frozenset({"batch", "transaction"})
_SENDING = frozenset({"POST", "PUT", "PATCH"})
_SEARCHES = frozenset({"searchset"})
_LINKS_ONCE = frozenset({"self", "first", "previous", "prev", "next", "last"})


def problems(bundle: Data, path: str) -> Iterator[Problem]:
    """Give what is wrong with a Bundle by the rules bdl-1 to bdl-12 and those of fullUrl."""
    yield from _whole(bundle, path)
    entries = entries_of(bundle)
    for index, entry in enumerate(entries):
        for text in _entry(bundle, entry):
            yield _broken(text, f"{path}.entry[{index}]")
    yield from _full_urls(bundle, entries, path)


def entries_of(bundle: Data) -> list[Data]:
    """Give the entries in their places; one that is no object is empty here (its shape was told already)."""
    entries = bundle.get("entry")
    if not isinstance(entries, list):
        return []
    return [entry if isinstance(entry, dict) else {} for entry in entries]


def references_in(node: Any, path: str, *, links: bool = False) -> Iterator[tuple[str, Data]]:
    """Give each Reference below with its path, those of Patient.link, there for other records, with `links`.

    A Reference that has an identifier only is given where it says that it means a Patient, or is an element
    that says whom the resource is about.
    """
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from references_in(item, f"{path}[{index}]", links=links)
    elif isinstance(node, dict):
        if "reference" in node or ("identifier" in node and _may_mean_a_patient(node, path)):
            yield path, node
        is_patient = node.get("resourceType") == "Patient"
        for name, value in node.items():
            if isinstance(value, dict | list) and (links or not (is_patient and name == "link")):
                yield from references_in(value, f"{path}.{name}", links=links)


def _may_mean_a_patient(reference: Data, path: str) -> bool:
    if "type" in reference:
        return bool(reference["type"] == "Patient")
    return path.rpartition(".")[2] in ABOUT and "resourceType" not in reference


def _broken(text: str, path: str) -> Problem:
    return Problem(text=text, code="invariant", expression=path)


def _whole(bundle: Data, path: str) -> Iterator[Problem]:
    kind = word(bundle.get("type"))
    if "total" in bundle and kind not in ("searchset", "history"):
        yield _broken("total stands only in a search or history (bdl-1)", f"{path}.total")
    identifier = bundle.get("identifier")
    if kind == "document" and not (isinstance(identifier, dict) and {"system", "value"} <= identifier.keys()):
        yield _broken("a document has an identifier with system and value (bdl-9)", path)
    if kind == "document" and "timestamp" not in bundle:
        yield _broken("a document has a timestamp (bdl-10)", path)
    first = _resource_type(entries_of(bundle)[0]) if entries_of(bundle) else None
    if kind == "document" and first != "Composition":
        yield _broken("the first entry of a document is its Composition (bdl-11)", f"{path}.entry[0]")
    if kind == "message" and first != "MessageHeader":
        yield _broken("the first entry of a message is its MessageHeader (bdl-12)", f"{path}.entry[0]")
    links = bundle.get("link")
    relations = Counter(
        str(link.get("relation"))
        for link in (links if isinstance(links, list) else ())
        if isinstance(link, dict)
    )
    if any(count > 1 for relation, count in relations.items() if relation in _LINKS_ONCE):
        yield _broken("each relation of the paging links stands once", f"{path}.link")


def _entry(bundle: Data, entry: Data) -> Iterator[str]:
    kind = word(bundle.get("type"))
    if "search" in entry and kind not in _SEARCHES:
        yield "search stands only in a searchset (bdl-2)"
    if ("request" in entry) is not (kind in _REQUESTS):
        yield f"request {'is missing' if kind in _REQUESTS else 'is not allowed'} in this Bundle (bdl-3)"
    if ("response" in entry) is not (kind in _RESPONSES):
        yield f"response {'is missing' if kind in _RESPONSES else 'is not allowed'} in this Bundle (bdl-4)"
    request = entry.get("request")
    method = word(request.get("method")) if isinstance(request, dict) else ""
    if method in _SENDING and "resource" not in entry and kind in _COMMANDS:
        yield f"a {method} has a resource"
    if not entry.keys() & {"resource", "request", "response"}:
        yield "an entry has a resource, a request or a response (bdl-5)"
    if kind in _SEARCHES and _resource_type(entry) != "OperationOutcome" and not _has_id(entry):
        yield "a resource that was found by a search has an id"


def _full_urls(bundle: Data, entries: list[Data], path: str) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for index, entry in enumerate(entries):
        url = entry.get("fullUrl")
        if not isinstance(url, str):
            continue
        place = f"{path}.entry[{index}].fullUrl"
        for text in _full_url(url, entry):
            yield _broken(text, place)
        mark = (url, _version(entry))
        if mark in seen and bundle.get("type") != "history":
            yield _broken("each fullUrl stands once, or with another version (bdl-7)", place)
        seen.add(mark)


def _full_url(url: str, entry: Data) -> Iterator[str]:
    parsed = references.parse(url)
    if parsed.version is not None:
        yield "a fullUrl names no version (bdl-8)"
    if ":" not in url.partition("/")[0]:
        yield "a fullUrl is an absolute URL"
    resource = entry.get("resource")
    if parsed.form is not Form.ABSOLUTE or not isinstance(resource, dict):
        return
    request = entry.get("request")
    created = isinstance(request, dict) and request.get("method") == "POST"
    if (
        parsed.type == resource.get("resourceType")
        and resource.get("id", parsed.id) != parsed.id
        and not created
    ):
        yield "fullUrl and the id of the resource name different ids"


def _version(entry: Data) -> str:
    resource = entry.get("resource")
    meta = resource.get("meta") if isinstance(resource, dict) else None
    return str(meta.get("versionId", "")) if isinstance(meta, dict) else ""


def _resource_type(entry: Data) -> Any:
    resource = entry.get("resource")
    return resource.get("resourceType") if isinstance(resource, dict) else None


def _has_id(entry: Data) -> bool:
    resource = entry.get("resource")
    return not isinstance(resource, dict) or "id" in resource
