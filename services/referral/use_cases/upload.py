"""Keep a Binary that a sender sends in its own form: piece by piece as it comes, in one transaction.

Invariants:
- No more than one piece is held in memory.
- What ends early, is too long or is not what it says leaves nothing: the transaction rolls back.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prometheus_client import Counter

from services.referral import fhir, queries
from services.referral.models.attachments import Attachment
from services.referral.models.content_types import HEAD, Stated
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, TooMany
from shared.fhir import references, store
from shared.fhir.search_values import as_uuid
from shared.telemetry.registry import REGISTRY

PIECE = 256 * 1024
# What one sender may have uploaded that nothing names yet: as much as twenty-five attachments of the largest.
MAX_UNATTACHED = 500 * 1024 * 1024

BYTES = Counter(
    "lumbar_attachment_bytes",
    "Bytes of attachments that were kept and removed",
    ["change"],
    registry=REGISTRY,
)


class NotWhatItSays(Invalid):
    """The bytes are not of the content type that they are said to have."""

    code = "value"


class NothingThere(Invalid):
    """An attachment has a byte at least."""

    code = "required"


class AnotherContext(Invalid):
    """The security context is no ServiceRequest and no Patient that the sender has sent."""


class TooMuchUnattached(TooMany):
    """The sender has uploaded very much that no resource names yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is sent: its form, and the resource that it belongs to (`securityContext`), where that is said."""

    stated: Stated
    security_context: Mapping[str, Any] | None = None


async def run(
    ctx: Context, tx: Transaction, sending: Sending, *, content: AsyncIterator[bytes]
) -> Attachment:
    """Keep an attachment; raises NotWhatItSays, NothingThere, AnotherContext and TooMuchUnattached."""
    requester = uploader(ctx)
    if await queries.attachments.unattached_bytes(tx, requester) > MAX_UNATTACHED:
        raise TooMuchUnattached(
            "very much was uploaded that no DocumentReference names: name it, or wait until it is removed"
        )
    row = Attachment(
        requester=requester,
        content_type=str(sending.stated),
        size=0,
        sha256=b"",
        sha1=b"",
        uploaded_at=ctx.at,
        patient_id=await _patient(ctx, tx, sending.security_context),
    )
    await _keep(tx, row, sending.stated, content)
    body = fhir.binary.resource(
        content_type=row.content_type, security_context=_written(sending.security_context)
    )
    await store.insert(tx, row, body, at=ctx.at)
    tx.after_commit("count what was uploaded", lambda: BYTES.labels("uploaded").inc(row.size))
    return row


def uploader(ctx: Context) -> str:
    """Name whose an upload is until a resource names it: a sender's, or the coordinator's who enters it."""
    return ctx.caller.organization or ctx.caller.actor.reference


async def _keep(tx: Transaction, row: Attachment, stated: Stated, content: AsyncIterator[bytes]) -> None:
    """Keep the bytes, and write into the row what they are."""
    sha256, sha1 = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    number = 0
    async for piece in _pieces(content):
        if number == 0 and not stated.kind.fits(piece[:HEAD]):
            raise NotWhatItSays(f"the bytes are no {stated.kind.name}", expression="Binary.contentType")
        if not stated.kind.goes_on(piece):
            raise NotWhatItSays(
                f"this is no {stated.kind.name}: it holds what no text has", expression="Binary.contentType"
            )
        sha256.update(piece)
        sha1.update(piece)
        row.size += len(piece)
        await queries.attachments.add_piece(tx, row.id, number, piece)
        number += 1
    if not row.size:
        raise NothingThere("an attachment is the body of the request", expression="Binary.data")
    row.sha256, row.sha1 = sha256.digest(), sha1.digest()


async def _pieces(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Cut what comes into full pieces and a last one."""
    held = bytearray()
    async for part in content:
        held += part
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)


def digests(content: bytes) -> tuple[bytes, bytes]:
    """Give SHA-256 and SHA-1 of bytes that are there already."""
    return hashlib.sha256(content).digest(), hashlib.sha1(content, usedforsecurity=False).digest()


async def one(content: bytes) -> AsyncIterator[bytes]:
    """Give bytes that are there already as what comes."""
    yield content


async def _patient(ctx: Context, tx: Transaction, context: Mapping[str, Any] | None) -> UUID | None:
    """Find the patient of a security context inside the sender's rows; raises AnotherContext."""
    if context is None:
        return None
    parsed, found = references.parse(context), None
    is_here = references.is_ours(parsed, ctx.urls)
    if is_here and parsed.type == "ServiceRequest":
        referral = await queries.referrals.visible_to(tx, ctx.caller, parsed.id or "")
        found = None if referral is None else referral.patient_id
    elif is_here and parsed.type == "Patient" and (wanted := as_uuid(parsed.id or "")) is not None:
        found = await _patient_of_caller(ctx, tx, wanted)
    if found is None:
        raise AnotherContext(
            "a security context is a ServiceRequest/id or Patient/id of yours, such as a referral answered",
            expression="Binary.securityContext",
        )
    return found


async def _patient_of_caller(ctx: Context, tx: Transaction, patient_id: UUID) -> UUID | None:
    if ctx.caller.party == "coordinator":
        seen = await queries.patients.visible_to(tx, ctx.caller, patient_id)
        return None if seen is None else seen.id
    return await queries.attachments.patient_of_sender(tx, uploader(ctx), patient_id)


def _written(context: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if context is None:
        return None
    parsed = references.parse(context)
    return {"reference": f"{parsed.type}/{parsed.id}"}
