"""What people do with Tasks of visits, of whom to tell or to call; that of a guarantee nobody changes."""

from functools import partial

from services.scheduling import queries, texts, use_cases
from services.scheduling.models.offers import TimeOffer
from services.scheduling.queries.scope import REPLAN_ROWS, TASK_ROWS
from services.scheduling.rules import acts
from services.scheduling.rules.acts import TaskFacts
from services.scheduling.rules.conflicts import TaskEnded
from services.scheduling.use_cases.answer_offer import OfferOver
from services.scheduling.use_cases.replan import KeptByTheVisit
from shared.context import Context
from shared.db import Transaction
from shared.errors import NotFound
from shared.operations import Operation, OperationInput, OperationTable, Parameter, Subject
from shared.reasons import Reason


async def _task(ctx: Context, tx: Transaction, task_id: str) -> Subject[TaskFacts] | None:
    task = (
        await queries.guarantees.visible_to(tx, ctx.caller, task_id)
        or await queries.tasks.visible_to(tx, ctx.caller, task_id)
        or await queries.tasks.telling_visible_to(tx, ctx.caller, task_id)
        or await queries.visit_tasks.visible_to(tx, ctx.caller, task_id)
        or await queries.offers.visible_to(tx, ctx.caller, task_id)
    )
    return None if task is None else Subject(row=task, facts=task, zone=ctx.clinic.site(task.site).zone)


async def _accept(ctx: Context, tx: Transaction, given: OperationInput) -> TimeOffer:
    offer = await _offer(ctx, tx, given.id)
    return await use_cases.answer_offer.accept(ctx, tx, offer, expect=given.expect)


async def _decline(ctx: Context, tx: Transaction, given: OperationInput) -> TimeOffer:
    offer = await _offer(ctx, tx, given.id)
    return await use_cases.answer_offer.decline(ctx, tx, offer, expect=given.expect)


async def _offer(ctx: Context, tx: Transaction, task_id: str) -> TimeOffer:
    """Read an offer that the caller may see. Raises NotFound, and OfferOver for any other Task."""
    offer = await queries.offers.visible_to(tx, ctx.caller, task_id)
    if offer is not None:
        return offer
    if await _task(ctx, tx, task_id) is not None:
        raise OfferOver.because(Reason.of("no-offer"), texts.REASONS, expression="Task.code")
    raise NotFound(f"there is no offer Task/{task_id[:64]} that you may see")


_COMPLETED = Parameter(name="status", type="code", min=1, text="The new status.", values=("completed",))
_end = partial(
    Operation[TaskFacts],
    kind="update",
    resource_type="Task",
    parties=("coordinator",),
    interaction="u",
    rows=REPLAN_ROWS,
    when=acts.may_complete,
)
_answer = partial(
    Operation[TaskFacts],
    resource_type="Task",
    parties=("coordinator",),
    interaction="u",
    rows=REPLAN_ROWS,
    refuses=(OfferOver,),
    matches=True,
    applies=acts.is_offer,
    when=acts.may_answer,
)

TASKS = OperationTable[TaskFacts](
    resource_type="Task",
    rows=TASK_ROWS,
    load=_task,
    sentences=texts.REASONS,
    operations=(
        _end(
            name="complete",
            text="Say that the visits which no longer fit are dealt with; they are not asked about again.",
            parameters=(
                _COMPLETED,
                Parameter(name="statusReason", type="CodeableConcept", min=1, text="Why, in its `text`."),
            ),
            refuses=(TaskEnded, KeptByTheVisit),
            applies=acts.asks_to_replan,
        ),
        _end(
            name="tell",
            text="Say that the patient was told the day of the first visit.",
            parameters=(_COMPLETED,),
            refuses=(TaskEnded,),
            applies=acts.asks_to_tell,
        ),
        _end(
            name="call",
            text="Say what came of the call to a patient who missed two visits in a row.",
            parameters=(
                _COMPLETED,
                Parameter(
                    name="statusReason", type="CodeableConcept", min=1, text="What came of it, in its `text`."
                ),
            ),
            refuses=(TaskEnded,),
            applies=acts.asks_to_call,
        ),
        _answer(
            name="accept-offer",
            text="Say that the patient takes the time that was offered; the visit moves there at once.",
            run=_accept,
        ),
        _answer(
            name="decline-offer",
            text="Say that the patient keeps the time that they have.",
            run=_decline,
        ),
    ),
)
