"""The routes of a service's operation tables: guarded, audited and documented as the tables say."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from shared.clinic import Clinic
from shared.db.models import Resource
from shared.fhir import operations as rendered
from shared.fhir import references
from shared.http import parameters
from shared.http.authorize import authorize, only
from shared.http.definitions import DefinitionParam, add_definitions, named
from shared.http.request_context import RequestContext
from shared.http.resources import NoSuchResource
from shared.http.responses import refuses
from shared.operations import InquiryAnswer, Load, Operation, OperationInput, OperationTable, Run


def operations_router(tables: Sequence[OperationTable[Any]], *, clinic: Clinic) -> APIRouter:
    """Make the routes of all operations, of `$available-actions` and of the OperationDefinitions."""
    router = APIRouter()
    for table in tables:
        for operation in table.operations:
            if operation.run is not None:
                _add_operation(router, operation, operation.run)
        if table.load is not None:
            _add_available_actions(router, table, load=table.load)
    if tables:
        _add_definitions(router, tables, clinic=clinic)
    return router


def _add_operation(router: APIRouter, operation: Operation[Any], run: Run) -> None:
    guard = authorize(
        operation.resource_type,
        operation.interaction,
        rows=operation.rows,
        dry_run=operation.is_dry_run,
    )

    async def operate(request: RequestContext, id: str = "") -> Response:
        only(request, *operation.parties, what=operation.name.replace("-", " "))
        given = await _input(request, operation, id)
        if operation.matches:
            given = replace(given, expect=request.expect)
        async with request.transaction() as tx:
            result = await run(request.ctx, tx, given)
            if isinstance(result, Resource):
                named = _patients_named(operation, given)
                return await request.answer(tx, result.body, about=result, also=named)
            if isinstance(result, InquiryAnswer):
                return await request.answer(tx, result.body, rows=result.rows, asked=result.asked)
            return await request.answer(tx, result)

    async def of_one(id: str, request: Annotated[RequestContext, guard]) -> Response:
        return await operate(request, id)

    async def of_all(request: Annotated[RequestContext, guard]) -> Response:
        return await operate(request)

    _add(router, operation, of_one if operation.level == "instance" else of_all)


def _patients_named(operation: Operation[Any], given: OperationInput) -> list[str]:
    """Name the patients whom the parameters of a call name, for the audit."""
    named = [parameter.name for parameter in operation.parameters if parameter.targets == ("Patient",)]
    return [
        references.local_id(given.values[name], expression=name) for name in named if name in given.values
    ]


async def _input(request: RequestContext, operation: Operation[Any], id: str) -> OperationInput:
    if operation.method == "GET":
        return OperationInput(id=id, values=parameters.of_query(request.query, operation.parameters))
    if not operation.takes:
        return OperationInput(id=id)
    if operation.takes == ("Parameters",):
        values = await request.parameters(operation.parameters)
        return OperationInput(id=id, values=values, body=request.body)
    return OperationInput(id=id, data=(await request.resource(*operation.takes)).data, body=request.body)


def _add_available_actions(router: APIRouter, table: OperationTable[Any], *, load: Load[Any]) -> None:
    operation = table.available_actions
    reading = authorize(operation.resource_type, operation.interaction, rows=operation.rows)

    async def list_actions(id: str, request: Annotated[RequestContext, reading]) -> Response:
        async with request.transaction() as tx:
            subject = await load(request.ctx, tx, id)
            if subject is None:
                raise NoSuchResource(f"there is no {table.resource_type}/{id[:64]} that you may see")
            actions = rendered.available_actions(request.ctx, table, subject)
            return await request.answer(tx, actions, about=subject.row)

    _add(router, operation, list_actions)


def _add(router: APIRouter, operation: Operation[Any], endpoint: Any) -> None:
    endpoint.__doc__ = operation.text
    if operation.matches:
        endpoint.matches_if_said = True
    responses = refuses(*operation.refuses)
    router.add_api_route(operation.path, endpoint, methods=[operation.method], responses=responses)


def _add_definitions(router: APIRouter, tables: Sequence[OperationTable[Any]], *, clinic: Clinic) -> None:
    def make() -> list[dict[str, Any]]:
        defined = {operation.definition: operation for table in tables for operation in table.defined}
        return [rendered.definition(operation, clinic=clinic) for operation in defined.values()]

    add_definitions(
        router,
        make,
        resource_type="OperationDefinition",
        params={
            "url": named("url", "its canonical URL", kind="uri"),
            "name": named("name", "the beginning of its name", kind="string"),
            "code": named("code", "its name as it is called, without the $"),
            "status": named("status", "`active`"),
            "resource": DefinitionParam(
                kind="token",
                text="a type of resource that it works on",
                has=lambda one: one.get("resource", ()),
            ),
        },
        why="says how an operation is called",
    )
