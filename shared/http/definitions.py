"""Definitions that a service publishes about itself: read by id, searched, and open to everybody.

They are made and written once, when they are first asked for, say nothing about anybody, and are no
resources of the database. Everybody may keep them for a while: `ETag` says what stands now, and
If-None-Match asks for less.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import msgspec
from fastapi import APIRouter, Depends
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import Invalid, NotSupported
from shared.fhir import search_values
from shared.http import computed
from shared.http.body import read_body
from shared.http.computed import ComputedParam
from shared.http.errors import FHIR_JSON
from shared.http.guard import open_to_all
from shared.http.preferences import Preferences, preferences
from shared.http.resources import NoSuchResource
from shared.http.responses import refuses
from shared.runtime import Runtime

Definition = Mapping[str, Any]
_KEPT_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionParam(ComputedParam):
    """A search parameter of definitions: what a definition `has` for it.

    A string matches from its start without case and accents, a token as `code` or `system|code`, a canonical
    URL as it is written.
    """

    has: Callable[[Definition], Collection[str]]

    def matches(self, definition: Definition, asked: str) -> bool:
        """Tell whether a definition has one of the values that are asked for, which commas separate."""
        has = self.has(definition)
        for value in search_values.split(asked):
            if self.kind == "string":
                wanted = search_values.folded(value)
                if any(search_values.folded(known).startswith(wanted) for known in has):
                    return True
            elif value in has:
                return True
        return False


DefinitionParams = Mapping[str, DefinitionParam]


def named(member: str, text: str, *, kind: Literal["token", "string", "uri"] = "token") -> DefinitionParam:
    """Search by a member that is a text."""
    return DefinitionParam(kind=kind, text=text, has=lambda one: [str(one[member])])


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenRequest:
    """What a search needs of a request that nobody is authorized for."""

    query: QueryParams
    body: bytes
    prefers: Preferences
    runtime: Runtime


@dataclass(frozen=True, slots=True)
class _Written:
    """An answer as bytes, with its ETag."""

    content: bytes
    tag: str

    @classmethod
    def of(cls, content: bytes) -> "_Written":
        """Give the answer with these bytes its ETag."""
        return cls(content, f'W/"{hashlib.sha256(content).hexdigest()[:16]}"')


def add_definitions(
    router: APIRouter,
    make: Callable[[], Sequence[Definition]],
    *,
    resource_type: str,
    params: DefinitionParams,
    why: str,
) -> None:
    """Add `GET /fhir/Type`, `POST .../_search` and `GET /fhir/Type/{id}`; `why` says why they are open."""
    definitions = cache(make)
    written = cache(lambda: {str(one["id"]): _Written.of(msgspec.json.encode(one)) for one in definitions()})
    openly = Depends(open_to_all(why))
    base = f"/fhir/{resource_type}"

    async def read(id: str, request: Request) -> Response:
        if (found := written().get(id)) is None:
            raise NoSuchResource(f"there is no {resource_type}/{id[:64]}")
        return _kept_for_a_while(request, found)

    async def search(request: Request) -> Response:
        asking = _OpenRequest(
            query=request.query_params,
            body=await read_body(request),
            prefers=preferences(request.headers),
            runtime=request.app.state.runtime,
        )
        asked = computed.read(asking, resource_type=resource_type, known=params)
        found = [one for one in definitions() if _fits(one, asked.values, params)]
        content = computed.write(asking, asked, found, encode=lambda one: written()[one["id"]].content)
        return _kept_for_a_while(request, _Written.of(content))

    read.__doc__, search.__doc__ = f"Read one {resource_type}.", f"Search {resource_type}s."
    search.definitions = definitions  # type: ignore[attr-defined]
    computed.searched_by(params)(search)
    refused = refuses(NotSupported, Invalid)
    router.add_api_route(
        base,
        search,
        methods=["GET"],
        dependencies=[openly],
        responses=refused,
    )
    router.add_api_route(
        f"{base}/_search", search, methods=["POST"], dependencies=[openly], responses=refused
    )
    router.add_api_route(f"{base}/{{id}}", read, methods=["GET"], dependencies=[openly])


def _kept_for_a_while(request: Request, written: _Written) -> Response:
    headers = {"ETag": written.tag, "Cache-Control": f"public, max-age={_KEPT_SECONDS}"}
    known = request.headers.get("if-none-match", "")
    if request.method == "GET" and {"*", written.tag} & {part.strip() for part in known.split(",")}:
        return Response(status_code=304, headers=headers, media_type=FHIR_JSON)
    return Response(written.content, headers=headers, media_type=FHIR_JSON)


def _fits(definition: Definition, asked: Mapping[str, Sequence[str]], params: DefinitionParams) -> bool:
    return all(param.matches(definition, text) for name, param in params.items() for text in asked[name])
