"""One request: who calls, what they sent, the transaction it runs in, and its one answer.

Invariants:
- A route gets a RequestContext only through `authorize(...)`, which has verified the token and the scope and
  names the row rule.
- `transaction()` commits before the answer leaves. With an Idempotency-Key the answer of a command is stored
  in it, so the same key gives the same answer, as long as the caller may read what it is about, and the same
  key with another body is refused (422), whatever crashed between.
- Every write leaves its AuditEvent in the same transaction; every refusal and every read leaves one of its
  own.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, NoReturn, Protocol
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from shared import failpoints
from shared.audit import record as audit
from shared.auth.principal import Principal
from shared.auth.scopes import Interaction
from shared.db import Transaction
from shared.db.models import Resource, StoredResource
from shared.errors import Problem
from shared.fhir import check, modifiers
from shared.fhir.received import Received
from shared.http import idempotency, parameters
from shared.http.check_metrics import measured_check
from shared.http.errors import FHIR_JSON, outcome
from shared.http.guard import Guard
from shared.http.idempotency import KeptAnswer, KeyedRequest, Replayed
from shared.http.preferences import Preferences, preferences
from shared.http.versions import check_match, reference_to, version_headers
from shared.operations import Parameter
from shared.runtime import Runtime

# Headers by which a command is another one: which version it replaces, under what condition it creates, and
# whom an upload is about.
_ASKED_BY = ("if-match", "if-none-exist", "x-security-context")
_HOW: Mapping[Interaction, audit.How] = {
    "c": "create",
    "r": "read",
    "u": "update",
    "d": "delete",
    "s": "search-type",
}


class ReadsResources(Protocol):
    """Reads any resource of this service inside a caller's row scope (shared/http/resources.py)."""

    def has(self, reference: str) -> bool: ...

    async def find(self, tx: Transaction, principal: Principal, reference: str) -> StoredResource: ...


