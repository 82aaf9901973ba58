"""The border: what is read from outside is checked in five steps, and every problem is reported at once.

Steps 1 (limits), 2 (shape), 3 (bindings, reference targets, base invariants) and 5 (across a Bundle) are
here; step 4, what one service requires, is that service's own (`fhir.py`, `rules.py`).
"""

from collections.abc import Collection

from shared.fhir.received import Received

MAX_BYTES = 1024 * 1024
MAX_ENTRIES = 200
MAX_DEPTH = 64
MAX_PROBLEMS = 100


async def receive(body: bytes, *, allowed: Collection[str] | None = None) -> Received:
    """Check a body and give what it holds.

    `allowed` names the resource types that the door takes (None for every known one). Raises TooLarge (over a
    limit), Malformed (no FHIR JSON: bad UTF-8, no JSON, a member twice, NaN, too deep, unknown resourceType)
    or Invalid with every problem and its FHIRPath. Long work is done off the event loop.
    """
    raise NotImplementedError
