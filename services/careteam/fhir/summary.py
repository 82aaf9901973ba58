"""A patient's summary as Parameters: the care of each team with its trends, open actions, last messages."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from services.careteam.fhir.elements import Resource, number
from services.careteam.models.instruments import INSTRUMENTS, Instrument
from services.careteam.models.rows import Team
from services.careteam.models.summary import TeamResource, TeamScore
from shared.fhir.elements import reference
from shared.fhir.instants import to_the_second

_TYPES = {
    "plan": "CarePlan",
    "goal": "Goal",
    "case": "Task",
    "action": "Task",
    "message": "Communication",
    "intake": "QuestionnaireResponse",
}


def render(
    teams: Sequence[Team],
    found: Sequence[TeamResource],
    scores: Sequence[TeamScore],
    *,
    readable: Callable[[str], bool],
) -> Resource:
    """Render the summary of these teams, in their order; `readable` tells which types the caller may read."""
    seen = [one for one in found if readable(_TYPES[one.part])]
    trends = scores if readable("Observation") else ()
    cares = [
        {"name": "care", "part": list(_care(team, seen, trends, with_team=readable("CareTeam")))}
        for team in teams
    ]
    actions = [_resource(one) for one in seen if one.part == "action"]
    messages = [_resource(one) for one in reversed(seen) if one.part == "message"]
    parameters = [*(care for care in cares if care["part"]), *actions, *messages]
    return {"resourceType": "Parameters"} | ({"parameter": parameters} if parameters else {})


def _care(
    team: Team, found: Sequence[TeamResource], scores: Sequence[TeamScore], *, with_team: bool
) -> Iterator[dict[str, Any]]:
    if with_team:
        yield {"name": "team", "resource": msgspec.Raw(team.body)}
    for part in ("plan", "goal", "case", "intake"):
        yield from (_resource(one) for one in found if (one.part, one.team_id) == (part, team.id))
    for instrument in INSTRUMENTS.values():
        measured = [one for one in scores if (one.team_id, one.instrument) == (team.id, instrument.id)]
        if measured:
            yield {"name": "trend", "part": list(_trend(instrument, measured))}


def _resource(found: TeamResource) -> dict[str, Any]:
    return {"name": found.part, "resource": msgspec.Raw(found.body)}


def _trend(instrument: Instrument, scores: Sequence[TeamScore]) -> Iterator[dict[str, Any]]:
    yield {"name": "instrument", "valueCode": instrument.id}
    yield {"name": "name", "valueString": instrument.name}
    yield {"name": "unit", "valueString": instrument.unit}
    yield {"name": "lowest", "valueDecimal": number(instrument.lowest)}
    yield {"name": "highest", "valueDecimal": number(instrument.highest)}
    yield {"name": "better", "valueCode": instrument.better}
    yield {"name": "important", "valueDecimal": number(instrument.important)}
    for score in scores:
        if score.baseline:
            yield {"name": "baseline", "valueDecimal": number(score.score)}
    for score in scores:
        if score.is_shown:
            yield {"name": "value", "part": list(_value(score))}


def _value(score: TeamScore) -> Iterator[dict[str, Any]]:
    yield {"name": "at", "valueDateTime": to_the_second(score.effective_at)}
    yield {"name": "value", "valueDecimal": number(score.score)}
    yield {"name": "observation", "valueReference": reference("Observation", score.id)}
