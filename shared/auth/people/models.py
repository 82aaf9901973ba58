"""Tables of the people who sign in: their sessions, and the codes and refresh tokens by which these are used.

Invariants:
- What a browser or the portal holds (a code, a refresh token, an invitation) stands here as its SHA-256 mark.
- All times are machine time: no sign-in is simulated.
- A session is over once `machine_ended_at` stands; it is never opened again.
"""

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import Index, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.auth.tables import METADATA
from shared.db.models import one_of
from shared.ids import new_undated_id


class IdentityBase(SQLModel, registry=registry(metadata=METADATA)):
    """Metadata of the identity database."""


class SignInMethod(StrEnum):
    """How a person has proved who they are."""

    DEMO = "demo"
    PASSWORD = "password"  # noqa: S105 - a word, no secret
    CLINIC_ISSUER = "clinic-issuer"


class EndReason(StrEnum):
    """Why a session was ended before its time."""

    SIGNED_OUT = "signed-out"
    CODE_REPLAYED = "code-replayed"
    TOKEN_REUSED = "token-reused"  # noqa: S105 - a word, no secret
    PERSON_REMOVED = "person-removed"
    PASSWORD_RESET = "password-reset"  # noqa: S105 - a word, no secret
    NO_DEMO_PEOPLE = "no-demo-people"


class SignInSession(SQLModel):
    """One sign-in of a person at an application.

    `issuer` and `subject` say who it is, `client` is the client of clinic.yaml whose party the person acts
    for, `application` the registered public client, `scope` what its access tokens hold. `secret` is the key
    from which each refresh token's successor is made.
    """

    id: UUID = Field(default_factory=new_undated_id, primary_key=True)
    issuer: str
    subject: str
    client: str
    application: str
    name: str
    locale: str
    method: SignInMethod = Field(sa_type=Text)
    scope: str
    secret: bytes
    machine_began_at: AwareDatetime
    machine_last_act_at: AwareDatetime
    machine_ended_at: AwareDatetime | None = None
    end_reason: EndReason | None = Field(default=None, sa_type=Text)


class SignInSessionTable(SignInSession, IdentityBase, table=True):
    __tablename__ = "sign_in_session"
    __table_args__ = (
        Index("sign_in_session_by_person", "issuer", "subject"),
        Index("sign_in_session_by_begin", "machine_began_at"),
        one_of("method", SignInMethod, name="sign_in_session_method"),
        one_of("end_reason", EndReason, name="sign_in_session_end_reason"),
    )


class AuthorizationCode(SQLModel):
    """A code on its way from the browser to the application; it is used once."""

    mark: bytes = Field(primary_key=True)
    session_id: UUID = Field(foreign_key="sign_in_session.id", ondelete="CASCADE", index=True)
    redirect_uri: str
    code_challenge: str
    nonce: str | None = None
    machine_expires_at: AwareDatetime
    machine_used_at: AwareDatetime | None = None


class AuthorizationCodeTable(AuthorizationCode, IdentityBase, table=True):
    __tablename__ = "authorization_code"


class RefreshToken(SQLModel):
    """One of the refresh tokens of a session, each the successor of the one before."""

    mark: bytes = Field(primary_key=True)
    session_id: UUID = Field(foreign_key="sign_in_session.id", ondelete="CASCADE", index=True)
    machine_used_at: AwareDatetime | None = None


class RefreshTokenTable(RefreshToken, IdentityBase, table=True):
    __tablename__ = "refresh_token"
