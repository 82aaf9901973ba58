"""Teams as CareTeam."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.careteam import texts
from services.careteam.fhir.elements import REFERRAL_SYSTEM, Resource, codes, practitioner
from services.careteam.fhir.request_parsing import Findings, referred, unchanged
from services.careteam.models.rows import Place, Team, TeamMember
from shared.context import Context
from shared.fhir import reasons
from shared.fhir.codes import DISCIPLINE_SYSTEM
from shared.fhir.elements import coded, directory_reference, referral_reference
from shared.fhir.instants import to_the_second
from shared.reasons import Reason


def care_team(
    ctx: Context, team: Team, members: Sequence[TeamMember], *, missing: Sequence[str] = ()
) -> Resource:
    """Render a team with everybody who was ever in it, each with the period."""
    written: Resource = {
        "resourceType": "CareTeam",
        "identifier": [{"system": REFERRAL_SYSTEM, "value": team.referral_id}],
        "status": team.status,
        "name": ctx.clinic.programme(team.programme).name,
        "subject": referral_reference(ctx, "Patient", team.patient_id),
        "period": {"start": to_the_second(team.formed_at)},
        "participant": [_participant(ctx, member, team=team) for member in members],
        "managingOrganization": [directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}")],
    }
    if team.ended_at is not None:
        written["period"]["end"] = to_the_second(team.ended_at)
    if missing:
        lacking = Reason.of("nobody-for", disciplines=missing)
        written["note"] = reasons.note([lacking], texts.REASONS)
    return written


def asked_members(ctx: Context, data: Mapping[str, Any], *, stored: Mapping[str, Any]) -> list[Place]:
    """Read who shall be in a team from now on: the participants whose period has no end.

    Raises Invalid with everything that is wrong, the members among it that only the clinic changes.
    """
    findings, places = Findings(urls=ctx.urls), []
    for index, participant in enumerate(data.get("participant", [])):
        if "end" in participant.get("period", {}):
            continue
        expression = f"CareTeam.participant[{index}].member"
        person = referred(participant.get("member"), "Practitioner", expression=expression, findings=findings)
        discipline = _discipline(ctx, person, participant)
        if person is not None and discipline is None:
            findings.add("this is nobody of the clinic in this discipline", expression=expression)
        if person is not None and discipline is not None:
            places.append(Place(practitioner=person, discipline=discipline))
    if not places and not findings.problems:
        findings.add("a team has at least one member", expression="CareTeam.participant", code="required")
    unchanged(data, stored, members=("status", "subject", "identifier"), findings=findings)
    findings.refuse()
    return places


def _discipline(ctx: Context, person: str | None, participant: Mapping[str, Any]) -> str | None:
    found = [known.discipline for known in ctx.clinic.people if known.id == person]
    stated = [code for role in participant.get("role", []) for code in codes(role, system=DISCIPLINE_SYSTEM)]
    return found[0] if found and (not stated or found[0] in stated) else None


def _participant(ctx: Context, member: TeamMember, *, team: Team) -> Resource:
    end = member.left_at or team.ended_at
    period = {"start": to_the_second(member.joined_at)} | ({} if end is None else {"end": to_the_second(end)})
    return {
        "role": [coded(DISCIPLINE_SYSTEM, member.discipline)],
        "member": practitioner(ctx, member.practitioner),
        "period": period,
    }
