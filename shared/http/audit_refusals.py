"""The AuditEvent of what was refused, and of an answer that was given again: each in a transaction of its
own.
"""

from dataclasses import replace

from starlette.requests import Request

from shared.actor import Actor
from shared.audit import record as audit
from shared.errors import Refusal, Unavailable
from shared.http.guard import Guard
from shared.http.idempotency import Replayed
from shared.http.request_context import RequestContext, how_of
from shared.runtime import Runtime
from shared.telemetry.logging import class_of, logger

NOBODY = Actor(reference="Device/unknown")


async def audit_refusal(request: Request, refusal: Refusal) -> None:
    """Record that an access was refused; where the database does not answer, the log says that it is missing.

    An address that no route has is no access. What could not be tried (503) was neither granted nor refused.
    """
    guard: Guard | None = getattr(request.state, "guard", None)
    if guard is None or isinstance(refusal, Unavailable):
        return
    reason = "; ".join(dict.fromkeys(problem.code for problem in refusal.problems))
    access = audit.Access(
        service=request.app.state.runtime.service,
        how=how_of(request, guard),
        outcome=audit.REFUSED,
        reason=f"{type(refusal).__name__}: {reason}",
        query=str(request.url),
    )
    await _record(request, access)


async def audit_replay(request: Request, replayed: Replayed) -> None:
    """Record that a stored answer was given again: what it is about, and about whom."""
    access = audit.Access(
        service=request.app.state.runtime.service,
        how=how_of(request, request.state.guard),
        what=replayed.about,
        patient=replayed.patient,
        query=str(request.url),
    )
    await _record(request, access)


async def _record(request: Request, access: audit.Access) -> None:
    runtime: Runtime = request.app.state.runtime
    context: RequestContext | None = getattr(request.state, "context", None)
    if context is not None:
        ctx = context.ctx
    else:
        ctx = replace(runtime.context(cause=request.state.request_id), actor=NOBODY)
    try:
        async with runtime.database.transaction() as tx:
            await audit.record(ctx, tx, access)
    except Exception as error:
        logger().error("audit.missing", request_id=request.state.request_id, error=class_of(error))
