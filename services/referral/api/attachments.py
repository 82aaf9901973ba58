"""Binary: attachments in their own form, in and out, piece by piece; and the documents that name them."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from services.referral import fhir, queries, use_cases
from services.referral.api.byte_range import ByteRange, NoSuchRange, wanted
from services.referral.api.uploads import TooManyUploads, Uploads
from services.referral.models import content_types
from services.referral.models.attachments import Attachment
from services.referral.models.tables import AttachmentTable
from services.referral.use_cases.attach import CannotAttach
from services.referral.use_cases.provide_information import (
    AcknowledgeFirst,
    AnotherPatientsResource,
    Ended,
)
from services.referral.use_cases.send_document import NoReferralNamed, NoSubjectNamed
from services.referral.use_cases.upload import (
    PIECE,
    AnotherContext,
    NothingThere,
    NotWhatItSays,
    Sending,
    TooMuchUnattached,
)
from shared.db import Database
from shared.errors import NotFound, TooLarge
from shared.fhir.check import MAX_BYTES
from shared.http import body as http_body
from shared.http.authorize import authorize, only
from shared.http.errors import FHIR_JSON, NotAcceptable, WrongContentType
from shared.http.request_context import RequestContext
from shared.http.resources import NoSuchResource, ResourceReader
from shared.http.responses import refuses
from shared.http.versions import version_in

router = APIRouter()

LARGEST = 20 * 1024 * 1024
# In seconds; less than the database lets a transaction stand still.
_PATIENCE = 30.0
# For all of it: 35 KB a second at the largest, so that nobody keeps a place by a byte now and then.
_WITHIN = 600.0
_OWN = "what the caller uploads becomes the caller's own"
_ROWS = (
    "a referrer's own uploads; what is attached to the referrals of a coordinator's site, "
    "and of a clinician's own teams"
)
# What a browser is told, so that nothing that a sender wrote runs in our name.
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Accept-Ranges": "bytes",
}
_READER = ResourceReader("Binary", AttachmentTable, queries.scope.attachments)


@router.post(
    "/fhir/Binary",
    responses=refuses(
        NotWhatItSays, NothingThere, AnotherContext, TooMuchUnattached, TooManyUploads, WrongContentType
    ),
    openapi_extra={"requestBody": {"content": {kind.name: {} for kind in content_types.CONTENT_TYPES}}},
)
async def upload(
    request: Annotated[RequestContext, authorize("Binary", "c", rows=_OWN, streams=True)],
) -> Response:
    """Keep an attachment, sent in its own content type (up to 20 MB) or as a Binary in FHIR JSON (1 MB).

    `X-Security-Context` (`ServiceRequest/id` or `Patient/id` of the sender) says whom it is about.
    """
    only(request, "referrer", "coordinator", what="upload an attachment")
    uploads: Uploads = request.http.app.state.uploads
    if _media_type(request) in (FHIR_JSON, "application/json"):
        return await _keep_resource(request)
    sending = Sending(stated=_stated(request), security_context=_security_context(request))
    http_body.check_announced(request.http, at_most=LARGEST, refuse=_too_large)
    with uploads.one(request.principal.client):
        content = http_body.pieces(
            request.http, at_most=LARGEST, refuse=_too_large, patience=_PATIENCE, within=_WITHIN
        )
        return await _keep(request, sending, content)


@router.get(
    "/fhir/Binary/{id}",
    responses=refuses(NoSuchResource, NotAcceptable),
)
async def read(id: str, request: Annotated[RequestContext, authorize("Binary", "r", rows=_ROWS)]) -> Response:
    """Read an attachment in its own content type, or as FHIR JSON where `Accept` names that (up to 1 MB)."""
    return await _answer(request, id)


@router.head("/fhir/Binary/{id}", responses=refuses(NoSuchResource, NotAcceptable))
async def head(id: str, request: Annotated[RequestContext, authorize("Binary", "r", rows=_ROWS)]) -> Response:
    """Say what a read would say, without the bytes."""
    answer = await _answer(request, id)
    return Response(status_code=answer.status_code, headers=dict(answer.headers))


@router.get("/fhir/Binary/{id}/_history/{version}", responses=refuses(NoSuchResource, NotAcceptable))
async def read_version(
    id: str, version: str, request: Annotated[RequestContext, authorize("Binary", "r", rows=_ROWS)]
) -> Response:
    """Read the one version that an attachment has."""
    if version != "1":
        raise NotFound(f"a Binary has the version 1, not {version[:20]}")
    return await _answer(request, id)


read.reader = _READER  # type: ignore[attr-defined]


@router.post(
    "/fhir/DocumentReference",
    responses=refuses(
        NoReferralNamed, NoSubjectNamed, AnotherPatientsResource, CannotAttach, Ended, AcknowledgeFirst
    ),
)
async def send_document(
    request: Annotated[
        RequestContext,
        authorize("DocumentReference", "c", rows="the sender's own referrals, and what was entered for it"),
    ],
) -> Response:
    """Add a document to a referral of the sender's, which `context.related` names."""
    only(request, "referrer", "coordinator", what="send a document")
    received = await request.resource("DocumentReference")
    piece = fhir.pieces.piece_of(received.data, received.raw)
    async with request.transaction() as tx:
        row = await use_cases.send_document.run(request.ctx, tx, piece)
        location = f"DocumentReference/{row.id}/_history/{row.version}"
        return await request.answer(tx, row.body, status=201, about=row, location=location)


async def _keep(request: RequestContext, sending: Sending, content: AsyncIterator[bytes]) -> Response:
    async with request.transaction() as tx:
        row = await use_cases.upload.run(request.ctx, tx, sending, content=content)
        await request.came_whole(tx, f"{row.content_type}\n".encode() + row.sha256)
        location = f"Binary/{row.id}/_history/{row.version}"
        return await request.answer(tx, row.body, status=201, about=row, location=location)


