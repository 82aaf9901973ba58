"""The rows of scheduling's worklist, as they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.scheduling import texts
from services.scheduling.fhir import offers, replanning, telling, visit_tasks
from services.scheduling.models.guarantees import GuaranteeOverview
from services.scheduling.models.offers import TimeOffer
from services.scheduling.models.rows import (
    Appointment,
    Referral,
    ReplanTask,
    Series,
    TellingTask,
    VisitTask,
)
from shared.context import Context
from shared.fhir.elements import directory_reference
from shared.fhir.people import listed
from shared.fhir.reasons import concept
from shared.fhir.worklists import WorklistEntry, WorklistRow
from shared.people import KnownPerson
from shared.reasons import Reason

Actions = Sequence[Mapping[str, Any]]


def of_guarantee(
    ctx: Context,
    entry: WorklistEntry,
    row: GuaranteeOverview,
    *,
    reason: Sequence[Reason],
    actions: Actions,
) -> WorklistRow:
    """Show a guarantee that is in danger with nothing booked; its acts are those of the place that waits."""
    return WorklistRow(
        entry=entry,
        resource=f"Task/{row.guarantee.id}",
        state=row.guarantee.status,
        reason=_stated(ctx, reason, site=row.site),
        owner=directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        actions=actions,
        **_about(ctx, row.referral, row.person),
    )


def of_visit(
    ctx: Context,
    entry: WorklistEntry,
    row: Appointment,
    *,
    referral: Referral,
    person: KnownPerson | None,
    reason: Sequence[Reason],
    actions: Actions,
) -> WorklistRow:
    """Show a visit that waits for a time, or for somebody to record what became of it."""
    owner = (
        f"Organization/{ctx.clinic.id}" if row.practitioner is None else f"Practitioner/{row.practitioner}"
    )
    return WorklistRow(
        entry=entry,
        resource=f"Appointment/{row.id}",
        state=row.status,
        reason=_stated(ctx, reason, site=row.site),
        owner=directory_reference(ctx.clinic, owner),
        actions=actions,
        **_about(ctx, referral, person),
    )


def of_task(ctx: Context, entry: WorklistEntry, row: ReplanTask, *, actions: Actions) -> WorklistRow:
    """Show the Task that names the visits of a site which no longer fit."""
    return WorklistRow(
        entry=entry,
        resource=f"Task/{row.id}",
        focus=f"Location/{row.site}",
        state=row.status,
        reason=_stated(ctx, replanning.all_reasons(row), site=row.site),
        site=row.site,
        owner=directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        actions=actions,
    )


def of_patient(
    ctx: Context,
    entry: WorklistEntry,
    row: TellingTask | VisitTask | TimeOffer,
    *,
    referral: Referral,
    person: KnownPerson | None,
    actions: Actions,
) -> WorklistRow:
    """Show whom to tell the day of the first visit, whom to call who missed two, or whom to ask."""
    told = _told(ctx, row)
    return WorklistRow(
        entry=entry,
        resource=f"Task/{row.id}",
        state=row.status,
        reason=_stated(ctx, told, site=row.site),
        owner=directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        actions=actions,
        **_about(ctx, referral, person),
    )


def of_series(
    ctx: Context,
    entry: WorklistEntry,
    row: Series,
    *,
    referral: Referral,
    person: KnownPerson | None,
    actions: Actions,
) -> WorklistRow:
    """Show a series that is not booked, or has fewer sessions than it wants."""
    return WorklistRow(
        entry=entry,
        resource=f"List/{row.id}",
        state=row.status,
        reason=_stated(ctx, row.reasons, site=row.site),
        owner=directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        actions=actions,
        **_about(ctx, referral, person),
    )


def _told(ctx: Context, row: TellingTask | VisitTask | TimeOffer) -> Sequence[Reason]:
    if isinstance(row, VisitTask):
        return visit_tasks.reasons(row)
    return offers.reasons(row) if isinstance(row, TimeOffer) else telling.reasons(ctx, row)


def _about(ctx: Context, referral: Referral, person: KnownPerson | None) -> dict[str, Any]:
    return {
        "focus": f"ServiceRequest/{referral.id}",
        "site": referral.site,
        "patient_id": referral.patient_id,
        "patient": listed(referral.patient_id, person),
        "referral": str(referral.id),
        "programme": referral.programme,
        "requester": directory_reference(ctx.clinic, f"Organization/{referral.requester}"),
    }


def _stated(ctx: Context, reasons: Sequence[Reason], *, site: str) -> dict[str, Any]:
    return concept(reasons, texts.REASONS, zone=ctx.clinic.site(site).zone, words=texts.words_of(ctx.clinic))
