"""What is asked about a patient; the Patient is `referral`'s, so no actions are listed for it here."""

from services.careteam import queries, texts, use_cases
from services.careteam.use_cases.load import NoSuchThing
from services.careteam.use_cases.summarize_patient import NotAMoment
from shared.operations import Operation, OperationTable, Parameter

PATIENTS = OperationTable[None](
    resource_type="Patient",
    rows=queries.scope.TEAM_ROWS,
    load=None,
    sentences=texts.REASONS,
    operations=(
        Operation[None](
            name="summary",
            resource_type="Patient",
            parties=("clinician", "coordinator"),
            interaction="r",
            rows=queries.scope.TEAM_ROWS,
            text="Give what a team needs of a patient at once: plan, goals, case, trends, actions, messages.",
            parameters=(
                Parameter(
                    name="since",
                    type="dateTime",
                    text="Leave out scores and messages of before; a date without a zone is UTC.",
                ),
            ),
            returns="Parameters",
            refuses=(NoSuchThing, NotAMoment),
            run=lambda ctx, tx, given: use_cases.summarize_patient.run(
                ctx, tx, given.id, since=given.values.get("since")
            ),
        ),
    ),
)
