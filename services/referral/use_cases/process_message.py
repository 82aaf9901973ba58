"""A message of another system: once, and the same one again gets the same answer.

The key is the id together with what the message says. A system that uses one id for two messages would lose
the second, if the id alone counted; nothing of a referral is lost here.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from services.referral import fhir, queries
from services.referral.fhir.messages import Act, Message
from services.referral.models.rows import ReceivedMessage, Referral
from services.referral.models.submission import LeftOut, Submission
from services.referral.use_cases import communicate, end, receive, referral_file
from services.referral.use_cases.end import NeverSent
from shared.context import Context
from shared.db import Transaction


async def run(
    ctx: Context, tx: Transaction, message: Message, *, submission: Submission | None
) -> tuple[bytes, Referral]:
    """Do what a message asks, and return the answer with the referral that it was about.

    `submission` is what a message sends that adds or changes a referral. Raises NeverSent where it is about
    none of this sender's, and what the verbs raise.
    """
    requester = str(ctx.caller.organization)
    [key] = queries.messages.marks([f"{message.id}|{message.digest}"])
    kept = await queries.messages.kept(tx, requester=requester, key=key)
    if kept is not None and (known := await queries.referrals.by_id(tx, kept.referral_id)) is not None:
        return kept.answer, known
    referral, left_out = await _act(ctx, tx, message, submission=submission)
    task = await queries.tasks.process_of(tx, referral.id)
    answer = fhir.answers.message_response(message, task, left_out=left_out, ctx=ctx)
    await tx.insert(
        ReceivedMessage(
            requester=requester,
            key=key,
            referral_id=referral.id,
            called=queries.messages.marks(message.called),
            answer=answer,
            answered_at=ctx.at,
        )
    )
    return answer, referral


async def _act(
    ctx: Context, tx: Transaction, message: Message, *, submission: Submission | None
) -> tuple[Referral, Sequence[LeftOut]]:
    if submission is not None:
        found = None if message.act is Act.ADD else await _about(ctx, tx, message)
        receipt = await receive.run(ctx, tx, submission, again=found)
        return receipt.referral, receipt.left_out
    about = await _about(ctx, tx, message)
    return await _ACTS[message.act](ctx, tx, message, about), message.entries.left_out


async def _about(ctx: Context, tx: Transaction, message: Message) -> UUID:
    """Find the referral that a message is about: by its identifiers, as earlier messages called it, or by our
    id; raises NeverSent.
    """
    requester = str(ctx.caller.organization)
    found = await queries.referrals.sent_before(tx, requester, tokens=message.identifiers)
    found = found or await queries.messages.about(tx, requester=requester, called=message.called)
    for called in message.called if found is None else ():
        own = await queries.referrals.visible_to(tx, ctx.caller, called.rpartition("ServiceRequest/")[2])
        found = found or (None if own is None else own.id)
    if found is None:
        text = "no referral of yours has one of these identifiers, or was called so in a message of yours"
        raise NeverSent(text, expression="ServiceRequest.identifier")
    return found


async def _revoke(ctx: Context, tx: Transaction, message: Message, referral_id: UUID) -> Referral:
    return await end.revoke_by_message(ctx, tx, referral_id, words=message.words)


async def _tell(ctx: Context, tx: Transaction, message: Message, referral_id: UUID) -> Referral:
    return (await referral_file.for_caller(ctx, tx, str(referral_id))).referral


_ACTS: Mapping[Act, Callable[[Context, Transaction, Message, UUID], Awaitable[Referral]]] = {
    Act.REVOKE: _revoke,
    Act.COMMUNICATE: communicate.by_message,
    Act.TELL_STATUS: _tell,
}
