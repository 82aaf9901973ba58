"""Tables of `portal`: who is signed in in which browser, and what a person had typed when a session ended.

Invariants:
- A browser holds a random id, the database only its hash; whoever reads the table can be nobody.
- Tokens and drafts are encrypted with a key that does not lie in the database.
- Nothing here is about care: it may be lost, and people sign in again. All times are machine time.
"""

from pydantic import AwareDatetime
from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Base(SQLModel, registry=registry()):
    """Metadata of the portal's database."""


class Session(SQLModel):
    """One person signed in in one browser.

    `id_hash` is the SHA-256 of the cookie's value, `subject` the issuer's `sub`, `tokens` what the token
    endpoint answered, encrypted. The access token is good until `machine_access_until`, the session ends at
    `machine_ends_at` if nothing is done.
    """

    __tablename__ = "session"

    id_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    subject: str
    name: str
    party: str
    client: str
    fhir_user: str | None = None
    tokens: bytes = Field(sa_type=LargeBinary)
    machine_access_until: AwareDatetime
    machine_ends_at: AwareDatetime


class SessionTable(Session, Base, table=True):
    """The table of sessions."""

    __table_args__ = (Index("session_by_end", "machine_ends_at"),)


class Draft(SQLModel):
    """What a person had typed into one page's form; `fields` are encrypted."""

    __tablename__ = "draft"

    subject: str = Field(primary_key=True)
    path: str = Field(primary_key=True)
    fields: bytes = Field(sa_type=LargeBinary)
    machine_kept_until: AwareDatetime


class DraftTable(Draft, Base, table=True):
    """The table of drafts."""

    __table_args__ = (Index("draft_by_end", "machine_kept_until"),)
