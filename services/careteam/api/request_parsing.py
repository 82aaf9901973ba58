"""What every change of a resource checks of its body before anything else."""

from shared.errors import Forbidden, Invalid
from shared.fhir.received import Received
from shared.http.request_context import RequestContext


class NotAPerson(Forbidden):
    """The caller's token names no practitioner."""


async def to_replace(request: RequestContext, resource_type: str, resource_id: str) -> Received:
    """Read the resource that shall stand at this id."""
    received = await request.resource(resource_type)
    if received.data.get("id") != resource_id:
        raise Invalid("the id in the body and in the address differ", expression=f"{resource_type}.id")
    return received


def person(request: RequestContext) -> str:
    """Return the practitioner who calls; raises NotAPerson for everybody else."""
    if request.principal.practitioner is None:
        raise NotAPerson("only a practitioner of the clinic may do this")
    return request.principal.practitioner
