"""What a sender says about its referral in a message: kept with it, and read by the clinic."""

from uuid import UUID

from services.referral import fhir
from services.referral.fhir.messages import Message
from services.referral.models.rows import Referral
from services.referral.models.submission import Piece
from services.referral.use_cases import provide_information, referral_file
from services.referral.use_cases.referral_file import decoded
from shared.context import Context
from shared.db import Transaction
from shared.fhir import references


async def by_message(ctx: Context, tx: Transaction, message: Message, referral_id: UUID) -> Referral:
    """Add the Communication of a message, with what it attaches, to the referral that it is about."""
    file = await referral_file.for_caller(ctx, tx, str(referral_id))
    named = dict.fromkeys(message.called, f"ServiceRequest/{referral_id}")
    for piece in message.entries.pieces:
        if piece.type == "Patient" and provide_information.may_be(file, piece):
            named |= dict.fromkeys(piece.links, f"Patient/{file.referral.patient_id}")
    said = [piece for piece in message.entries.pieces if _is_said(piece, message)]
    pieces = [_with_our_names(piece, named) for piece in said]
    return await provide_information.run(ctx, tx, str(referral_id), pieces=pieces)


def _is_said(piece: Piece, message: Message) -> bool:
    """Tell whether an entry is the Communication, or is attached to it."""
    said = message.communication
    if said is None:
        return False
    attached = [part.get("contentReference", {}).get("reference") for part in said.data.get("payload", [])]
    return piece.index == said.index or bool(set(piece.links) & set(attached))


def _with_our_names(piece: Piece, named: dict[str, str]) -> Piece:
    raw = references.replaced(piece.raw, named)
    return fhir.pieces.piece_of(decoded(raw), raw, links=piece.links)
