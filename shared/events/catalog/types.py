"""What an event type is: declared once in the catalog, and nowhere else."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One row of the catalog.

    `name` is the bare ce_type, `topic` the topic of the publishing service, `focus` the FHIR type of the
    focus, `carries` the FHIR types that stand beside it, `emitted` one sentence that says who publishes it
    and when.
    """

    name: str
    topic: str
    focus: str
    emitted: str
    carries: tuple[str, ...] = field(default=())
    keyed_by: Literal["patient", "aggregate"] = "patient"
