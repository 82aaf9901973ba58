"""The code systems that a service serves: those of reasons and of the words of their arguments."""

from fastapi import APIRouter

from shared.http.definitions import DefinitionParam, add_definitions, named
from shared.runtime import Runtime


def code_systems_router(runtime: Runtime) -> APIRouter:
    """Make the routes of the code systems, which are made when they are first asked for."""
    router = APIRouter()
    add_definitions(
        router,
        runtime.code_systems,
        resource_type="CodeSystem",
        params={
            "url": named("url", "its canonical URL", kind="uri"),
            "name": named("name", "the beginning of its name", kind="string"),
            "version": named("version", "its version, which follows from its concepts"),
            "status": named("status", "`active`"),
            "code": DefinitionParam(
                kind="token", text="a code of it", has=lambda one: [two["code"] for two in one["concept"]]
            ),
        },
        why="says what codes mean, the same for everybody",
    )
    return router
