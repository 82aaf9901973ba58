"""Operations in FHIR: the OperationDefinition of each, and what may be done with one resource now."""

from collections.abc import Iterator, Sequence
from typing import Any

from shared.clinic import Clinic
from shared.context import Context
from shared.fhir.codes import LUMBAR
from shared.fhir.reasons import concept
from shared.operations import Operation, OperationTable, Parameter, Subject

DEFINITION = f"{LUMBAR}/OperationDefinition"
_STRUCTURE = "http://hl7.org/fhir/StructureDefinition"


def definition(operation: Operation[Any], *, clinic: Clinic) -> dict[str, Any]:
    """Render the OperationDefinition."""
    words = operation.definition.replace("-", " ").split()
    returned = {"name": "return", "use": "out", "min": 1, "max": "1"}
    return {
        "resourceType": "OperationDefinition",
        "id": operation.definition,
        "url": f"{DEFINITION}/{operation.definition}",
        "name": "".join(word[0].upper() + word[1:] for word in words),
        "status": "active",
        "kind": "operation",
        "affectsState": operation.interaction not in ("r", "s") and not operation.is_dry_run,
        "code": operation.name,
        "description": operation.text,
        **({} if operation.level == "system" else {"resource": [operation.resource_type]}),
        "system": operation.level == "system",
        "type": operation.level == "type",
        "instance": operation.level == "instance",
        "parameter": [
            *(_defined(parameter, clinic=clinic) for parameter in operation.parameters),
            returned | {"type": operation.returns or operation.resource_type},
        ],
    }


def available_actions(ctx: Context, table: OperationTable[Any], subject: Subject[Any]) -> dict[str, Any]:
    """Say of each operation and change that the caller could ever do how it is called and whether it may be
    done now; where not, why.
    """
    actions = [
        {"name": "action", "part": list(_action(ctx, table, operation, subject))}
        for operation in table.of_one
        if operation.is_open_to(ctx.caller) and operation.applies(subject.facts)
    ]
    return {"resourceType": "Parameters", **({"parameter": actions} if actions else {})}


def possible(
    ctx: Context, table: OperationTable[Any], subject: Subject[Any], *, names: Sequence[str]
) -> list[dict[str, str]]:
    """List which of these acts the caller may do with a resource now, in the order of `names`; reads nothing.

    An act that only gives a resource the status that it has is none.
    """
    of_name = {operation.name: operation for operation in table.of_one}
    acts = [of_name[name] for name in names if name in of_name]
    return [
        {
            "name": act.name,
            "kind": act.kind,
            "method": act.method,
            "url": _address(ctx, act, subject),
            "of": table.resource_type,
            "id": str(subject.row.id),
        }
        for act in acts
        if act.is_open_to(ctx.caller)
        and act.applies(subject.facts)
        and not _repeats(act, subject)
        and act.when(ctx, subject.facts) is None
    ]


def _repeats(operation: Operation[Any], subject: Subject[Any]) -> bool:
    status = getattr(subject.row, "status", None)
    return any(
        parameter.name == "status" and parameter.values == (status,) for parameter in operation.parameters
    )


def _address(ctx: Context, operation: Operation[Any], subject: Subject[Any]) -> str:
    path = operation.path.removeprefix("/fhir").replace("{id}", str(subject.row.id))
    return f"{ctx.urls.fhir}{path}"


def _action(
    ctx: Context, table: OperationTable[Any], operation: Operation[Any], subject: Subject[Any]
) -> Iterator[dict[str, Any]]:
    yield {"name": "name", "valueCode": operation.name}
    yield {"name": "kind", "valueCode": operation.kind}
    if operation.kind == "operation":
        yield {"name": "definition", "valueCanonical": f"{DEFINITION}/{operation.definition}"}
    yield {"name": "method", "valueCode": operation.method}
    yield {"name": "url", "valueUrl": _address(ctx, operation, subject)}
    yield {"name": "documentation", "valueString": operation.text}
    for parameter in operation.parameters:
        yield {"name": "parameter", "part": list(_asked(parameter, clinic=ctx.clinic))}
    reason = operation.when(ctx, subject.facts)
    yield {"name": "available", "valueBoolean": reason is None}
    if reason is not None:
        stated = concept([reason], table.sentences, zone=subject.zone, words=table.words(ctx.clinic))
        yield {"name": "reason", "valueCodeableConcept": stated}


def _asked(parameter: Parameter, *, clinic: Clinic) -> Iterator[dict[str, Any]]:
    yield {"name": "name", "valueString": parameter.name}
    yield {"name": "type", "valueCode": parameter.type}
    yield {"name": "min", "valueInteger": parameter.min}
    yield {"name": "max", "valueString": parameter.max}
    yield {"name": "documentation", "valueString": parameter.text}
    for value in parameter.allowed(clinic):
        yield {"name": "allowed", "valueCode": value}
    for target in parameter.targets:
        yield {"name": "target", "valueCode": target}
    for part in parameter.parts:
        yield {"name": "part", "part": list(_asked(part, clinic=clinic))}


def _defined(parameter: Parameter, *, clinic: Clinic) -> dict[str, Any]:
    allowed = ", ".join(parameter.allowed(clinic))
    made_of: dict[str, Any] = {"type": parameter.type}
    if parameter.parts:
        made_of = {"part": [_defined(part, clinic=clinic) for part in parameter.parts]}
    if parameter.targets:
        made_of["targetProfile"] = [f"{_STRUCTURE}/{target}" for target in parameter.targets]
    return {
        "name": parameter.name,
        "use": "in",
        "min": parameter.min,
        "max": parameter.max,
        "documentation": f"{parameter.text} One of: {allowed}." if allowed else parameter.text,
        **made_of,
    }
