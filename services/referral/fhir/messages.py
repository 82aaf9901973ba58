"""Messages of other systems: which event it is, what it asks for, and which entry it is about.

An event is known by its code system, for a code means nothing without it (docs/conformance.md):
CA:eReC and Ontario's eReferral (also as Ocean writes them), NHS BaRS, whose reason says what is asked, and
HL7 v2's referral events I12 to I15, as BSeR uses them.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import msgspec

from services.referral.fhir import entries
from services.referral.fhir.entries import Entries
from services.referral.fhir.reading import tokens
from services.referral.models.submission import Piece
from shared.errors import Invalid, Problem
from shared.fhir.received import Entry, Received

BARS_SYSTEM = "https://fhir.nhs.uk/CodeSystem/message-events-bars"
BARS_REASON_SYSTEM = "https://fhir.nhs.uk/CodeSystem/message-reason-bars"
V2_SYSTEM = "http://terminology.hl7.org/CodeSystem/v2-0003"
ONTARIO_SYSTEM = "https://ehealthontario.ca/fhir/CodeSystem/message-event-code"
# Whose systems hold the events of Canadian eReferral: the guides and Ocean name several; and our own.
_CANADIAN_HOSTS = ("infoway-inforoute.ca", "ehealthontario.ca", "cognisantmd.com", "lumbar.care")
_STATUS_REASON = "http://hl7.org/fhir/StructureDefinition/request-statusReason"
_HEADER = "Bundle.entry[0].resource"


class Act(StrEnum):
    """What a message asks for."""

    ADD = "add"
    UPDATE = "update"
    REVOKE = "revoke"
    COMMUNICATE = "communicate"
    TELL_STATUS = "tell-status"


_CANADIAN = {
    "add-service-request": Act.ADD,
    "notify-add-service-request": Act.ADD,
    "notify-add-service-record": Act.ADD,
    "update-service-request": Act.UPDATE,
    "notify-update-service-request": Act.UPDATE,
    "notify-update-service-requests": Act.UPDATE,
    "notify-data-correction": Act.UPDATE,
    "revoke-service-request": Act.REVOKE,
    "notify-revoke-service-request": Act.REVOKE,
    "send-communication": Act.COMMUNICATE,
    "send-communication-from-requester": Act.COMMUNICATE,
}
_BARS = {"servicerequest-request": Act.ADD}
_BARS_REASONS = {
    "new": Act.ADD,
    "update": Act.UPDATE,
    "delete": Act.REVOKE,
    "cancel": Act.REVOKE,
    "cancelled": Act.REVOKE,
}
_V2 = {"I12": Act.ADD, "I13": Act.UPDATE, "I14": Act.REVOKE, "I15": Act.TELL_STATUS}
_TAKEN_BACK = ("revoked", "entered-in-error")
# What answers say of themselves, by the event that is answered.
_ANSWERED_BY = {Act.ADD: "notify-add-process-request"}


class NotAMessage(Invalid):
    """A message that cannot be acted on."""


class UnknownEvent(NotAMessage):
    """A message whose event is not taken here."""

    code = "not-supported"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as far as it was read.

    `id` is the sender's, or one made of the content where it has none; `digest` tells it from another one
    under the same id. What it is about is the `request`, with its `identifiers`, and how the sender's system
    `called` it (fullUrl, `ServiceRequest/id`); a communication may only name it. `words` say why, where the
    message says it.
    """

    act: Act
    id: str
    digest: str
    header: Mapping[str, Any]
    entries: Entries
    request: Piece | None
    identifiers: tuple[str, ...]
    called: tuple[str, ...]
    communication: Piece | None = None
    words: str = ""


