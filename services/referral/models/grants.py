"""What was asked of an insurer and what it granted, free of FHIR."""

from dataclasses import dataclass
from datetime import date

from services.referral.states import Authorization


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedItem:
    """One item of a Claim: so many units of a service in a period."""

    sequence: int
    product: str
    units: int
    start: date
    end: date


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedItem:
    """The insurer's newest word on one item: `action` is the X12 306 code, `units` what it grants."""

    sequence: int
    action: str
    product: str
    units: int
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The insurer's word on a whole Claim."""

    status: Authorization
    items: tuple[GrantedItem, ...]
    reason: str | None = None
