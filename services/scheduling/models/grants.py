"""What a payer grants of sessions, as it is kept of its newest answer."""

from datetime import date

from pydantic import BaseModel


class GrantedSessions(BaseModel):
    """Sessions that are granted between two local days, both included; None sets no such bound.

    Without a discipline they are one grant for all of the programme's.
    """

    discipline: str | None = None
    units: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None
