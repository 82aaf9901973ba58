"""Reasons in words: in the zone of the referral's site, with the names of the clinic."""

from collections.abc import Sequence
from typing import Any

from services.referral import texts
from shared.clinic import Clinic
from shared.fhir.reasons import concept
from shared.reasons import Reason, all_said


def stated(reasons: Sequence[Reason], *, site: str, clinic: Clinic) -> dict[str, Any]:
    """Write reasons as a CodeableConcept."""
    zone = clinic.site(site).zone
    return concept(reasons, texts.REASONS, zone=zone, words=texts.words_of(clinic))


def told(reasons: Sequence[Reason], *, site: str, clinic: Clinic) -> str:
    """Say reasons in words alone."""
    return all_said(reasons, texts.REASONS, zone=clinic.site(site).zone, words=texts.words_of(clinic))
