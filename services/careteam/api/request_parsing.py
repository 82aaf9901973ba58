"""What every change of a resource checks of its body before anything else."""

from shared.errors import Invalid
from shared.fhir.received import Received
from shared.http.request_context import RequestContext


async def to_replace(request: RequestContext, resource_type: str, resource_id: str) -> Received:
    """Read the resource that shall stand at this id."""
    received = await request.resource(resource_type)
    if received.data.get("id") != resource_id:
        raise Invalid("the id in the body and in the address differ", expression=f"{resource_type}.id")
    return received
