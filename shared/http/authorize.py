"""The dependency of every guarded route: it verifies who calls and gives the route its RequestContext.

    async def change(id: str, request: Annotated[RequestContext, authorize("Task", "u", rows="...")])

Invariants:
- Token and scope are verified before the body is read; the body of a refused caller is not read.
- The scope that is checked is the scope that the OpenAPI document names.
"""

from fastapi import Security
from fastapi.openapi.models import OAuth2, OAuthFlowClientCredentials, OAuthFlows
from fastapi.params import Security as SecurityMarker
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from shared.auth.scopes import Interaction
from shared.errors import Forbidden, NotSupported, Unauthenticated
from shared.http.body import read_body
from shared.http.guard import Guard
from shared.http.request_context import RequestContext
from shared.runtime import Runtime

SCHEME = "smart"


class MissingScope(Forbidden):
    """The token lacks the scope that this route asks for."""


class NotThisParty(Forbidden):
    """This act is another party's."""


class LeftTheClinic(Forbidden):
    """A clinician who has left the roster has no part in the clinic any more, whatever the token says."""


class RouteSecurity(SecurityBase):
    """Verifies the caller of one route against its guard."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.scheme_name = SCHEME
        self.model = OAuth2(flows=OAuthFlows(clientCredentials=OAuthFlowClientCredentials(tokenUrl="")))

    async def __call__(self, request: Request) -> RequestContext:
        """Give what the route works with; raises Unauthenticated, Forbidden or NotSupported."""
        runtime: Runtime = request.app.state.runtime
        guard = request.state.guard = self.guard
        principal = await runtime.verifier.principal(_bearer(request))
        if principal.party == "clinician" and not runtime.current.has_person(principal.practitioner or ""):
            raise LeftTheClinic("You do not work at this clinic any more.")
        context = RequestContext(request, guard=guard, principal=principal, runtime=runtime)
        request.state.context = context
        if guard.interaction is None or not principal.scopes.allow(guard.resource_type, guard.interaction):
            raise MissingScope(f"this needs the scope {guard.scope}; the token has {principal.scopes}")
        if request.method == "POST" and "if-none-exist" in request.headers and not guard.conditional:
            raise NotSupported("nothing is created on a condition here", expression="If-None-Exist")
        if not guard.streams:
            context.body = await read_body(request)
        return context


def authorize(
    resource_type: str,
    interaction: Interaction,
    *,
    rows: str,
    dry_run: bool = False,
    streams: bool = False,
    conditional: bool = False,
    names_no_resource: bool = False,
) -> SecurityMarker:
    """Guard a route by the scope `resource_type.interaction`.

    `rows` says in words which rows the caller may reach; a test lists all routes and refuses one without
    this. `dry_run` marks a command's rehearsal, which writes nothing, `streams` a route that reads its body
    by itself, `conditional` one that honours If-None-Exist; any other POST refuses it, `names_no_resource` a
    command whose answer is about none. Refused calls are audited.
    """
    guard = Guard(
        resource_type=resource_type,
        interaction=interaction,
        rows=rows,
        dry_run=dry_run,
        streams=streams,
        conditional=conditional,
        names_no_resource=names_no_resource,
    )
    marker: SecurityMarker = Security(RouteSecurity(guard), scopes=[f"system/{guard.scope}"])
    return marker


def only(request: RequestContext, *parties: str, what: str) -> None:
    """Raise NotThisParty unless the caller is of one of these parties (`referrer`, `coordinator`, ...)."""
    party = request.principal.party
    if party not in parties:
        allowed = " or ".join(_with_article(name) for name in parties)
        raise NotThisParty(f"Only {allowed} may {what}; you are {_with_article(party)}.")


def _with_article(party: str) -> str:
    return f"{'an' if party[0] in 'aeiou' else 'a'} {party}"


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Unauthenticated("send a bearer token: Authorization: Bearer ...")
    return token.strip()
