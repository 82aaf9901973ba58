"""The AuditEvent of what was refused, and of an answer that was given again: each in a transaction of its
own.
"""

from dataclasses import replace

from starlette.requests import Request

from shared.actor import Actor
from shared.audit import record as audit
from shared.errors import Refusal, Unavailable
from shared.http.guard import Guard
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
    await _record(request, guard, outcome=audit.REFUSED, reason=f"{type(refusal).__name__}: {reason}")


async def audit_replay(request: Request) -> None:
    """Record that a stored answer was given again."""
    await _record(request, request.state.guard, outcome=audit.GRANTED, reason=None)


async def _record(request: Request, guard: Guard, *, outcome: audit.Outcome, reason: str | None) -> None:
    runtime: Runtime = request.app.state.runtime
    context: RequestContext | None = getattr(request.state, "context", None)
    access = audit.Access(
        service=runtime.service,
        how=how_of(request, guard),
        outcome=outcome,
        reason=reason,
        query=str(request.url),
    )
    if context is not None:
        ctx = context.ctx
    else:
        ctx = replace(runtime.context(cause=request.state.request_id), actor=NOBODY)
    try:
        async with runtime.database.transaction() as tx:
            await audit.record(ctx, tx, access)
    except Exception as error:
        logger().error("audit.missing", request_id=request.state.request_id, error=class_of(error))
