"""What this service does when scheduling and careteam say that something happened."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.referral import use_cases
from services.referral.models import Referral
from services.referral.states import Turn
from shared.context import Context
from shared.db import Transaction
from shared.events.envelope import Event
from shared.events.inbox.handling import EventBatch, EventContext, NotYet
from shared.fhir import references
from shared.fhir.codes import LUMBAR, AppointmentKind
from shared.timers import Timer

Follow = Callable[[Context, Transaction, EventContext, use_cases.Known], Awaitable[None]]


async def on_events(_: Context, tx: Transaction, run: EventBatch, *, table: Mapping[str, Follow]) -> None:
    """Lock all referrals that a run is about, read their Tasks, and follow event by event."""
    about = [_about(one.event) for one in run]
    known = await use_cases.load_for_events(tx, {one for one in about if one is not None})
    for one in run:
        with one.span():
            try:
                await table[one.event.type](one.ctx, tx, one, known)
            except NotYet as error:
                run.defer(error)


async def on_first_appointment(
    ctx: Context, tx: Transaction, heard: EventContext, known: use_cases.Known, *, turn: Turn, text: str
) -> None:
    """Follow a first appointment; single sessions do not change where the referral stands."""
    event = heard.event
    if not _is_first(event.focus):
        return
    referral = _referral(known, event)
    if referral is not None:
        when = _when(ctx, event.focus, referral)
        reason = text.format(when=when, why=_why(event.focus))
        await use_cases.follow(ctx, tx, referral, event=event.type, reason=reason, turn=turn, known=known)


async def on_appointment_arrived(
    ctx: Context, tx: Transaction, heard: EventContext, known: use_cases.Known
) -> None:
    """Note that the patient is there."""
    event = heard.event
    if not _is_first(event.focus):
        return
    referral = _referral(known, event)
    if referral is not None:
        reason = f"The patient arrived for the appointment of {_when(ctx, event.focus, referral)}."
        await use_cases.note(ctx, tx, referral, reason=reason, known=known)


async def on_guarantee(
    ctx: Context, tx: Transaction, heard: EventContext, known: use_cases.Known, *, text: str
) -> None:
    """Note what became of the promise."""
    referral = _referral(known, heard.event)
    if referral is not None:
        await use_cases.note(ctx, tx, referral, reason=text, known=known)


async def on_series(
    ctx: Context, tx: Transaction, heard: EventContext, known: use_cases.Known, *, text: str
) -> None:
    """Note what became of the series of sessions."""
    event = heard.event
    referral = _referral(known, event)
    if referral is not None:
        notes = " ".join(one.get("text", "") for one in event.focus.get("note", []))
        said = f"{text} {notes}".strip() if event.type == "series.not-booked" else text
        await use_cases.note_sessions(ctx, tx, referral, text=said, known=known)


async def on_plan_activated(
    ctx: Context, tx: Transaction, heard: EventContext, known: use_cases.Known
) -> None:
    """Follow the care plan: the patient is in the programme."""
    referral = _referral(known, heard.event)
    if referral is not None:
        await use_cases.follow(
            ctx,
            tx,
            referral,
            event=heard.event.type,
            reason="The care plan is active.",
            turn=Turn.CLINIC,
            known=known,
        )


async def on_team(_: Context, tx: Transaction, heard: EventContext, known: use_cases.Known) -> None:
    """Keep who is in the care team now; a team that ends with its referral keeps the members it had."""
    team = heard.event.focus
    if team.get("status") != "inactive":
        use_cases.keep_team(known, _about(heard.event), members=_members(team))


async def on_patient_discharged(
    ctx: Context, tx: Transaction, heard: EventContext, known: use_cases.Known
) -> None:
    """Write the report and close the loop."""
    event = heard.event
    referral = _referral(known, event)
    if referral is not None:
        await use_cases.complete_referral(
            ctx,
            tx,
            referral,
            plan=event.focus,
            observations=event.carried("Observation"),
            base_url=ctx.urls.base,
            at=event.time,
            known=known,
        )


async def on_escalation_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Escalate an emergency that nobody acknowledged."""
    await use_cases.escalate_emergency(ctx, tx, timer.ref)


async def on_consent_end_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Look again at who may see what, now that a Consent has run out."""
    await use_cases.look_at_consent_again(ctx, tx, timer.ref)


def _referral(known: use_cases.Known, event: Event) -> Referral | None:
    return use_cases.open_referral(known, _about(event), event=event.type)


def _about(event: Event) -> UUID | None:
    """Find the referral that a resource is about: basedOn, focus, or our identifier."""
    focus = event.focus
    based_on = focus.get("basedOn", [])
    named = [*(based_on if isinstance(based_on, list) else [based_on]), focus.get("focus", {})]
    for reference in named:
        parsed = references.parse(reference)
        if parsed.type == "ServiceRequest" and parsed.id is not None:
            return UUID(parsed.id)
    for identifier in focus.get("identifier", []):
        if identifier.get("system") == f"{LUMBAR}/referral":
            return UUID(identifier["value"])
    return None


def _members(team: Mapping[str, Any]) -> list[str]:
    """Name the practitioners in a CareTeam whose period has no end."""
    staying = [one for one in team.get("participant", []) if "end" not in one.get("period", {})]
    members = [references.parse(one.get("member", {})) for one in staying]
    return sorted({one.id for one in members if one.type == "Practitioner" and one.id is not None})


def _is_first(appointment: Mapping[str, Any]) -> bool:
    codings = appointment.get("appointmentType", {}).get("coding", [])
    return any(coding.get("code") == AppointmentKind.FIRST for coding in codings)


def _when(ctx: Context, appointment: Mapping[str, Any], referral: Referral) -> str:
    start = appointment.get("start")
    if not isinstance(start, str):
        return ""
    local = datetime.fromisoformat(start).astimezone(ctx.clinic.site(referral.site).zone)
    return f"{local:%Y-%m-%d %H:%M}"


def _why(appointment: Mapping[str, Any]) -> str:
    stated = appointment.get("cancelationReason", {})
    texts = [coding.get("display", "") for coding in stated.get("coding", [])]
    return str(stated.get("text") or next(iter(texts), "")).rstrip(".")
