"""Links by which a calendar program reads the days of one clinician or one room."""

from uuid import UUID

from pydantic import AwareDatetime
from sqlmodel import Field, SQLModel

from shared.ids import new_id


class CalendarLink(SQLModel):
    """A link to a calendar: of its secret only the SHA-256 is kept, in `mark`.

    It shows the days of a `practitioner` or those of a `room`, in the words of a `language` (en or fr), until
    it is revoked.
    """

    __tablename__ = "calendar_link"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    mark: bytes = Field(unique=True)
    site: str
    practitioner: str | None = None
    room: str | None = None
    language: str
    made_by: str
    made_at: AwareDatetime
    revoked_at: AwareDatetime | None = None

    @property
    def shows(self) -> tuple[str, str]:
        """The type and the id of whose days it shows."""
        return ("Practitioner", self.practitioner) if self.practitioner else ("Location", str(self.room))
