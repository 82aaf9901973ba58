"""I1: nothing that was acknowledged is lost. I10: asked again with the same key, it is the same one thing."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from tests.failure.audit.evidence import Evidence
from tests.failure.history import Operation, Outcome
from tests.support.history import versions_of

# The id that a resource shows; that of its row is another one in the directory.
_SHOWN = "SELECT type, convert_from(body, 'UTF8')::json ->> 'id' AS id, version FROM ({}) AS every"


async def acknowledged(evidence: Evidence) -> AsyncIterator[str]:
    """Hold every answer that a client got against what is stored."""
    by_service: dict[str, list[Operation]] = defaultdict(list)
    for operation in evidence.history.operations:
        by_service[operation.service].append(operation)
    for service, operations in by_service.items():
        every = await versions_of(evidence.databases[service])
        stored = {
            (row["type"], row["id"], str(row["version"]))
            for row in await evidence.rows(service, _SHOWN.format(every))
        }
        answers = {
            (row["client"], row["key"]): (row["status"], bytes(row["body"]))
            for row in await evidence.rows(service, "SELECT client, key, status, body FROM idempotency")
        }
        for operation in operations:
            for finding in _wrong(operation, stored, answers):
                yield finding
    async for finding in _sent_once(evidence):
        yield finding


def _wrong(
    operation: Operation, stored: set[tuple[str, str, str]], answers: dict[tuple[str, str], tuple[int, bytes]]
) -> list[str]:
    if operation.outcome is not Outcome.ACKNOWLEDGED:
        return []
    what = f"{operation.method} {operation.path}"
    missing = [version for version in operation.versions() if version not in stored]
    found = [f"I1: {what} was acknowledged, and {'/'.join(version)} is not there" for version in missing]
    kept = answers.get((operation.party, operation.key))
    if kept is None:
        found.append(f"I1: {what} was acknowledged, and no answer is kept for its key")
    elif not _same_answer(kept, operation):
        found.append(f"I10: {what}, asked {operation.attempts} times, was answered otherwise than is kept")
    return found


def _same_answer(kept: tuple[int, bytes], operation: Operation) -> bool:
    return kept == (operation.status, operation.answer)


async def _sent_once(evidence: Evidence) -> AsyncIterator[str]:
    """Expect each sender's identifier at one referral at most, however often it was sent."""
    every = await versions_of(evidence.databases["referral"])
    first = f"SELECT id, body FROM ({every}) AS every WHERE type = 'ServiceRequest' AND version = 1"
    referrals = defaultdict(list)
    for row in await evidence.rows("referral", first):
        for token in _tokens(json.loads(bytes(row["body"]))):
            referrals[token].append(row["id"])
    for token in {one.identifier for one in evidence.history.operations if one.identifier}:
        if len(referrals[token]) > 1:
            yield f"I10: {token} is there {len(referrals[token])} times"
    there = {row["id"] for row in await evidence.rows("referral", "SELECT id::text AS id FROM referral")}
    for operation in evidence.history.operations:
        if operation.referral is not None and operation.referral not in there:
            yield f"I1: the acknowledged referral {operation.referral} is not there"


def _tokens(request: dict[str, Any]) -> list[str]:
    return [f"{one['system']}|{one['value']}" for one in request.get("identifier", ()) if "system" in one]
