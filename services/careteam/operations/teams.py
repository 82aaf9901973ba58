"""What is done with a team, and by its members for its patient."""

from functools import partial

from services.careteam import queries, texts
from services.careteam.fhir.request_parsing import row_id
from services.careteam.rules import acts
from services.careteam.rules.acts import TeamFacts
from services.careteam.rules.scoring import Unscorable
from services.careteam.rules.teams import TeamHasEnded
from services.careteam.use_cases.bring_case import AlreadyOnTheAgenda
from services.careteam.use_cases.load import NoSuchThing, NotAPerson
from services.careteam.use_cases.score import BeforeTheBaseline
from shared.context import Context
from shared.db import Transaction
from shared.operations import Operation, OperationTable, Parameter, Subject

SITE_ROWS = "teams of the coordinator's site"
PATIENT_ROWS = "patients of the clinician's own teams"
_SCORED = (Unscorable, BeforeTheBaseline, TeamHasEnded)
_by_member = partial(
    Operation[TeamFacts],
    kind="create",
    parties=("clinician",),
    interaction="c",
    rows=PATIENT_ROWS,
    when=acts.may_work,
)


async def _team(ctx: Context, tx: Transaction, team_id: str) -> Subject[TeamFacts] | None:
    row = await queries.teams.visible(tx, row_id(team_id), by=ctx.caller)
    if row is None:
        return None
    waits = await queries.tasks.case_waits(tx, row.id)
    return Subject(row=row, facts=TeamFacts(team=row, case_waits=waits))


TEAMS = OperationTable[TeamFacts](
    resource_type="CareTeam",
    rows=queries.scope.TEAM_ROWS,
    load=_team,
    sentences=texts.REASONS,
    operations=(
        Operation[TeamFacts](
            name="change-members",
            kind="update",
            resource_type="CareTeam",
            parties=("coordinator",),
            interaction="u",
            rows=SITE_ROWS,
            text="Let members come and go: who stands without a period end is the team from now on.",
            parameters=(
                Parameter(name="participant", type="BackboneElement", min=1, max="*", text="The members."),
            ),
            refuses=(NoSuchThing, TeamHasEnded),
            when=acts.may_work,
        ),
        _by_member(
            name="bring-case",
            resource_type="Task",
            text="Bring the patient's case to the next agenda.",
            parameters=(
                Parameter(name="code", type="CodeableConcept", min=1, text="`agenda-item`."),
                Parameter(name="reasonCode", type="CodeableConcept", min=1, text="Why, in its `text`."),
            ),
            refuses=(NotAPerson, AlreadyOnTheAgenda, TeamHasEnded),
            when=acts.may_bring_case,
        ),
        _by_member(
            name="write",
            resource_type="Communication",
            text="Write to members of the team; none named means all others.",
            parameters=(
                Parameter(name="payload", type="BackboneElement", min=1, max="*", text="`contentString`."),
                Parameter(name="recipient", type="Reference", max="*", text="A member."),
            ),
            refuses=(NotAPerson, TeamHasEnded),
        ),
        _by_member(
            name="record-rating",
            resource_type="Observation",
            text="Record the patient's pain, NPRS (LOINC 72514-3).",
            parameters=(Parameter(name="valueInteger", type="integer", min=1, text="0 to 10."),),
            refuses=_SCORED,
        ),
        _by_member(
            name="record-answers",
            resource_type="QuestionnaireResponse",
            text="Record the answers to Oswestry or STarT Back; the score is an Observation of its own.",
            parameters=(
                Parameter(
                    name="item",
                    type="BackboneElement",
                    min=8,
                    max="10",
                    text="`section-1` to `section-10`, each 0 to 5; or `start-back-1` to `start-back-9`.",
                ),
            ),
            refuses=_SCORED,
        ),
    ),
)
