"""Referrals for the failure tests: the examples, each of a patient and with a number of its own."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from deploy.demo.bundles import example

ROUTINE = "01-rapid-access-routine.json"
# What each example's sender is called in clinic.yaml.
SENDERS = {"elm-street": "family-practice", "bayview": "second-practice"}


def routine_referral(number: int) -> tuple[str, bytes]:
    """Make the `number`th routine referral, and give its sender's identifier as `system|value` with it."""
    return a_referral(ROUTINE, number)


def a_referral(file: str, number: int, *, again: int = 0, died: bool = False) -> tuple[str, bytes]:
    """Make a referral of an example for the `number`th patient, and give its sender's identifier with it.

    `again` gives the same patient's referral another identifier, as a system does that sends it anew; `died`
    says that the patient has died.
    """
    bundle = json.loads(example(file, at=datetime.now(UTC)))
    token = ""
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "ServiceRequest":
            value = f"EK-{number:06d}" + (f"-{again}" if again else "")
            identifier = resource["identifier"][0] | {"value": value}
            resource["identifier"] = [identifier]
            token = f"{identifier['system']}|{value}"
        if resource["resourceType"] == "Patient":
            _another_person(entry, resource, number)
            resource |= {"deceasedBoolean": True} if died else {}
    return token, json.dumps(bundle).encode()


def sender_of(file: str) -> str:
    """Tell which practice sends an example."""
    text = example(file, at=datetime.now(UTC)).decode()
    return next(client for organization, client in SENDERS.items() if f'"{organization}"' in text)


def new_key() -> str:
    """Make an Idempotency-Key."""
    return str(uuid.uuid4())


def _another_person(entry: dict[str, Any], patient: dict[str, Any], number: int) -> None:
    card = f"{5_000_000_000 + number}"
    identifier = patient["identifier"][0]
    if "ifNoneExist" in entry.get("request", {}):
        entry["request"]["ifNoneExist"] = f"identifier={identifier['system']}|{card}"
    identifier["value"] = card
