"""Who sends a referral: the caller itself, or whom a coordinator enters it for, with how it came and when.

What a coordinator enters says so in the ServiceRequest: `requester` names the sender, or the patient who
refers themselves, and an extension (ENTRY_EXTENSION) says by which way it came, and on which day or when.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from services.referral.fhir.reading import day_of, tokens
from services.referral.models.submission import EntryOnBehalf, Submission
from shared.context import Context
from shared.errors import Invalid, Problem
from shared.fhir import references
from shared.fhir.codes import ENTRY_EXTENSION, Way
from shared.fhir.instants import read_instant
from shared.fhir.values import value_of

Resource = Mapping[str, Any]

# What lies longer back is a slip of the pen in the year.
_LONGEST_AGO = timedelta(days=366)


class WrongEntry(Invalid):
    """It is not said for whom a referral is entered, how it came, or when that can have been."""

    code = "required"


def with_sender(ctx: Context, submission: Submission) -> Submission:
    """Say whose a submission is; raises WrongEntry with every problem of what a coordinator enters."""
    if ctx.caller.party != "coordinator":
        return replace(submission, requester=str(ctx.caller.organization))
    problems: list[Problem] = []
    requester, is_self = _requester(ctx, submission, problems)
    way, arrived_at = _way(ctx, submission, problems)
    if problems:
        raise WrongEntry(problems=problems)
    entry = EntryOnBehalf(way=way, arrived_at=arrived_at, is_self_referral=is_self)
    return replace(submission, requester=requester, entry=entry)


def _requester(ctx: Context, submission: Submission, problems: list[Problem]) -> tuple[str, bool]:
    """Find the sender: an organisation of clinic.yaml, or the clinic itself for a patient's self-referral."""
    named = submission.request.data.get("requester", {})
    if _is_patient(named, submission):
        return ctx.clinic.id, True
    known = {link: piece.data for piece in submission.enclosures for link in piece.links}
    found = _organization(ctx, named, known)
    if found is None:
        allowed = ", ".join(f"Organization/{one.id}" for one in ctx.clinic.organizations)
        text = f"for whom the referral is entered: one of {allowed}, or the patient who refers themselves"
        expression = f"{submission.request.place}.requester"
        problems.append(Problem(text=text, code="required", expression=expression))
    return found or "", False


def _is_patient(named: Resource, submission: Submission) -> bool:
    text, subject = named.get("reference"), submission.request.data.get("subject", {}).get("reference")
    links = () if submission.patient is None else submission.patient.links
    return isinstance(text, str) and (text == subject or text in links)


def _organization(ctx: Context, named: Resource, known: Mapping[str, Resource]) -> str | None:
    """Find the organisation that a reference names: by id, by identifier, or by what is sent along."""
    target = known.get(str(named.get("reference", "")), {})
    if target.get("resourceType") == "PractitionerRole":
        named = target.get("organization", {})
        target = known.get(str(named.get("reference", "")), {})
    parsed = references.parse(named)
    is_here = parsed.type == "Organization" and references.is_ours(parsed, ctx.urls)
    identifiers = {*tokens([named.get("identifier")]), *tokens(target.get("identifier"))}
    for organization in ctx.clinic.organizations:
        if is_here and parsed.id == organization.id:
            return organization.id
        if identifiers & set(organization.identifiers):
            return organization.id
    return None


def _way(ctx: Context, submission: Submission, problems: list[Problem]) -> tuple[str, datetime | None]:
    where = f"{submission.request.place}.extension"
    parts = _parts(submission.request.data)
    way = parts.get("way")
    if way not in list(Way):
        text = (
            f"how it came: an extension {ENTRY_EXTENSION} whose `way` (valueCode) is one of {', '.join(Way)}"
        )
        problems.append(Problem(text=text, code="required", expression=where))
    arrived_at = None if (stated := parts.get("arrived")) is None else _moment(ctx, stated)
    if stated is not None and arrived_at is None:
        text = (
            "when it came (`arrived`): a day, or a moment with its zone, within the last year and not to come"
        )
        problems.append(Problem(text=text, code="value", expression=where))
    return str(way), arrived_at


def _parts(request: Resource) -> dict[str, Any]:
    for extension in request.get("extension", []):
        if extension.get("url") == ENTRY_EXTENSION:
            return {part["url"]: value_of(part) for part in extension.get("extension", [])}
    return {}


def _moment(ctx: Context, stated: Any) -> datetime | None:
    """Read when something came; a day is its first moment at the coordinator's site."""
    moment = read_instant(stated) if isinstance(stated, str) else None
    if moment is None:
        day = day_of(stated)
        if day is None or day.earliest != day.latest or "T" in str(stated):
            return None
        zone = ctx.clinic.site(ctx.caller.site or ctx.clinic.sites[0].id).zone
        moment = datetime.combine(day.earliest, time(), zone)
    return moment if ctx.at - _LONGEST_AGO <= moment <= ctx.at else None
