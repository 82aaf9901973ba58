"""`GET /referral/worklist`: what the caller's party has to do around referrals."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from services.referral import fhir, operations, queries, use_cases
from services.referral.rules.work import WorkItem
from services.referral.use_cases.read_work import WorkOfEntry
from shared.context import Context
from shared.db import Transaction
from shared.fhir.operations import possible
from shared.fhir.worklists import WorklistEntry, WorklistRow
from shared.http import worklists
from shared.http.authorize import authorize, only
from shared.http.parameters import UnknownParameter
from shared.http.request_context import RequestContext
from shared.http.responses import refuses
from shared.operations import Subject

router = APIRouter()

_ROWS = (
    "what is to be done at the coordinator's site; what waits for a clinician's triage; what a referrer is "
    "asked; what an insurer is to decide"
)
_Search = Annotated[RequestContext, authorize("Task", "s", rows=_ROWS)]
# By which acts a row of a kind ends or goes on: those of the referral, then those of the Task.
_ACTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "telephone-referrer": (("acknowledge",), ("complete",)),
    "telephone-clinician": ((), ("complete",)),
    "review-referral": (("accept", "request-information", "decline"), ()),
    "merge-duplicate": (("merge", "accept", "decline"), ()),
    "resolve-identity": ((), ("complete",)),
    "update-patient": ((), ("complete",)),
    "resolve-denial": (("close",), ("complete",)),
    "overdue-referral": (("remind", "close"), ("complete",)),
    "answer-referrer": (("send-communication",), ("complete",)),
    "another-time": ((), ("complete",)),
    "waits-for-sender": (("acknowledge", "provide-information", "remind", "close"), ()),
    "acknowledge-emergency": (("acknowledge",), ()),
    "answer-clinic": (("send-communication",), ()),
    "information-requested": (("provide-information", "revoke"), ()),
}


@router.get("/worklist", responses=refuses(UnknownParameter), openapi_extra=worklists.PARAMETERS)
async def worklist(request: _Search) -> Response:
    """List what the caller has to do around referrals, the most urgent first, a page at a time."""
    only(request, "referrer", "insurer", "coordinator", "clinician", what="see what is to be done")
    sources = queries.worklist.sources(request.principal, clinic=request.ctx.clinic)
    return await worklists.answer(request, sources, describe=_describe)


async def _describe(ctx: Context, tx: Transaction, entries: Sequence[WorklistEntry]) -> list[WorklistRow]:
    work = await use_cases.read_work.run(ctx, tx, entries)
    return [_row(ctx, entry, work[entry.id]) for entry in entries]


def _row(ctx: Context, entry: WorklistEntry, work: WorkOfEntry) -> WorklistRow:
    referral = work.facts.referral
    if work.claim is not None:
        subject = Subject(row=work.claim, facts=work.claim)
        answers = possible(ctx, operations.claims.CLAIMS, subject, names=("answer",))
        return fhir.worklist.of_claim(
            ctx, entry, work.task, claim=work.claim, site=referral.site, actions=answers
        )
    return fhir.worklist.render(
        ctx,
        entry,
        work.task,
        referral=referral,
        person=work.person,
        actions=_acts(ctx, work, kind=entry.kind),
    )


def _acts(ctx: Context, work: WorkOfEntry, *, kind: str) -> list[dict[str, str]]:
    of_referral, of_task = _ACTS[kind]
    referral, task = work.facts.referral, work.task
    zone = ctx.clinic.site(referral.site).zone
    about: Subject[Any] = Subject(row=referral, facts=work.facts, zone=zone)
    item: Subject[Any] = Subject(row=task, facts=WorkItem(task=task, referral=referral), zone=zone)
    return [
        *possible(ctx, operations.referrals.REFERRALS, about, names=of_referral),
        *possible(ctx, operations.tasks.TASKS, item, names=of_task),
    ]
