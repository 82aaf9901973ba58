"""The reader of histories knows all that has a life, and finds the step that its table does not have."""

from typing import Any

import pytest

from tests.failure.audit.transitions import life_cycle, wrong_steps

COORDINATES: dict[tuple[str, str], Any] = {
    ("referral", "process-request"): lambda state: task("process-request", business=state),
    ("referral", "review-referral"): lambda state: task("review-referral", status=state),
    ("scheduling", "Appointment"): lambda state: {"resourceType": "Appointment", "status": state},
    ("scheduling", "replan-visits"): lambda state: task("replan-visits", status=state),
    ("scheduling", "tell-patient"): lambda state: task("tell-patient", status=state),
    ("careteam", "CareTeam"): lambda state: {"resourceType": "CareTeam", "status": state},
    ("careteam", "CarePlan"): lambda state: {"resourceType": "CarePlan", "status": state},
    ("careteam", "Goal"): lambda state: {"resourceType": "Goal", "lifecycleStatus": state},
    ("careteam", "agenda-item"): lambda state: task("agenda-item", business=state),
    ("careteam", "action"): lambda state: task("action", status=state),
    ("careteam", "meeting"): lambda state: {
        "resourceType": "Appointment", "extension": [{"url": "x", "valueCode": state}]
    },
    ("notifications", "Communication"): lambda state: {"resourceType": "Communication", "status": state},
}  # fmt: skip

HISTORIES = [
    # service, what, its states, what is found
    ("referral", "process-request", "awaiting-triage accepted accepted booked assessed in-programme", ""),
    ("referral", "process-request", "awaiting-triage booked", "went from awaiting-triage to booked"),
    ("referral", "process-request", "awaiting-triage declined accepted", "went from declined to accepted"),
    ("referral", "process-request", "accepted", "began accepted"),
    ("referral", "review-referral", "requested completed", ""),
    ("referral", "review-referral", "requested completed requested", "went from completed to requested"),
    ("scheduling", "Appointment", "waitlist booked arrived fulfilled", ""),
    ("scheduling", "Appointment", "booked arrived checked-in fulfilled checked-in cancelled booked", ""),
    ("scheduling", "Appointment", "booked checked-in cancelled arrived", "went from cancelled to arrived"),
    ("scheduling", "Appointment", "booked cancelled booked", ""),
    ("scheduling", "Appointment", "booked noshow fulfilled arrived", ""),
    ("scheduling", "Appointment", "booked cancelled fulfilled", "went from cancelled to fulfilled"),
    ("scheduling", "replan-visits", "requested requested completed", ""),
    ("scheduling", "replan-visits", "requested completed requested", "went from completed to requested"),
    ("scheduling", "tell-patient", "requested requested completed", ""),
    ("scheduling", "tell-patient", "requested cancelled completed", "went from cancelled to completed"),
    ("careteam", "CareTeam", "active inactive active", "went from inactive to active"),
    ("careteam", "CarePlan", "draft active active completed", ""),
    ("careteam", "CarePlan", "draft revoked draft active", ""),
    ("careteam", "CarePlan", "draft active revoked active", "went from revoked to active"),
    ("careteam", "CarePlan", "draft completed", "went from draft to completed"),
    ("careteam", "Goal", "proposed active completed active", "went from completed to active"),
    ("careteam", "Goal", "proposed cancelled proposed", ""),
    ("careteam", "agenda-item", "queued on-agenda carried-over decided", ""),
    ("careteam", "agenda-item", "queued decided", "went from queued to decided"),
    ("careteam", "action", "requested completed accepted", "went from completed to accepted"),
    ("careteam", "meeting", "scheduled agenda-published open closed minutes-signed", ""),
    ("careteam", "meeting", "scheduled closed", "went from scheduled to closed"),
    ("notifications", "Communication", "preparation in-progress completed", ""),
    ("notifications", "Communication", "preparation completed", "went from preparation to completed"),
]


@pytest.mark.parametrize(("service", "what", "states", "found"), HISTORIES)
def test_a_history_is_held_to_the_table_of_its_service(
    service: str, what: str, states: str, found: str
) -> None:
    versions = [COORDINATES[service, what](state) for state in states.split()]
    life = life_cycle(service, versions[0])
    assert life is not None
    assert wrong_steps(life, versions) == ([found] if found else [])


def test_what_has_no_life_has_no_life_cycle() -> None:
    assert life_cycle("referral", {"resourceType": "Patient"}) is None


def task(code: str, *, status: str = "requested", business: str | None = None) -> dict[str, Any]:
    """Make a Task of a kind."""
    made: dict[str, Any] = {"resourceType": "Task", "status": status, "code": {"coding": [{"code": code}]}}
    return made if business is None else made | {"businessStatus": {"coding": [{"code": business}]}}
