"""The answer of `GET /{service}/worklist`: a page of what is to be done, as JSON (docs/how/worklists.md)."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from starlette.responses import Response

from shared.context import Context
from shared.db import Transaction
from shared.fhir import worklists
from shared.fhir.search_query import read_count
from shared.fhir.worklists import WorklistEntry, WorklistRow, WorklistSource
from shared.http.parameters import UnknownParameter, check_names
from shared.http.request_context import RequestContext
from shared.http.responses import query

Describe = Callable[[Context, Transaction, Sequence[WorklistEntry]], Awaitable[Sequence[WorklistRow]]]
PARAMETERS = query(
    kind="one or several kinds with `,`; all that the caller has unless said",
    _count="how many rows, 50 unless said, 200 at most",
    _after="the `next` of the page before",
)


async def answer(
    request: RequestContext, sources: Sequence[WorklistSource], *, describe: Describe
) -> Response:
    """Answer one page; `describe` shows its entries as they now are.

    Kinds for whose resources the caller lacks the scope are not there. Raises UnknownParameter.
    """
    check_names(request.query, ("kind", "_count", "_after"))
    scopes = request.principal.scopes
    allowed = [source for source in sources if scopes.allow(source.resource_type, "s")]
    kinds = _kinds(request, [*dict.fromkeys(source.kind for source in allowed)])
    async with request.transaction() as tx:
        page = await worklists.read(
            tx,
            allowed,
            at=request.ctx.at,
            kinds=kinds,
            count=read_count(request.query.get("_count")),
            after=request.query.get("_after"),
        )
        rows = await describe(request.ctx, tx, page.entries)
        body = {
            "total": page.total,
            "next": page.next,
            "counts": page.counts,
            "rows": [row.written() for row in rows],
        }
        return await request.answer(tx, msgspec.json.encode(body), rows=rows, media_type="application/json")


def _kinds(request: RequestContext, allowed: Sequence[str]) -> Sequence[str]:
    text = request.query.get("kind")
    kinds = text.split(",") if text else allowed
    for kind in kinds:
        if kind not in allowed:
            text = f"kind {kind[:64]!r} is none of {', '.join(allowed)}"
            raise UnknownParameter(text, expression="kind")
    return kinds
