"""Rows to FHIR and back: FHIR is the language of the border."""

from services.scheduling.fhir.appointment import render_appointment
from services.scheduling.fhir.free import render_schedule, render_slot, slot_start
from services.scheduling.fhir.guarantee import describe_guarantee, render_guarantee
from services.scheduling.fhir.searching import searchset
from services.scheduling.fhir.series import render_series
from services.scheduling.fhir.wanted import Reason, Wanted, wanted_change

__all__ = [
    "Reason",
    "Wanted",
    "describe_guarantee",
    "render_appointment",
    "render_guarantee",
    "render_schedule",
    "render_series",
    "render_slot",
    "searchset",
    "slot_start",
    "wanted_change",
]
