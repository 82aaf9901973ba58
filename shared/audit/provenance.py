"""Provenance of a decision: who decided what about which resource, when, by which rule or for which reason.

A service stores it beside the row that it is about; this file only renders it.
"""

from collections.abc import Sequence
from typing import Any

from shared.act import Act
from shared.audit.record import instant

_ACTIVITY = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_AGENT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def provenance(
    *targets: str,
    act: Act,
    activity: str = "UPDATE",
    reason: str | None = None,
    policy: str | None = None,
    sources: Sequence[str] = (),
) -> dict[str, Any]:
    """Render the Provenance of a decision about `targets` (references with their version).

    `activity` is a code of v3-DataOperation, `reason` says in words why, `policy` is the address of the rule
    that decided, `sources` are the references of what it was read from.
    """
    decided: dict[str, Any] = {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "occurredDateTime": instant(act.at),
        "recorded": instant(act.at),
        "activity": {"coding": [{"system": _ACTIVITY, "code": activity}]},
        "agent": [_agent(act)],
    }
    if reason is not None:
        decided["reason"] = [{"text": reason}]
    if policy is not None:
        decided["policy"] = [policy]
    if sources:
        decided["entity"] = [{"role": "source", "what": {"reference": source}} for source in sources]
    return decided


def _agent(act: Act) -> dict[str, Any]:
    kind = "assembler" if act.actor.reference.startswith("Device/") else "author"
    return {
        "type": {"coding": [{"system": _AGENT, "code": kind}]},
        "who": {"reference": act.actor.reference},
    }
