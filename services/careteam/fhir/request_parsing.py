"""Reading what a caller or another service sent: every problem is collected before any is raised."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.errors import Invalid, NotFound, Problem
from shared.fhir.elements import same
from shared.fhir.references import own_id, reference_type
from shared.urls import Urls


class Findings:
    """The problems found so far in one request; `urls` tell which references are this clinic's own."""

    def __init__(self, *, urls: Urls) -> None:
        self.urls = urls
        self.problems: list[Problem] = []

    def add(self, text: str, *, expression: str, code: str = "invalid") -> None:
        """Note one thing that is wrong."""
        self.problems.append(Problem(text=text, code=code, expression=expression))

    def extend(self, problems: Sequence[Problem]) -> None:
        """Note what a rule found."""
        self.problems.extend(problems)

    def refuse(self) -> None:
        """Raise Invalid with everything that was noted, if anything was."""
        if self.problems:
            raise Invalid(problems=self.problems)


def referred(
    element: Mapping[str, Any] | None, resource_type: str, *, expression: str, findings: Findings
) -> str | None:
    """Read the id that a reference to one resource type names; notes what is wrong and returns None."""
    if not element:
        findings.add(f"a reference to a {resource_type} is needed", expression=expression, code="required")
        return None
    if reference_type(element) != resource_type:
        findings.add(f"this must refer to a {resource_type}", expression=expression)
        return None
    try:
        return own_id(element, urls=findings.urls, expression=expression)
    except Invalid as refused:
        findings.extend(refused.problems)
        return None


def optional_referral(data: Mapping[str, Any], *, findings: Findings) -> str | None:
    """Read the referral that `basedOn` names, or None where it names none."""
    based_on = data.get("basedOn") or []
    expression = f"{data['resourceType']}.basedOn"
    for element in based_on:
        if reference_type(element) == "ServiceRequest":
            return referred(element, "ServiceRequest", expression=expression, findings=findings)
    return None


def unchanged(
    data: Mapping[str, Any], stored: Mapping[str, Any], *, members: Sequence[str], findings: Findings
) -> None:
    """Note each of these members that the caller sent with another value than the stored one."""
    for member in members:
        if member in data and not same(stored.get(member), data[member], urls=findings.urls):
            findings.add(
                f"{member} is the clinic's and cannot be changed here",
                expression=f"{data['resourceType']}.{member}",
                code="business-rule",
            )


def row_id(text: str, *, expression: str | None = None) -> UUID:
    """Read the id of a row of ours; raises NotFound, since no other id can exist."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("there is no such resource", expression=expression) from None
