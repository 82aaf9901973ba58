"""A member of a patient's team, or a coordinator of its site, asks for all that the team needs at once."""

from datetime import UTC, datetime

from services.careteam import fhir, queries
from services.careteam.use_cases.load import NoSuchThing
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.fhir import search_values
from shared.operations import InquiryAnswer

_EVER = datetime(1900, 1, 1, tzinfo=UTC)


class NotAMoment(Invalid):
    """`since` is no date or moment."""

    code = "value"


async def run(ctx: Context, tx: Transaction, patient_id: str, *, since: str | None) -> InquiryAnswer:
    """Answer with the care of each team of the patient's that the caller may see, the newest team first.

    What the caller's token does not let them read is left out. Raises NoSuchThing where they see no team.
    """
    begin = _EVER if since is None else _moment(since)
    teams = await queries.teams.of_patient_visible(tx, patient_id, by=ctx.caller)
    if not teams:
        raise NoSuchThing("there is no such Patient in a team that you may see")
    found = await queries.summary.resources(tx, [team.id for team in teams], since=begin)
    scores = await queries.summary.scores(tx, [team.id for team in teams], since=begin)
    body = fhir.summary.render(
        teams[::-1],
        found,
        scores,
        readable=lambda resource_type: ctx.caller.scopes.allow(resource_type, "r"),
    )
    return InquiryAnswer(body=body, rows=teams, asked=[] if since is None else [("since", since)])


def _moment(text: str) -> datetime:
    asked = search_values.read("date", text, name="since", types=())
    if asked.prefix != "eq":
        raise NotAMoment("this is a date or a moment, without a prefix", expression="since")
    low: datetime = asked.low
    return low
