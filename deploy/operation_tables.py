"""The operation tables of the services, and what their READMEs say of them.

`python -m deploy.operation_tables` writes the tables into the READMEs anew.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.marked import put_between
from deploy.services import SERVICES, package, room
from shared.operations import EVERYBODY, Operation, OperationTable, Parameter

BEGIN = "<!-- operations: written by `python -m deploy.operation_tables` -->"
END = "<!-- end of operations -->"
_SERVICES = Path(__file__).parents[1] / "services"


def tables_of(service: str) -> Sequence[OperationTable[Any]]:
    """Return the operation tables of a service; none where it has no operations."""
    if find_spec(f"{package(service)}.operations") is None:
        return ()
    found: Sequence[OperationTable[Any]] = room(service, "operations").TABLES
    return found


def readme(service: str) -> Path:
    """Return where a service's README lies."""
    return _SERVICES / service / "README.md"


def rewritten(text: str, service: str) -> str:
    """Put the table of operations between the two marks of a README; raises ValueError without them."""
    return put_between(text, _markdown(tables_of(service)), begin=BEGIN, end=END)


def _markdown(tables: Sequence[OperationTable[Any]]) -> str:
    lines = ["| Who | Call | What it does | With |", "|---|---|---|---|"]
    for table in tables:
        lines += [_line(operation) for operation in table.all_operations]
    return "\n".join(lines) + "\n"


def _line(operation: Operation[Any]) -> str:
    who = "all" if operation.parties == EVERYBODY else ", ".join(operation.parties)
    call = f"{operation.method} {operation.path.removeprefix('/fhir/')}"
    asked = ", ".join(_asked(parameter) for parameter in operation.parameters)
    return f"| {who} | `{call}` | {operation.text} | {asked} |"


def _asked(parameter: Parameter) -> str:
    values = parameter.values
    allowed = "" if callable(values) or not values else f" {', '.join(values)}"
    return f"`{parameter.name}`{allowed}" + ("" if parameter.min else " (optional)")


if __name__ == "__main__":
    for _service in SERVICES:
        if tables_of(_service):
            readme(_service).write_text(rewritten(readme(_service).read_text(), _service))
