"""Referrer and clinic speak about a referral: each question has somebody who owes the answer, and a clock.

What the referrer says while the referral waits for its answer is the answer: it is read as information that
was provided. At any other time it is kept, told, and changes nothing of where the referral stands.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from services.referral import fhir, queries, rules
from services.referral.fhir.messages import Message
from services.referral.models.rows import Referral
from services.referral.models.submission import Piece
from services.referral.states import REOPENED_BY_AN_ANSWER, UNDECIDED, State
from services.referral.use_cases import answered, provide_information, record, referral_file
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.provide_information import AcknowledgeFirst, Ended
from services.referral.use_cases.referral_file import Resource, decoded
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.events.catalog import referral as events
from shared.fhir import references
from shared.fhir.codes import TaskCode
from shared.fhir.elements import directory_reference
from shared.fhir.instants import instant
from shared.reasons import Reason, as_written

_WAITS_FOR_AN_ANSWER = UNDECIDED | REOPENED_BY_AN_ANSWER


class NothingSaid(Invalid):
    """A communication says something."""

    code = "required"


async def run(ctx: Context, tx: Transaction, referral_id: str, *, said: Mapping[str, Any]) -> Referral:
    """Say or ask something about a referral; raises NothingSaid, AnswersNothing, Ended and
    AcknowledgeFirst.
    """
    text = str(said.get("text") or "").strip()
    if not text:
        raise NothingSaid("what is said", expression="Parameters.parameter.where(name='text')")
    body: dict[str, Any] = {
        "resourceType": "Communication",
        "status": "completed",
        "payload": [{"contentString": text}],
    }
    answers_at: list[str] = []
    if (before := said.get("in-response-to")) is not None:
        body["inResponseTo"] = [before]
        answers_at = ["Parameters.parameter.where(name='in-response-to')"]
    where = "Parameters.parameter.where(name='text')"
    return await _say(ctx, tx, referral_id, body=body, attached=(), where=where, answers_at=answers_at)


async def by_message(ctx: Context, tx: Transaction, message: Message, referral_id: UUID) -> Referral:
    """Take the Communication of a message, with what it attaches, about the referral that it names; raises
    NothingSaid, AnswersNothing, Ended and AcknowledgeFirst.
    """
    file = await referral_file.for_caller(ctx, tx, str(referral_id))
    named = dict.fromkeys(message.called, f"ServiceRequest/{referral_id}")
    for piece in message.entries.pieces:
        if piece.type == "Patient" and provide_information.may_be(file, piece):
            named |= dict.fromkeys(piece.links, f"Patient/{file.referral.patient_id}")
    came = _said(message)
    said, *attached = [_with_our_names(piece, named) for piece in came]
    place = came[0].place
    if not any(map(_says_something, said.data.get("payload", []))):
        raise NothingSaid("what is said", expression=f"{place}.payload")
    answers_at = [f"{place}.inResponseTo[{at}]" for at in range(len(said.data.get("inResponseTo", [])))]
    return await _say(
        ctx, tx, str(referral_id), body=said.data, attached=attached, where=place, answers_at=answers_at
    )


def _says_something(part: Mapping[str, Any]) -> bool:
    return bool(str(part.get("contentString", "content")).strip())


def _said(message: Message) -> list[Piece]:
    """Return the Communication of a message, and after it what its payload refers to."""
    said = message.communication
    if said is None:
        raise LookupError("a message that says something has a Communication")
    attached = {part.get("contentReference", {}).get("reference") for part in said.data.get("payload", [])}
    others = [piece for piece in message.entries.pieces if piece.index != said.index]
    return [said, *(piece for piece in others if attached & set(piece.links))]


def _with_our_names(piece: Piece, named: dict[str, str]) -> Piece:
    raw = references.replaced(piece.raw, named)
    return fhir.pieces.piece_of(decoded(raw), raw, links=piece.links)


async def _say(
    ctx: Context,
    tx: Transaction,
    referral_id: str,
    *,
    body: Resource,
    attached: Sequence[Piece],
    where: str,
    answers_at: Sequence[str],
) -> Referral:
    by_referrer = ctx.caller.party == "referrer"
    seen = await queries.referrals.visible_to(tx, ctx.caller, referral_id)
    if by_referrer and seen is not None and State(seen.state) in _WAITS_FOR_AN_ANSWER:
        whole = _between(ctx, seen, body, by_referrer=True)
        pieces = [fhir.pieces.piece_of(whole, msgspec.json.encode(whole)), *attached]
        places = [where, *map(_place, attached)]
        provided = await provide_information.add(
            ctx, tx, referral_id, pieces=pieces, places=places, answers_at=answers_at
        )
        return provided.referral
    file = await referral_file.for_caller(ctx, tx, referral_id)
    reason = rules.acts.may_communicate(ctx, file.referral)
    first = reason is not None and reason.code == "acknowledge-first"
    rules.steps.check(reason, refusal=AcknowledgeFirst if first else Ended)
    answered.check(ctx, body, file, places=answers_at)
    changes = Changes(ctx, file)
    if attached:
        places = [*map(_place, attached)]
        await provide_information.check(ctx, tx, attached, places, file)
        await provide_information.keep(ctx, tx, attached, places, file)
    _converse(
        ctx, changes, _between(ctx, file.referral, body, by_referrer=by_referrer), by_referrer=by_referrer
    )
    return await record.run(ctx, tx, changes)


def _place(piece: Piece) -> str:
    return f"Bundle.entry.resource.ofType({piece.type})"


def _between(ctx: Context, referral: Referral, body: Resource, *, by_referrer: bool) -> dict[str, Any]:
    """Write who says it to whom, about what and when; whatever was stated of these is ours to say."""
    referrer, clinic = f"Organization/{referral.requester}", f"Organization/{ctx.clinic.id}"
    person = ctx.actor.reference
    return {
        **body,
        "basedOn": [{"reference": f"ServiceRequest/{referral.id}"}],
        "subject": {"reference": f"Patient/{referral.patient_id}"},
        "sent": instant(ctx.at),
        "sender": directory_reference(ctx.clinic, referrer if by_referrer else person),
        "recipient": [directory_reference(ctx.clinic, clinic if by_referrer else referrer)],
    }


def _converse(ctx: Context, changes: Changes, body: Resource, *, by_referrer: bool) -> None:
    """Keep what is said, end what was owed, and where nothing was, ask the other side for an answer."""
    said = changes.enclose(body, status="completed")
    owed = (TaskCode.ANSWER_CLINIC,) if by_referrer else (TaskCode.ANSWER_REFERRER, TaskCode.ANOTHER_TIME)
    was_owed = answered.end(changes, *owed)
    wrote = Reason.of("referrer-wrote") if by_referrer else Reason.of("clinic-wrote")
    words = [as_written(part["contentString"]) for part in body.get("payload", []) if "contentString" in part]
    waiting = ctx.clinic.waiting
    if was_owed or "inResponseTo" in body:
        pass
    elif by_referrer:
        due = ctx.at + timedelta(hours=waiting.answer_hours)
        changes.open_work(TaskCode.ANSWER_REFERRER, owner=the_clinic(ctx), reason=[wrote, *words], due=due)
    else:
        due = ctx.at + timedelta(days=waiting.information_days)
        owner = f"Organization/{changes.referral.requester}"
        changes.open_work(TaskCode.ANSWER_CLINIC, owner=owner, reason=[wrote, *words], due=due)
    changes.announce(events.ReferralReferrerWrote if by_referrer else events.ReferralClinicWrote, said)