class RequestContext:
    """What a route works with; `http` is the request as Starlette has it."""

    def __init__(self, request: Request, *, guard: Guard, principal: Principal, runtime: Runtime) -> None:
        self.http = request
        self.guard = guard
        self.principal = principal
        self.runtime = runtime
        self.request_id: str = request.state.request_id
        self.ctx = runtime.context(cause=self.request_id, principal=principal)
        self.body = b""
        self.query: QueryParams = request.query_params
        self.prefers: Preferences = preferences(request.headers)

    async def resource(self, *allowed: str) -> Received:
        """Check the body (shared.fhir.check) as one of these types; raises what the border raises.

        Raises Invalid too where an element would turn the meaning of what is sent.
        """
        with measured_check(self.runtime.service):
            received = await check.receive(self.body, allowed=allowed or None)
            modifiers.check(received)
        return received

    async def parameters(self, declared: Sequence[Parameter]) -> Mapping[str, Any]:
        """Read a Parameters body as name -> value (the value[x] or resource; a list where the name repeats).

        The value of a parameter with parts is a mapping of the same kind. An empty body is an empty
        Parameters. Raises Invalid for what is not `declared`.
        """
        if not self.body.strip():
            return {}
        given = (await self.resource("Parameters")).data.get("parameter", ())
        parameters.check(given, declared, urls=self.ctx.urls)
        return parameters.by_name(given)

    def expect(self, row: Resource) -> None:
        """Hold If-Match against the row's version: raises Stale; Invalid on PUT and DELETE without one."""
        check_match(self.http, row)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open the transaction of this command; an answer that is stored for its key is given instead."""
        async with self.runtime.database.transaction() as tx:
            if not self.guard.streams:
                await self._begin_keyed(tx)
            yield tx
            if self.guard.writes:
                failpoints.reach("received_not_committed")
        if self.guard.writes:
            failpoints.reach("after_commit_before_publish")

    async def came_whole(self, tx: Transaction, content: bytes) -> None:
        """Say what a body was that a route has read as it came, for the Idempotency-Key; `content` stands for
        all of it. An answer that is stored for the key is given instead, and what was written is taken back.
        """
        self.body = content
        await self._begin_keyed(tx)

    async def _begin_keyed(self, tx: Transaction) -> None:
        if self._keyed is not None and (kept := await idempotency.begin(tx, self._keyed)) is not None:
            await self._replay(tx, kept)

    async def answer(
        self,
        tx: Transaction,
        body: bytes | Mapping[str, Any],
        *,
        status: int = 200,
        about: Resource | None = None,
        patient: str | None = None,
        also: Sequence[str] = (),
        rows: Sequence[Any] = (),
        asked: Sequence[tuple[str, str]] = (),
        location: str | None = None,
        media_type: str = FHIR_JSON,
        how: audit.How | None = None,
    ) -> Response:
        """Make the answer, inside the transaction: stored for the key, audited, with ETag and Last-Modified.

        `about` is the row that was written or read (its version is the ETag), `patient` the patient's id for
        the audit (default: the row's `patient_id`), `also` further ones whom the call named, `rows` all that
        a search or an inquiry found, for their patients, `asked` an inquiry as parameters of a search,
        `location` the relative address of what was created (`Task/<id>/_history/1`), `how` the kind of access
        where the interaction does not say it. What a create or an update wrote comes as the caller prefers.
        """
        headers = {"Cache-Control": "no-store"}
        if about is not None:
            headers |= version_headers(about)
        if location is not None:
            headers["Location"] = f"{self.runtime.fhir_base}/{location}"
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        content = self.ctx.urls.up_to_date(content)
        if about is not None and body is about.body and self._returns_what_it_wrote:
            content = self._as_preferred(content, created=status == 201)
        kind = media_type if content else None
        response = Response(content, status_code=status, media_type=kind, headers=headers)
        await audit.record(
            self.ctx, tx, self._access(about, patient, also=also, rows=rows, asked=asked, how=how)
        )
        if self._keyed is not None:
            await idempotency.store(tx, self._keyed, response, about=self._named(about))
        return response

    @property
    def _returns_what_it_wrote(self) -> bool:
        return self.guard.writes and how_of(self.http, self.guard) != "operation"

    def _as_preferred(self, written: bytes, *, created: bool) -> bytes:
        """Give what was written, nothing, or an OperationOutcome (Prefer: return)."""
        if self.prefers.returns == "representation":
            return written
        if self.prefers.returns == "minimal":
            return b""
        text = "this was created" if created else "this stands as it was asked for"
        done = Problem(text=text, code="informational", severity="information")
        return msgspec.json.encode(outcome([done]))

    async def _replay(self, tx: Transaction, kept: KeptAnswer) -> NoReturn:
        """Give a kept answer again to who may read now what it is about; raises as that read would."""
        if self.guard.names_no_resource:
            raise Replayed(kept, row=None)
        readers: ReadsResources = self.http.app.state.readers
        row = await readers.find(tx, self.principal, kept.about or "")
        raise Replayed(kept, row=row)

    def _named(self, about: Resource | None) -> str:
        """Name what a kept answer is about; raises LookupError where nobody could check a replay."""
        if self.guard.names_no_resource:
            return ""
        reference = "" if about is None else reference_to(about).partition("/_history/")[0]
        if not self.http.app.state.readers.has(reference):
            raise LookupError("a command answers about a resource that can be read, so that a replay can be")
        return reference

    def _access(
        self,
        about: Resource | None,
        patient: str | None,
        *,
        also: Sequence[str],
        rows: Sequence[Any],
        asked: Sequence[tuple[str, str]],
        how: audit.How | None,
    ) -> audit.Access:
        how = how or how_of(self.http, self.guard)
        found = [*rows, *([] if about is None else [about])]
        patients = patients_of(found) or (() if patient is None else (patient,))
        patients = tuple(dict.fromkeys((*patients, *also)))
        return audit.Access(
            service=self.runtime.service,
            how=how,
            what=reference_to(about) if about is not None else None,
            patients=patients,
            site=site_of(found, self.principal, patients),
            query=query_of(self.http, self.body, asked=asked) if how == "search-type" or asked else None,
        )

    @cached_property
    def _keyed(self) -> KeyedRequest | None:
        key = self.http.headers.get("idempotency-key")
        if key is None or not self.guard.writes:
            return None
        scope = self.http.scope
        return KeyedRequest.of(
            client=self.principal.client,
            key=key,
            method=self.http.method,
            address=f"{scope['path']}?{scope['query_string'].decode('latin-1')}",
            conditions={name: self.http.headers[name] for name in _ASKED_BY if name in self.http.headers},
            body=self.body,
        )


def how_of(request: Request, guard: Guard) -> audit.How:
    """Tell what kind of access a route is, for the audit."""
    if guard.interaction is None or ("$" in request.scope["path"] and guard.interaction != "r"):
        return "operation"
    return _HOW[guard.interaction]


def query_of(request: Request, body: bytes, *, asked: Sequence[tuple[str, str]] = ()) -> bytes:
    """Give the whole query of a request for the audit, byte by byte: its address, and what a form adds."""
    runtime: Runtime = request.app.state.runtime
    path = f"{runtime.base_url}{request.scope['path']}".encode("utf-8", "backslashreplace")
    form = body if request.scope["path"].endswith("/_search") else b""
    parts = [part for part in (request.scope["query_string"], form, urlencode(asked).encode()) if part]
    return path + (b"?" + b"&".join(parts) if parts else b"")


def patients_of(rows: Sequence[Any]) -> tuple[str, ...]:
    """Name the patients whom rows are about, each once, in the order of the rows."""
    found = (getattr(row, "patient_id", None) for row in rows)
    return tuple(dict.fromkeys(str(patient) for patient in found if patient is not None))


def site_of(rows: Sequence[Any], principal: Principal, patients: Sequence[str]) -> str | None:
    """Tell the site of an access: the one of all its rows; without one and without patients the caller's.

    None where it is the sites of its patients.
    """
    sites = {getattr(row, "site", None) for row in rows}
    if len(sites) == 1 and (site := sites.pop()) is not None:
        return str(site)
    return None if patients else principal.site
