"""The AuditEvent of what was refused, and of an answer that was given again: each in a transaction of its
own.
"""

from collections.abc import Iterator
from dataclasses import replace

from starlette.requests import Request

from shared.actor import Actor
from shared.audit import record as audit
from shared.errors import Refusal, Unavailable
from shared.http.anonymous_calls import OTHERS, AnonymousCalls
from shared.http.guard import Guard
from shared.http.idempotency import Replayed
from shared.http.request_context import RequestContext, how_of, patients_of, query_of
from shared.runtime import Runtime
from shared.telemetry.logging import class_of, logger

NOBODY = Actor(reference="Device/unknown")


async def audit_refusal(request: Request, refusal: Refusal) -> None:
    """Record that an access was refused; where the database does not answer, the log says that it is missing.

    Requests without a valid token are counted and leave one row a minute and origin.

    An address that no route has is no access. What could not be tried (503) was neither granted nor refused.
    """
    guard: Guard | None = getattr(request.state, "guard", None)
    if guard is None or isinstance(refusal, Unavailable):
        return
    reason = "; ".join(dict.fromkeys(problem.code for problem in refusal.problems))
    context: RequestContext | None = getattr(request.state, "context", None)
    access = audit.Access(
        service=request.app.state.runtime.service,
        how=how_of(request, guard),
        outcome=audit.REFUSED,
        reason=f"{type(refusal).__name__}: {reason}",
        site=None if context is None else context.principal.site,
        query=query_of(request, b"" if context is None else context.body),
    )
    if context is None:
        await _record(request, *_anonymous(request, access))
    else:
        await _record(request, access)


def _anonymous(request: Request, access: audit.Access) -> Iterator[audit.Access]:
    """Give the rows that are due for requests without a valid token, this one or others."""
    calls: AnonymousCalls = request.app.state.anonymous_calls
    address = request.client.host if request.client is not None else OTHERS
    for origin, times in calls.note(address).items():
        mine = access if origin == address else replace(access, query=None)
        yield replace(mine, origin=origin, times=times)


async def audit_replay(request: Request, replayed: Replayed) -> None:
    """Record that a stored answer was given again: what it is about, and about whom."""
    access = audit.Access(
        service=request.app.state.runtime.service,
        how=how_of(request, request.state.guard),
        what=replayed.about or None,
        patients=patients_of([replayed.row]),
        site=None if replayed.row is None else replayed.row.site,
        query=query_of(request, b""),
    )
    await _record(request, access)


async def _record(request: Request, *accesses: audit.Access) -> None:
    if not accesses:
        return
    runtime: Runtime = request.app.state.runtime
    context: RequestContext | None = getattr(request.state, "context", None)
    if context is not None:
        ctx = context.ctx
    else:
        ctx = replace(runtime.context(cause=request.state.request_id), actor=NOBODY)
    try:
        async with runtime.database.transaction() as tx:
            for access in accesses:
                await audit.record(ctx, tx, access)
    except Exception as error:
        logger().error("audit.missing", request_id=request.state.request_id, error=class_of(error))
