"""Referrals for the failure tests: the routine example, each of a patient and with a number of its own."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from deploy.demo.bundles import example

SYSTEM = "https://elm-street.example/referral"
ROUTINE = "01-rapid-access-routine.json"


def routine_referral(number: int) -> tuple[str, bytes]:
    """Make the `number`th referral, and give its sender's identifier as `system|value` with it."""
    bundle = json.loads(example(ROUTINE, at=datetime.now(UTC)))
    value = f"EK-{number:06d}"
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "ServiceRequest":
            resource["identifier"] = [{"system": SYSTEM, "value": value}]
        if resource["resourceType"] == "Patient":
            _another_person(entry, resource, number)
    return f"{SYSTEM}|{value}", json.dumps(bundle).encode()


def new_key() -> str:
    """Make an Idempotency-Key."""
    return str(uuid.uuid4())


def _another_person(entry: dict[str, Any], patient: dict[str, Any], number: int) -> None:
    card = f"{5_000_000_000 + number}"
    identifier = patient["identifier"][0]
    if "ifNoneExist" in entry.get("request", {}):
        entry["request"]["ifNoneExist"] = f"identifier={identifier['system']}|{card}"
    identifier["value"] = card