async def _keep_resource(request: RequestContext) -> Response:
    request.body = await http_body.read_body(request.http)
    received = await request.resource("Binary")
    said = str(received.data.get("contentType"))
    if (stated := content_types.stated(said)) is None:
        raise WrongContentType(content_types.not_kept(said), expression="Binary.contentType")
    context = received.data.get("securityContext") or _security_context(request)
    content = fhir.binary.content_of(received.data) or b""
    sending = Sending(stated=stated, security_context=context)
    return await _keep(request, sending, use_cases.upload.one(content))


async def _answer(request: RequestContext, id: str) -> Response:
    async with request.transaction() as tx:
        row = await queries.scope.find(
            tx, Attachment, id, table=AttachmentTable, visible=queries.scope.attachments(request.principal)
        )
        if row is None:
            raise NoSuchResource(f"there is no Binary/{id[:64]} that you may see")
        if _wants_resource(request, row):
            _check_fits(row)
            content = await queries.attachments.whole(tx, row.id)
            answer = await request.answer(tx, fhir.binary.with_data(row, content), about=row)
        else:
            answer = await request.answer(tx, b"", about=row, media_type=row.content_type)
            answer = _raw(request, row, answer.headers)
    return _unless_known(request, row, answer)


def _raw(request: RequestContext, row: Attachment, headers: Mapping[str, str]) -> Response:
    """Answer the bytes, or the range of them that is asked for, as they come from the database."""
    stated = content_types.stated(row.content_type)
    extension = "bin" if stated is None else stated.kind.extension
    kept = {name: value for name, value in headers.items() if name not in ("content-length", "content-type")}
    digest = b64encode(row.sha256).decode("ascii")
    # Set by us, because the framework would say utf-8 of every text.
    said = kept | _SAFE | {"Content-Type": row.content_type}
    said |= {"Content-Disposition": f'attachment; filename="{row.id}.{extension}"'}
    said |= {"Digest": f"sha-256={digest}", "Repr-Digest": f"sha-256=:{digest}:"}
    asked = request.http.headers.get("range") if "if-range" not in request.http.headers else None
    try:
        part = wanted(asked, size=row.size)
    except NoSuchRange:
        return Response(status_code=416, headers=said | {"Content-Range": f"bytes */{row.size}"})
    whole = ByteRange(0, row.size - 1)
    if part is not None:
        said |= {"Content-Range": f"bytes {part.first}-{part.last}/{row.size}"}
    taken = part or whole
    return StreamingResponse(
        _bytes(request.runtime.database, row, taken),
        status_code=200 if part is None else 206,
        headers=said | {"Content-Length": str(taken.length)},
    )


async def _bytes(database: Database, row: Attachment, part: ByteRange) -> AsyncIterator[bytes]:
    for number in range(part.first // PIECE, part.last // PIECE + 1):
        piece = await queries.attachments.piece(database, row.id, number)
        if piece is None:
            raise LookupError("an attachment was removed while it was read")
        start = number * PIECE
        yield piece[max(0, part.first - start) : part.last - start + 1]


def _unless_known(request: RequestContext, row: Attachment, answer: Response) -> Response:
    known = request.http.headers.get("if-none-match")
    if known is None or str(row.version) not in {version_in(tag) for tag in known.split(",")}:
        return answer
    return Response(status_code=304, headers={"ETag": answer.headers["ETag"]})


def _wants_resource(request: RequestContext, row: Attachment) -> bool:
    """Tell whether the resource is wanted rather than what it holds; raises NotAcceptable for neither."""
    accepted = _accepted(request.http.headers.get("accept") or "*/*")
    own = row.content_type.partition(";")[0]
    if own in accepted:
        return False
    if FHIR_JSON in accepted or request.query.get("_format") in (FHIR_JSON, "json"):
        return True
    if accepted & {"*/*", f"{own.partition('/')[0]}/*"}:
        return False
    raise NotAcceptable(f"this is {own}: accept that, */*, or {FHIR_JSON}", expression="Accept")


def _accepted(header: str) -> set[str]:
    """Read the media types of an Accept header that are not refused there (`q=0`)."""
    found = set()
    for part in header.split(","):
        name, *parameters = (text.strip().lower() for text in part.split(";"))
        if not any(text.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000") for text in parameters):
            found.add(name)
    return found


def _check_fits(row: Attachment) -> None:
    if row.size * 4 // 3 + len(row.body) > MAX_BYTES - 64:
        own = row.content_type.partition(";")[0]
        raise NotAcceptable(f"as FHIR JSON it has more than {MAX_BYTES} bytes; read it with Accept: {own}")


def _stated(request: RequestContext) -> content_types.Stated:
    """Read what the sender calls the form; raises WrongContentType for what is not kept, or is packed."""
    if request.http.headers.get("content-encoding", "identity").lower() != "identity":
        raise WrongContentType("an attachment is sent as it is, without Content-Encoding")
    said = request.http.headers.get("content-type", "")
    if (stated := content_types.stated(said)) is None:
        raise WrongContentType(f"{content_types.not_kept(said)}, or {FHIR_JSON} with a Binary")
    return stated


def _security_context(request: RequestContext) -> dict[str, Any] | None:
    reference = request.http.headers.get("x-security-context")
    return None if reference is None else {"reference": reference}


def _media_type(request: RequestContext) -> str:
    return request.http.headers.get("content-type", "").partition(";")[0].strip().lower()


def _too_large() -> TooLarge:
    return TooLarge(f"an attachment has at most 20 MB ({LARGEST} bytes)")
