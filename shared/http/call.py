"""One request: who calls, what they sent, the transaction it runs in, and its one answer.

Invariants:
- A route gets a Call only through `requires(...)`, which has verified the token and the scope and names the
  row rule.
- `transaction()` commits before the answer leaves. With an Idempotency-Key the answer is stored in it, so the
  same key gives the same answer, and the same key with another body is refused (422), whatever crashed
  between.
- Every write leaves its AuditEvent in the same transaction; every refusal and every read leaves one of its
  own.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.responses import Response

from shared.act import Act
from shared.auth.principal import Principal
from shared.auth.scopes import Interaction
from shared.db import ResourceRow, Transaction
from shared.fhir.received import Received
from shared.runtime import Runtime


class Call:
    """What a route works with."""

    principal: Principal
    runtime: Runtime
    act: Act
    body: bytes
    query: Mapping[str, str]

    async def resource(self, *allowed: str) -> Received:
        """Check the body (shared.fhir.check) as one of these types; raises what the border raises."""
        raise NotImplementedError

    async def parameters(self) -> Mapping[str, Any]:
        """Read a Parameters body as name -> value (the value[x] or resource; a list where the name repeats).

        An empty body is an empty Parameters.
        """
        raise NotImplementedError

    def expect(self, row: ResourceRow) -> None:
        """Hold If-Match against the row's version: raises Stale; a missing If-Match is Invalid on PUT."""
        raise NotImplementedError

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open the transaction of this command; an answer that is already stored for its key is given
        instead.
        """
        raise NotImplementedError
        yield

    async def answer(
        self,
        tx: Transaction,
        body: bytes | Mapping[str, Any],
        *,
        status: int = 200,
        about: ResourceRow | None = None,
        patient: str | None = None,
        location: str | None = None,
    ) -> Response:
        """Make the answer, inside the transaction: stored for the key, audited, with ETag and Last-Modified.

        `about` is the row that was written or read (its version is the ETag), `patient` the patient's id for
        the audit, `location` the relative address of what was created (`Task/<id>/_history/1`).
        """
        raise NotImplementedError


def requires(resource_type: str, interaction: Interaction, *, rows: str) -> Callable[..., Any]:
    """Make the dependency of a route: `call: Call = Depends(requires("Task", "u", rows="the requester's
    own"))`.

    `rows` says in words which rows the caller may reach; a test lists all routes and refuses one without
    this. Refused calls are audited. Raises Unauthenticated or Forbidden.
    """
    raise NotImplementedError


def only(call: Call, *parties: str, what: str) -> None:
    """Raise Forbidden unless the caller is of one of these parties (`referrer`, `coordinator`, ...)."""
    raise NotImplementedError
