"""The guarantees of a site, as a coordinator looks at them."""

from typing import Annotated

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import fhir, queries
from services.scheduling.api.searching import UnsupportedSearch, check_names
from shared.fhir.codes import GuaranteeStatus
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import query, refuses

router = APIRouter()

_Search = Annotated[RequestContext, authorize("Task", "s", rows=queries.scope.GUARANTEE_ROWS)]
_STATUS = "one or several with `,`"


@router.get("/guarantee", responses=refuses(UnsupportedSearch), openapi_extra=query(status=_STATUS))
async def guarantee(request: _Search) -> Response:
    """List the guarantees of the coordinator's site, the one that ends first first; `?status=` filters."""
    only(request, "coordinator", what="see the guarantees of a site")
    check_names(request, {"status"})
    statuses = _statuses(request.query.get("status"))
    async with request.transaction() as tx:
        found = await queries.guarantees.visible(tx, scope_of=request.principal, statuses=statuses)
        body = msgspec.json.encode([fhir.guarantees.describe(row) for row in found])
        return await request.answer(tx, body, rows=found, media_type="application/json")


def _statuses(text: str | None) -> list[str]:
    statuses = text.split(",") if text else []
    for status in statuses:
        if status not in list(GuaranteeStatus):
            text = f"status {status!r} is none of {', '.join(GuaranteeStatus)}"
            raise UnsupportedSearch(text, expression="status")
    return statuses
