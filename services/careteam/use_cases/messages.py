"""Messages: a team member writes to the team about its patient."""

from services.careteam import fhir, queries
from services.careteam.fhir.asked import Findings
from services.careteam.models import Message, Team
from shared.context import Context
from shared.db import Transaction
from shared.errors import NotFound
from shared.events.catalog import careteam
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.received import Received


async def post_message(
    ctx: Context, tx: Transaction, team: Team, *, received: Received, sender: str
) -> Message:
    """Post a message of a member to a locked team; recipients are members of this team and nobody else."""
    findings = Findings()
    members = [one.practitioner for one in await queries.teams.members(tx, team.id) if one.left_at is None]
    fhir.messages.check_message(received.data, sender=sender, findings=findings)
    recipients = fhir.messages.asked_recipients(
        received.data, members=members, sender=sender, findings=findings
    )
    answered = fhir.messages.answered(received.data, findings=findings)
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
    await store.put(tx, message, received.raw, at=ctx.at, overlay=overlay)
    publishing.collect(
        tx, careteam.MessagePosted, of=message, key=team.patient_id, focus=message.body, ctx=ctx
    )
    return message


async def _answered(
    ctx: Context, tx: Transaction, team: Team, answered: str, *, findings: Findings
) -> Message | None:
    """Load the message that is answered; it must be one of the same team."""
    try:
        message = await queries.outcomes.message_visible(tx, fhir.asked.row_id(answered), by=ctx.caller)
    except NotFound:
        message = None
    if message is None or message.team_id != team.id:
        findings.add(
            "there is no such message of this team",
            expression="Communication.inResponseTo[0]",
            code="not-found",
        )
        return None
    return message
