"""The operation tables, the routes and the READMEs say the same."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from deploy.operation_tables import readme, rewritten, tables_of
from deploy.services import SERVICES, room
from shared.http.guard import guard_of
from shared.http.responses import refuses
from shared.operations import Operation
from tests.architecture.test_every_route_is_guarded import runtime

OWNERS = [service for service in SERVICES if tables_of(service)]


def operations(service: str) -> Iterator[Operation[Any]]:
    for table in tables_of(service):
        yield from table.all_operations


@pytest.mark.parametrize("service", OWNERS)
def test_a_readme_lists_what_the_tables_hold(service: str) -> None:
    text = readme(service).read_text()
    assert text == rewritten(text, service), "write it anew: python -m deploy.operation_tables"


def test_a_readme_without_a_place_for_the_operations_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        rewritten("# A service", OWNERS[0])


@pytest.mark.parametrize("service", OWNERS)
def test_each_operation_has_its_route_with_its_scope_its_rows_and_its_refusals(service: str) -> None:
    app = room(service, "main").create_app(runtime(service))
    routes = {
        (method, route.path): route
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    }
    for operation in operations(service):
        route = routes[operation.method, operation.path]
        guard = guard_of(route)
        assert guard is not None
        assert (guard.scope, guard.rows) == (
            f"{operation.resource_type}.{operation.interaction}",
            operation.rows,
        )
        assert set(refuses(*operation.refuses)) <= set(route.responses), operation.name


@pytest.mark.parametrize("service", OWNERS)
def test_each_address_with_a_dollar_stands_in_a_table(service: str) -> None:
    app = room(service, "main").create_app(runtime(service))
    addresses = [str(route.path) for route in iter_route_contexts(app.routes)]
    paths = {address for address in addresses if "$" in address and address.startswith("/fhir")}
    assert paths == {operation.path for operation in operations(service) if operation.kind == "operation"}


@pytest.mark.parametrize("service", OWNERS)
def test_no_two_actions_of_a_resource_have_one_name(service: str) -> None:
    for table in tables_of(service):
        # What makes a resource may be called as what is done with one: `$book`, and to book a place.
        names = [(operation.level, operation.name) for operation in table.operations]
        assert len(names) == len(set(names)), table.resource_type


@pytest.mark.parametrize("service", OWNERS)
def test_what_a_command_answers_can_be_read_so_that_a_replay_can_be_checked(service: str) -> None:
    app = room(service, "main").create_app(runtime(service))
    for operation in operations(service):
        if (
            operation.run is not None
            and operation.interaction in ("c", "u", "d")
            and not operation.is_dry_run
        ):
            assert app.state.readers.has(operation.returns or operation.resource_type), operation.name


@pytest.mark.parametrize("service", OWNERS)
def test_a_route_writes_where_its_operation_does(service: str) -> None:
    app = room(service, "main").create_app(runtime(service))
    routes = {
        (method, route.path): route for route in iter_route_contexts(app.routes) for method in route.methods
    }
    for operation in operations(service):
        guard = guard_of(routes[operation.method, operation.path])
        assert guard is not None
        commands = operation.interaction in ("c", "u", "d") and not operation.is_dry_run
        assert guard.writes is commands, operation.name
