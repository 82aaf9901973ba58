"""What the audit trail says of every access: once each, who, how it ended, about whom, as valid R4B."""

from collections import defaultdict
from typing import Any

import msgspec

from shared.errors import Refusal
from shared.fhir import check
from tests.support.access.cells import Asked, Cell
from tests.support.access.world import World
from tests.support.sql import sql

_ALL = "SELECT outcome, client, patient_id, body FROM audit_event"


async def audit_problems(world: World, asked: Asked) -> list[str]:
    """Hold every answered request against its AuditEvent; nothing is wrong where the list is empty."""
    found: dict[str, list[Any]] = defaultdict(list)
    shapes: dict[tuple[Any, ...], bytes] = {}
    for service, database in world.clinic.databases.items():
        async with database.transaction() as tx:
            for row in (await sql(tx, _ALL)).all():
                event = msgspec.json.decode(row.body)
                found[_request(event)].append(row)
                parts = [sorted(one) for name in ("agent", "entity") for one in event.get(name, ())]
                shapes[(service, row.outcome, event["action"], str(parts), "meta" in event)] = row.body
    wrong = [
        what for name, (cell, status) in asked.answers.items() for what in _wrong(found[name], cell, status)
    ]
    return wrong + [what for body in shapes.values() for what in await _invalid(body)]


def _wrong(events: list[Any], cell: Cell, status: int) -> list[str]:
    if len(events) != 1:
        return [f"{cell.name}: {len(events)} AuditEvents"]
    event = events[0]
    expected = ("0" if status < 400 else "4", cell.party)
    wrong = []
    if (event.outcome, event.client) != expected:
        wrong.append(f"{cell.name}: {event.outcome} by {event.client} instead of {expected}")
    if cell.patient is not None and status < 400 and event.patient_id != cell.patient:
        wrong.append(f"{cell.name}: about {event.patient_id} instead of {cell.patient}")
    if cell.secret and status >= 400 and cell.patient is None and event.patient_id is not None:
        wrong.append(f"{cell.name}: a refusal names a patient")
    return wrong


def _request(event: dict[str, Any]) -> str:
    for entity in event.get("entity", ()):
        if entity.get("type", {}).get("code") == "XrequestId":
            return str(entity["what"]["identifier"]["value"])
    return ""


async def _invalid(body: bytes) -> list[str]:
    try:
        await check.receive(body, allowed=("AuditEvent",))
    except Refusal as refusal:
        return [f"AuditEvent: {problem.expression}: {problem.text}" for problem in refusal.problems]
    return []
