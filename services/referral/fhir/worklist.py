"""The rows of the referral service's worklist, as they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from services.referral.fhir import wording
from services.referral.models.facts import Finding
from services.referral.models.rows import Claim, Referral, Task
from shared.context import Context
from shared.fhir.codes import TRIAGE_RULE_SYSTEM, TaskCode
from shared.fhir.elements import directory_reference
from shared.fhir.people import listed
from shared.fhir.worklists import WorklistEntry, WorklistRow
from shared.people import KnownPerson

Actions = Sequence[Mapping[str, Any]]


def render(
    ctx: Context,
    entry: WorklistEntry,
    task: Task,
    *,
    referral: Referral,
    person: KnownPerson | None,
    actions: Actions,
) -> WorklistRow:
    """Show a Task about a referral: why somebody is asked to act, and the rules that fired."""
    body: Mapping[str, Any] = msgspec.json.decode(task.body)
    reason = body.get("statusReason", {})
    if task.code == TaskCode.PROCESS_REQUEST:
        reason = wording.stated(referral.reason, site=referral.site, clinic=ctx.clinic)
    return WorklistRow(
        entry=entry,
        resource=f"Task/{task.id}",
        focus=f"ServiceRequest/{referral.id}",
        state=referral.state,
        reason=reason,
        rules=[_rule(finding, referral, ctx=ctx) for finding in referral.rules],
        site=referral.site,
        patient_id=str(referral.patient_id),
        patient=listed(str(referral.patient_id), person),
        referral=str(referral.id),
        programme=referral.programme,
        requester=directory_reference(ctx.clinic, f"Organization/{referral.requester}"),
        owner=body.get("owner"),
        actions=actions,
    )


def of_claim(
    ctx: Context, entry: WorklistEntry, task: Task, *, claim: Claim, site: str, actions: Actions
) -> WorklistRow:
    """Show a Task that asks an insurer to decide a Claim; of the referral it shows nothing."""
    body: Mapping[str, Any] = msgspec.json.decode(task.body)
    return WorklistRow(
        entry=entry,
        resource=f"Task/{task.id}",
        focus=f"Claim/{claim.id}",
        state=claim.standing,
        reason=body.get("statusReason", {}),
        site=site,
        patient_id=str(claim.patient_id),
        patient=listed(str(claim.patient_id), None),
        requester=directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        owner=body.get("owner"),
        actions=actions,
    )


def _rule(finding: Finding, referral: Referral, *, ctx: Context) -> dict[str, Any]:
    stated = wording.stated(finding.reasons, site=referral.site, clinic=ctx.clinic)
    rule = {"system": TRIAGE_RULE_SYSTEM, "code": finding.rule}
    return {**stated, "coding": [rule, *stated.get("coding", ())]}
