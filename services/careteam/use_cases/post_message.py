"""Post a message of a team member to the team about its patient."""

from services.careteam import fhir, queries
from services.careteam.fhir.request_parsing import Findings
from services.careteam.models.rows import Message, Team
from services.careteam.use_cases import record
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import MessagePosted
from shared.fhir import store
from shared.fhir.received import Received
from shared.fhir.search_values import as_uuid


async def run(ctx: Context, tx: Transaction, team: Team, *, received: Received, sender: str) -> Message:
    """Post a message of a member to a locked team; recipients are members of this team and nobody else."""
    findings, data = Findings(urls=ctx.urls), received.data
    members = [member.practitioner for member in await queries.teams.current_members(tx, team.id)]
    fhir.messages.check_message(data, sender=sender, findings=findings)
    recipients = fhir.messages.asked_recipients(data, members=members, sender=sender, findings=findings)
    answered = fhir.messages.answered(data, findings=findings)
    first = None if answered is None else await _answered(ctx, tx, team, answered, findings=findings)
    findings.refuse()

    message = Message(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        sender=sender,
        sent_at=ctx.at,
        answers=None if first is None else first.id,
    )
    overlay = fhir.messages.message_overlay(ctx, message, recipients=recipients)
    await store.insert(tx, message, received.raw, at=ctx.at, overlay=overlay)
    await record.publish(ctx, tx, MessagePosted, message)
    return message


async def _answered(
    ctx: Context, tx: Transaction, team: Team, answered: str, *, findings: Findings
) -> Message | None:
    """Read the message that is answered; it must be one of the same team."""
    found = as_uuid(answered)
    message = None if found is None else await queries.outcomes.message_visible(tx, found, by=ctx.caller)
    if message is None or message.team_id != team.id:
        text, expression = "there is no such message of this team", "Communication.inResponseTo[0]"
        findings.add(text, expression=expression, code="not-found")
        return None
    return message
