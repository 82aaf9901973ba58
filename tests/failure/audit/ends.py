"""I7: every referral is at its end, or somebody or something is to go on with it; none is left behind."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.referral.states import TERMINAL, State
from tests.failure.audit.evidence import Evidence

_REFERRALS = (
    "SELECT id::text AS id, state, (SELECT count(*) FROM task t WHERE t.referral_id = r.id"
    # What is asked about the patient does not end with the referral.
    " AND t.code NOT IN ('process-request', 'update-patient', 'resolve-identity')"
    " AND t.status IN ('requested', 'received', 'accepted', 'in-progress'))"
    " AS work, (SELECT status FROM task t WHERE t.referral_id = r.id AND t.code = 'process-request')"
    " AS process, (SELECT count(*) FROM timer WHERE ref = r.id::text) AS timers,"
    " ARRAY(SELECT standing FROM claim c WHERE c.referral_id = r.id) AS claims,"
    " (SELECT state FROM referral f WHERE f.id = r.merged_into) AS first,"
    " (SELECT deceased FROM patient p WHERE p.id = r.patient_id) AS deceased FROM referral r"
)
_FIRSTS = "SELECT referral_id::text AS referral, status FROM appointment WHERE kind = 'first'"
_SESSIONS = (
    "SELECT referral_id::text AS referral, status FROM appointment"
    " WHERE kind = 'session' AND status IN ('booked', 'arrived', 'checked-in')"
)
_SERIES = "SELECT referral_id::text AS referral FROM series"
_TEAMS = "SELECT referral_id AS referral, status FROM team"
_PLANS = "SELECT referral_id AS referral, status FROM plan"

# A visit that is promised gets its day by the plan of an evening, for which its site has a timer.
_UNPLANNED = (
    "SELECT id::text AS id FROM appointment a WHERE status = 'proposed' AND NOT EXISTS"
    " (SELECT FROM timer WHERE kind = 'plan-first-visits' AND ref = a.site)"
)

_STANDING = ("booked", "arrived", "checked-in", "waitlist", "proposed")
# Somebody must have work to do with a referral in these states.
_WAITS_FOR_PEOPLE = frozenset({State.EMERGENCY_REDIRECTED, State.AWAITING_REVIEW, State.DUPLICATE_SUSPECTED})
# Somebody is told where a referral waits too long in one of these.
_HAS_A_CLOCK = _WAITS_FOR_PEOPLE | {State.INFORMATION_REQUESTED}
_MAY_REST = frozenset({State.DECLINED, State.EMERGENCY_ACKNOWLEDGED})
# The first appointment that must be there, and no other that stands.
_FIRST_OF = {
    State.AWAITING_BOOKING: ("proposed",),
    State.BOOKED: ("booked", "arrived", "checked-in"),
    State.WAITLISTED: ("waitlist",),
    State.ASSESSED: ("fulfilled",),
    State.IN_PROGRAMME: ("fulfilled",),
    State.DISCHARGED: ("fulfilled",),
}
_GRANTED = ("approved", "partially-approved", "modified")
_OPEN_CLAIMS = ("requested", "pended")


@dataclass(frozen=True, kw_only=True)
class _Elsewhere:
    """What the other services say about referrals."""

    firsts: Counter[tuple[str, str]]
    sessions: Counter[str]
    series: Counter[str]
    teams: Mapping[str, str]
    plans: Mapping[str, str]

    def first(self, referral: str, *statuses: str) -> int:
        return sum(self.firsts[referral, status] for status in statuses)


async def ends(evidence: Evidence) -> AsyncIterator[str]:
    """Hold the state of every referral against its Tasks and timers and against the other services."""
    elsewhere = await _elsewhere(evidence)
    for row in await evidence.rows("referral", _REFERRALS):
        for what in _wrong(row, elsewhere):
            yield f"I7: the referral {row['id']} is {row['state']} and {what}"
    for row in await evidence.rows("scheduling", _UNPLANNED):
        yield f"I7: no evening plans the promised visit {row['id']}"


def _wrong(row: Mapping[str, Any], elsewhere: _Elsewhere) -> list[str]:
    referral, state = row["id"], State(row["state"])
    found = []
    if state in TERMINAL:
        found += _after_its_end(row, elsewhere)
    elif state == State.INFORMATION_REQUESTED and row["process"] != "on-hold":
        found.append(f"its Task is {row['process']}")
    elif state in _WAITS_FOR_PEOPLE and not row["work"]:
        found.append("nobody has work to do with it")
    elif row["deceased"] and row["work"]:
        pass  # A person closes what is left of somebody who has died.
    elif state not in _WAITS_FOR_PEOPLE | _MAY_REST | _FIRST_OF.keys() | {State.INFORMATION_REQUESTED}:
        found.append("is left so")
    if state in _HAS_A_CLOCK and not row["timers"]:
        found.append("nothing tells that it waits too long")
    if state == State.MERGED and row["first"] in (State.REVOKED, State.CLOSED):
        found.append(f"the one into which it was merged is {row['first']}")
    if row["deceased"] and elsewhere.first(referral, *_STANDING):
        found.append("who has died is booked")
    if state in _FIRST_OF and (times := elsewhere.first(referral, *_FIRST_OF[state])) != 1:
        found.append(f"has {times} first appointments of that kind")
    return found + _in_care(row, elsewhere)


def _after_its_end(row: Mapping[str, Any], elsewhere: _Elsewhere) -> list[str]:
    referral, found = row["id"], []
    if left := elsewhere.first(referral, *_STANDING) + elsewhere.sessions[referral]:
        found.append(f"{left} appointments still stand")
    if row["work"]:
        found.append(f"{row['work']} Tasks are still open")
    if elsewhere.teams.get(referral, "inactive") != "inactive":
        found.append("its team is still active")
    if any(claim in _OPEN_CLAIMS for claim in row["claims"]):
        found.append("an authorization is still asked for")
    return found


def _in_care(row: Mapping[str, Any], elsewhere: _Elsewhere) -> list[str]:
    referral, state = row["id"], State(row["state"])
    found = []
    if state in (State.BOOKED, State.ASSESSED, State.IN_PROGRAMME):
        if elsewhere.teams.get(referral) != "active":
            found.append("it has no active team")
        if any(claim in _GRANTED for claim in row["claims"]) and elsewhere.series[referral] != 1:
            found.append(f"there are {elsewhere.series[referral]} series for what its payer granted")
    wanted = {State.ASSESSED: "draft", State.IN_PROGRAMME: "active", State.DISCHARGED: "completed"}.get(state)
    if wanted is not None and (plan := elsewhere.plans.get(referral)) != wanted:
        found.append(f"its plan is {plan}, not {wanted}")
    return found


async def _elsewhere(evidence: Evidence) -> _Elsewhere:
    firsts = await evidence.rows("scheduling", _FIRSTS)
    return _Elsewhere(
        firsts=Counter((row["referral"], row["status"]) for row in firsts),
        sessions=Counter(row["referral"] for row in await evidence.rows("scheduling", _SESSIONS)),
        series=Counter(row["referral"] for row in await evidence.rows("scheduling", _SERIES)),
        teams={row["referral"]: row["status"] for row in await evidence.rows("careteam", _TEAMS)},
        plans={row["referral"]: row["status"] for row in await evidence.rows("careteam", _PLANS)},
    )
