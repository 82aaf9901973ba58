"""Reading `Claim/$inquire`: a query by example, as Parameters, a Bundle or a bare Claim.

The member id (identifier type MB) is mandatory: there is no question for "all my requests".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.referral.fhir.reading import has_code, tokens
from shared.errors import Invalid
from shared.fhir import references
from shared.urls import Urls

_MEMBER_PARAMETERS = ("member", "member-id", "memberId", "member-identifier", "patient-identifier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What is asked: member ids, and one Claim where it is named."""

    members: tuple[str, ...]
    claims: tuple[str, ...] = ()

    @property
    def as_search(self) -> list[tuple[str, str]]:
        """The question as parameters of a search: of a query by example no more than it asks."""
        return [("member-id", member) for member in self.members] + [
            ("claim", claim) for claim in self.claims
        ]


class NoMember(Invalid):
    """The question names no member."""

    code = "required"


def read(resource: Mapping[str, Any], *, urls: Urls) -> Inquiry:
    """Read the question; raises NoMember where there is no member id."""
    members = dict.fromkeys([*_members(resource), *_parameter_members(resource)])
    if not members:
        expression = "Parameters.parameter.where(name='member-id')"
        text = "the patient's member id: an identifier of type MB, or the parameter `member-id`"
        raise NoMember(text, expression=expression)
    return Inquiry(members=tuple(members), claims=tuple(dict.fromkeys(_claims(resource, urls=urls))))


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _members(resource: Mapping[str, Any]) -> Iterator[str]:
    for node in _nodes(resource):
        if has_code(node.get("type"), "MB") and isinstance(node.get("value"), str):
            yield node["value"]
        if node.get("resourceType") == "Coverage" and isinstance(node.get("subscriberId"), str):
            yield node["subscriberId"]


def _parameter_members(resource: Mapping[str, Any]) -> Iterator[str]:
    for parameter in resource.get("parameter", []):
        if parameter.get("name") in _MEMBER_PARAMETERS:
            identifier = parameter.get("valueIdentifier", {})
            value = parameter.get("valueString") or identifier.get("value")
            if isinstance(value, str):
                yield value


def _claims(resource: Mapping[str, Any], *, urls: Urls) -> Iterator[str]:
    for node in _nodes(resource):
        if node.get("resourceType") == "Claim":
            yield from (token.partition("|")[2] for token in tokens(node.get("identifier")))
        reference = node.get("valueReference", {})
        if node.get("name") == "claim" and isinstance(reference, Mapping) and "reference" in reference:
            where = "Parameters.parameter.where(name='claim')"
            yield references.own_id(reference, urls=urls, expression=where)
