"""Bring a patient's case to the next meeting, as a member of the team asks."""

from collections.abc import Mapping
from typing import Any

from services.careteam import fhir, queries, rules, texts
from services.careteam.fhir.request_parsing import Findings
from services.careteam.models.rows import CareTask, Team
from services.careteam.use_cases import put_on_agenda
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.reasons import as_written


class AlreadyOnTheAgenda(Conflict):
    """The patient's case waits for a meeting already."""


async def run(
    ctx: Context, tx: Transaction, team: Team, *, asked: Mapping[str, Any], requester: str
) -> CareTask:
    """Put the case that a member brings on the next agenda of a locked team's site."""
    findings = Findings(urls=ctx.urls)
    text = fhir.tasks.asked_case_text(asked, findings=findings)
    findings.refuse()
    waits = await queries.tasks.live_case(tx, team.id) is not None
    if (why := rules.teams.why_case_waits(waits=waits)) is not None:
        raise AlreadyOnTheAgenda.because(why, texts.REASONS, expression="Task.for")
    return await put_on_agenda.open_case(ctx, tx, team, why=as_written(text), requester=requester)
