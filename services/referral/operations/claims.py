"""What an insurer does with a Claim."""

from functools import partial

from services.referral import queries, texts, use_cases
from services.referral.fhir.inquiry import NoMember
from services.referral.models.rows import Claim
from services.referral.rules import acts
from services.referral.rules.authorization import WrongDecision
from services.referral.states import STATUS_OF_ACTION, Authorization
from services.referral.use_cases.answer_claim import AnswerDoesNotFit, ClaimDecided, NoSuchClaim
from shared.context import Context
from shared.db import Transaction
from shared.operations import Operation, OperationTable, Parameter, Subject

_ROWS = "the insurer's own Claims, with the patient's active consent"
_by_insurer = partial(
    Operation[Claim],
    kind="create",
    resource_type="ClaimResponse",
    parties=("insurer",),
    interaction="c",
    rows=_ROWS,
    refuses=(NoSuchClaim, AnswerDoesNotFit, WrongDecision, ClaimDecided),
)


async def _claim(ctx: Context, tx: Transaction, claim_id: str) -> Subject[Claim] | None:
    row = await queries.claims.visible_to(tx, ctx.caller, claim_id)
    return None if row is None else Subject(row=row, facts=row)


def _action(*, cancels: bool) -> Parameter:
    actions = STATUS_OF_ACTION.items()
    return Parameter(
        name="ClaimResponse.item.adjudication.reviewAction",
        type="code",
        min=1,
        text="The review action of each item.",
        values=[action for action, status in actions if (status is Authorization.CANCELLED) is cancels],
    )


CLAIMS = OperationTable[Claim](
    resource_type="Claim",
    rows=queries.scope.ROWS,
    load=_claim,
    sentences=texts.REASONS,
    words=texts.words_of,
    operations=(
        Operation[Claim](
            name="inquire",
            level="type",
            resource_type="Claim",
            parties=("insurer", "coordinator"),
            interaction="s",
            rows=_ROWS,
            text="Tell an insurer where its requests for a member stand.",
            parameters=(
                Parameter(name="member-id", type="Identifier", min=1, max="*", text="The member's id."),
            ),
            takes=("Parameters", "Claim", "Bundle"),
            returns="Parameters",
            refuses=(NoMember,),
            run=lambda ctx, tx, given: use_cases.inquire.run(ctx, tx, given.data),
        ),
        _by_insurer(
            name="answer",
            text="Decide about a Claim, item by item; the newest answer counts.",
            parameters=(_action(cancels=False),),
            when=acts.may_answer,
        ),
        _by_insurer(
            name="cancel",
            text="Cancel an authorization.",
            parameters=(_action(cancels=True),),
            when=acts.may_cancel,
        ),
    ),
)
