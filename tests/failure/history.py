"""What the clients did and what they know: every write as acknowledged, failed or unknown.

Invariants:
- `acknowledged`: a 2xx answer came. `failed`: a 4xx answer came, nothing was done. `unknown`: it was sent,
  no answer came (or a 5xx, which says as little), and the client gave up asking.
- A client asks again with the same Idempotency-Key; `lost` counts the askings that nobody answered.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from shared.clock import monotonic


class Outcome(StrEnum):
    """What a client knows of what it asked for."""

    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(kw_only=True)
class Operation:
    """One write; `identifier` is the sender's own `system|value` of a new referral."""

    party: str
    method: str
    path: str
    key: str
    identifier: str | None = None
    outcome: Outcome = Outcome.UNKNOWN
    status: int | None = None
    answer: bytes = field(default=b"", repr=False)
    attempts: int = 0
    lost: int = 0

    @property
    def service(self) -> str:
        """The service that was asked."""
        return self.path.split("/")[1]

    @property
    def referral(self) -> str | None:
        """The id of the referral that an acknowledged sending was told."""
        found = [one for one in self.versions() if one[0] == "ServiceRequest"]
        return found[0][1] if self.identifier is not None and found else None

    def versions(self) -> list[tuple[str, str, str]]:
        """Name the resource versions that the answer promises: type, id, version."""
        if self.outcome is not Outcome.ACKNOWLEDGED or not self.answer:
            return []
        resource: dict[str, Any] = msgspec.json.decode(self.answer)
        if resource.get("type") == "transaction-response":
            return [_version(entry["response"]["location"]) for entry in resource["entry"]]
        if "id" not in resource or "versionId" not in resource.get("meta", {}):
            return []
        return [(resource["resourceType"], resource["id"], resource["meta"]["versionId"])]


@dataclass(frozen=True, kw_only=True)
class Asking:
    """One request and how it ended: `status` is None where no answer came."""

    at: float
    seconds: float
    ingest: bool
    status: int | None
    retry_after: bool = False


@dataclass(kw_only=True)
class History:
    """All writes, all askings (reads too), what a story found wrong by itself, and the letters that arrived.

    `unfinished` says why a story did not reach its end, which is no fault by itself: somebody has the time
    that was wanted, a client gave up.
    """

    operations: list[Operation] = field(default_factory=list)
    askings: list[Asking] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    stories: Counter[str] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: Outcome) -> int:
        """Count the operations that ended so."""
        return sum(operation.outcome is outcome for operation in self.operations)

    @property
    def lost(self) -> int:
        """Count the askings of writes that were left without an answer."""
        return sum(operation.lost for operation in self.operations)

    def absorb(self, other: "History") -> None:
        """Know also what another history knows; its letters are counted anew anyway."""
        self.operations += other.operations
        self.askings += other.askings
        self.complaints += other.complaints
        self.unfinished += other.unfinished
        self.stories += other.stories

    def availability(self, since: float, until: float | None = None) -> float:
        """Tell which share of the referrals sent in a span of monotonic time was answered without a 5xx."""
        end = monotonic() if until is None else until
        sent = [one for one in self.askings if one.ingest and since <= one.at < end]
        answered = sum(one.status is not None and one.status < 500 for one in sent)
        return answered / len(sent) if sent else 1.0


def _version(location: str) -> tuple[str, str, str]:
    parts = location.split("/")
    at = parts.index("_history")
    return parts[at - 2], parts[at - 1], parts[at + 1]
