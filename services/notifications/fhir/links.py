"""What stands behind a patient's link, and the answer of which `scheduling` hears."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.notifications.models.opened import Opened
from services.notifications.models.rows import KnownOffer, KnownVisit, PatientLink
from shared.context import Context
from shared.fhir import intake
from shared.fhir.codes import OFFER_SYSTEM
from shared.fhir.instants import instant, to_the_second


def answer(ctx: Context, link: PatientLink, visit: KnownVisit) -> dict[str, Any]:
    """Write the answer of a link as an AppointmentResponse: about the visit as it was told."""
    response: dict[str, Any] = {
        "resourceType": "AppointmentResponse",
        "id": str(link.id),
        "appointment": {"reference": f"{ctx.urls.base}/scheduling/fhir/Appointment/{visit.id}"},
        "start": to_the_second(visit.starts_at),
        "end": to_the_second(visit.ends_at),
        "actor": {"reference": f"{ctx.urls.base}/referral/fhir/Patient/{link.patient_id}"},
        "participantStatus": link.answer,
    }
    if link.comment is not None:
        response["comment"] = link.comment
    return response


def offer_answer(ctx: Context, link: PatientLink, offer: KnownOffer) -> dict[str, Any]:
    """Write the answer to an offer as an AppointmentResponse: of the visit, at the time that is offered."""
    return {
        "resourceType": "AppointmentResponse",
        "id": str(link.id),
        "identifier": [{"system": OFFER_SYSTEM, "value": offer.id}],
        "appointment": {"reference": f"{ctx.urls.base}/scheduling/fhir/Appointment/{offer.visit_id}"},
        "start": to_the_second(offer.starts_at),
        "end": to_the_second(offer.ends_at),
        "actor": {"reference": f"{ctx.urls.base}/referral/fhir/Patient/{link.patient_id}"},
        "participantStatus": link.answer,
    }


def intake_response(ctx: Context, link: PatientLink, answers: Mapping[str, int | str]) -> dict[str, Any]:
    """Write the intake form of a link as its patient's QuestionnaireResponse."""
    of_referral = f"{ctx.urls.base}/referral/fhir"
    return intake.response(
        str(link.id),
        answers,
        subject=f"{of_referral}/Patient/{link.patient_id}",
        based_on=f"{of_referral}/ServiceRequest/{link.referral_id}",
        at=ctx.at,
    )


def behind_link(
    ctx: Context,
    opened: Opened,
    *,
    language: str,
    bring: Sequence[str],
    reminder_days: Sequence[int],
) -> dict[str, Any]:
    """Write what an opened link shows its patient; times are instants, `time_zone` is the site's.

    `asks` says whether the message takes an answer, `intake` whether the form is there, and was filled in;
    `bring` are codes of what to bring and to do.
    """
    site = ctx.clinic.site(opened.site)
    visit, can_answer = opened.visit, opened.stands or opened.can_be_taken(ctx.at)
    choice, has_filled_in = opened.choice, opened.link.intake_at is not None
    return {
        "clinic": ctx.clinic.name,
        "site": {"name": site.name, "time_zone": site.time_zone, "phone": site.phone},
        "language": language,
        "given": opened.patient.person.given,
        "visit": None if visit is None else _shown(ctx, visit),
        "offer": None if opened.offer is None else _offered(ctx, opened.offer),
        "stands": opened.stands,
        "asks": can_answer and opened.link.answer is None,
        "answer": answered(opened.link if opened.link.answer else opened.last_answer),
        "to_come": [_shown(ctx, one) for one in opened.to_come],
        "intake": {
            "asks": opened.takes_intake and not has_filled_in,
            "is_done": has_filled_in,
        },
        "bring": list(bring),
        "choice": {
            "reminder_days": list(reminder_days),
            "sends_calendar": choice is not None and choice.sends_calendar,
        },
        "until": instant(opened.link.ends_at),
    }


def answered(link: PatientLink | None) -> dict[str, Any] | None:
    """Write what was answered, and when; None where nothing was."""
    if link is None or link.answer is None or link.answered_at is None:
        return None
    return {"answer": link.answer, "comment": link.comment, "at": instant(link.answered_at)}


def _offered(ctx: Context, offer: KnownOffer) -> dict[str, Any]:
    return {
        "start": to_the_second(offer.starts_at),
        "end": to_the_second(offer.ends_at),
        "with": ctx.clinic.name_of("Practitioner", offer.practitioner),
        "until": instant(offer.until),
        "stands": offer.can_be_taken(ctx.at),
    }


def _shown(ctx: Context, visit: KnownVisit) -> dict[str, Any]:
    def name(resource_type: str, id: str | None) -> str | None:
        return None if id is None else ctx.clinic.name_of(resource_type, id)

    return {
        "id": visit.id,
        "kind": visit.kind,
        "status": visit.status,
        "start": to_the_second(visit.starts_at),
        "end": to_the_second(visit.ends_at),
        "with": name("Practitioner", visit.practitioner),
        "room": name("Location", visit.room),
    }