def read(received: Received) -> Message:
    """Read a message Bundle; raises UnknownEvent and NotAMessage with every problem."""
    if (kind := received.data.get("type")) != "message":
        raise NotAMessage(f"a message is taken here, not a {kind}", expression="Bundle.type")
    header = received.entries[0].resource.data if received.entries and received.entries[0].resource else {}
    if "response" in header:
        text = "this is an answer to a message, and nothing was asked of you"
        raise NotAMessage(text, expression=f"{_HEADER}.response")
    problems: list[Problem] = []
    found = entries.read(received, problems)
    focus = _focus(header, received, found, problems)
    requests = [piece for piece in found.pieces if piece.type == "ServiceRequest"]
    request = _request(requests, focus)
    if request is None and not problems:
        problems.append(
            Problem(text="what it is about: a ServiceRequest", code="required", expression="Bundle.entry")
        )
    act = _act(header, request)
    communication = next((piece for piece in focus if piece.type == "Communication"), None)
    problems += _missing(act, request, communication)
    if problems:
        raise NotAMessage(problems=problems)
    digest = _digest(received)
    named = [] if communication is None else communication.data.get("basedOn", [])
    by_reference = [str(reference.get("reference")) for reference in named]
    return Message(
        act=act,
        id=_id(header, received) or digest[:32],
        digest=digest,
        header=header,
        entries=found,
        request=request,
        identifiers=request.identifiers if request else tokens([one.get("identifier") for one in named]),
        called=request.links if request else tuple(by_reference),
        communication=communication,
        words=_words(header, request.data if request else {}),
    )


def _missing(act: Act, request: Piece | None, communication: Piece | None) -> Iterator[Problem]:
    if act is Act.COMMUNICATE and communication is None:
        text = "what is said: the focus is a Communication"
        yield Problem(text=text, code="required", expression=f"{_HEADER}.focus")
    elif act is not Act.COMMUNICATE and request is None:
        text = "what it is about: a ServiceRequest"
        yield Problem(text=text, code="required", expression="Bundle.entry")


def answering_event(message: Message) -> dict[str, str]:
    """Return the event of the answer: each family has its own word for it."""
    coding: Mapping[str, str] = message.header.get("eventCoding", {})
    system = coding.get("system", ONTARIO_SYSTEM)
    return answer_to(message.act, system=system, code=coding.get("code", ""))


def answer_to(act: Act, *, system: str, code: str) -> dict[str, str]:
    """Return the event that answers one of a system."""
    if system == BARS_SYSTEM:
        return {"system": system, "code": "servicerequest-response"}
    if system == V2_SYSTEM:
        return {"system": system, "code": code}
    return {"system": system, "code": _ANSWERED_BY.get(act, "notify-update-process-request")}


def events() -> Iterator[tuple[str, str, Act]]:
    """Give every event that is taken: its system, its code, and what it asks for.

    Of the systems that hold the events of Canadian eReferral Ontario's stands for all.
    """
    for system, known in ((ONTARIO_SYSTEM, _CANADIAN), (BARS_SYSTEM, _BARS), (V2_SYSTEM, _V2)):
        yield from ((system, code, act) for code, act in known.items())


def _act(header: Mapping[str, Any], request: Piece | None) -> Act:
    system, code, where = _event(header)
    host = urlsplit(system).hostname or ""
    if system == BARS_SYSTEM:
        known = _BARS
    elif system == V2_SYSTEM:
        known = _V2
    elif any(host == name or host.endswith(f".{name}") for name in _CANADIAN_HOSTS):
        known = _CANADIAN
    else:
        text = f"the events of this system are not known: {ONTARIO_SYSTEM}, {BARS_SYSTEM} and {V2_SYSTEM} are"
        raise UnknownEvent(text, expression=where.format("system"))
    if code not in known:
        text = f"the events of this system are {', '.join(known)}; {code[:64] or 'none'} is none of them"
        raise UnknownEvent(text, expression=where.format("code"))
    return _by_reason(header, request) if known is _BARS else known[code]


