"""Put a patient's case on the next agenda; a case waits there once, with all its reasons."""

from services.careteam import fhir, queries
from services.careteam.models.rows import CareTask, Team
from services.careteam.states import CaseState
from services.careteam.use_cases import record
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.fhir.codes import TaskCode
from shared.reasons import Reason


async def run(
    ctx: Context, tx: Transaction, team: Team, *, why: Reason, requester: str | None = None
) -> CareTask:
    """Put the case of a locked team on its site's next agenda, or add the reason to where it waits."""
    case = await queries.tasks.live_case(tx, team.id)
    if case is None:
        return await open_case(ctx, tx, team, why=why, requester=requester)
    more = fhir.tasks.with_reason(fhir.elements.decoded(case.body), why=why)
    if more is not None:
        await record.change(ctx, tx, case, overlay=more)
    return case


async def open_case(
    ctx: Context, tx: Transaction, team: Team, *, why: Reason, requester: str | None
) -> CareTask:
    """Open the case of a locked team that has none, on the next agenda or queued for it."""
    meeting = await queries.meetings.collecting(tx, site=team.site)
    case = CareTask(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        code=TaskCode.AGENDA_ITEM,
        state=CaseState.QUEUED if meeting is None else CaseState.ON_AGENDA,
        status=fhir.tasks.case_status(CaseState.QUEUED),
        owner=ctx.clinic.site(team.site).meeting.chair,
        authored_at=ctx.at,
    )
    if meeting is not None:
        await record.put_on_agenda(tx, [case], of=meeting)
    rendered = fhir.tasks.case(ctx, case, why=why, requester=requester)
    await store.insert(tx, case, rendered, at=ctx.at)
    if meeting is not None:
        await record.invite(ctx, tx, meeting, cases=[case])
    return case
