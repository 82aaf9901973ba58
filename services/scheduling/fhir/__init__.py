"""Rows to FHIR and back: FHIR is the language of the border."""

from services.scheduling.fhir import (
    affected,
    appointment_change,
    appointments,
    calendar,
    corrections,
    directory,
    forecasts,
    free_time,
    guarantees,
    programmes,
    proposals,
    replanning,
    roster_edits,
    roster_members,
    roster_people,
    rosters,
    series,
    time_search,
    unavailable,
    worklist,
)