def _event(header: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the system and the code of the event, and where each stands."""
    if "eventUri" in header:
        system, _, code = str(header["eventUri"]).replace("#", "/").rpartition("/")
        return system, code, f"{_HEADER}.eventUri"
    coding = header.get("eventCoding", {})
    return str(coding.get("system", "")), str(coding.get("code", "")), f"{_HEADER}.eventCoding.{{}}"


def _by_reason(header: Mapping[str, Any], request: Piece | None) -> Act:
    """Read what BaRS asks: by the reason, and a request that was taken back is revoked whatever it says."""
    codings = header.get("reason", {}).get("coding", [])
    codes = [str(coding.get("code")) for coding in codings if coding.get("system") == BARS_REASON_SYSTEM]
    if codings and not any(code in _BARS_REASONS for code in codes):
        text = f"the reasons are {', '.join(_BARS_REASONS)} of {BARS_REASON_SYSTEM}"
        raise UnknownEvent(text, expression=f"{_HEADER}.reason.coding")
    if request is not None and request.data.get("status") in _TAKEN_BACK:
        return Act.REVOKE
    return next((_BARS_REASONS[code] for code in codes if code in _BARS_REASONS), Act.ADD)


def _focus(
    header: Mapping[str, Any], received: Received, found: Entries, problems: list[Problem]
) -> Sequence[Piece]:
    """Find the entries in focus; one that names no entry is a problem, one that was left out is none."""
    names = {name: entry for entry in received.entries for name in _names(entry)}
    pieces = {piece.index: piece for piece in found.pieces}
    inside = []
    for place, focus in enumerate(header.get("focus", [])):
        entry = names.get(str(focus.get("reference")))
        if entry is None:
            text = "the focus is an entry of the message: its fullUrl, or its type and id"
            where = f"{_HEADER}.focus[{place}].reference"
            problems.append(Problem(text=text, code="not-found", expression=where))
        elif entry.index in pieces:
            inside.append(pieces[entry.index])
    return inside


def _names(entry: Entry) -> Iterator[str]:
    if entry.full_url:
        yield entry.full_url
        yield "/".join(entry.full_url.rsplit("/", 2)[1:])
    if entry.resource is not None:
        yield f"{entry.resource.resource_type}/{entry.resource.data.get('id')}"


def _request(requests: Sequence[Piece], focus: Sequence[Piece]) -> Piece | None:
    """Find the request: in focus, what the Task or Communication in focus is about, or the only one."""
    in_focus = [piece for piece in focus if piece.type == "ServiceRequest"]
    about = [
        reference.get("reference")
        for piece in focus
        for reference in [
            piece.data.get("focus", {}),
            *piece.data.get("basedOn", []),
            *piece.data.get("about", []),
        ]
    ]
    named = [piece for piece in requests if set(piece.links) & set(about)]
    alone = requests if len(requests) == 1 else []
    return next(iter([*in_focus, *named, *alone]), None)


def _id(header: Mapping[str, Any], received: Received) -> str | None:
    """Return the id of the message, by which the answer names it."""
    url = received.entries[0].full_url or ""
    by_url = url.removeprefix("urn:uuid:") if url.startswith("urn:uuid:") else None
    found = header.get("id") or by_url or received.data.get("id")
    return None if found is None else str(found)


def _digest(received: Received) -> str:
    """Return the SHA-256 of what the message says, in hexadecimal digits; its envelope and meta left out."""
    said = [
        {name: value for name, value in entry.resource.data.items() if name != "meta"}
        for entry in received.entries
        if entry.resource is not None
    ]
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def _words(header: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """Return why, in the sender's words: of the header's reason, or the reason of the request's status."""
    reason = header.get("reason", {})
    stated = [
        extension.get("valueCodeableConcept", {})
        for extension in request.get("extension", [])
        if extension.get("url") == _STATUS_REASON
    ]
    for concept in (reason, *stated):
        shown = concept.get("text") or next(
            (coding["display"] for coding in concept.get("coding", []) if coding.get("display")), ""
        )
        if str(shown).strip():
            return str(shown).strip()
    return ""
