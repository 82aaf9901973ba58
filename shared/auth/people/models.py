"""Tables of the people who sign in: who was invited, their sessions, and what these are used by.

Invariants:
- What a browser or the portal holds (a code, a refresh token, an invitation) stands here as its SHA-256 mark.
- All times are machine time: no sign-in is simulated.
- A session is over once `machine_ended_at` stands; it is never opened again.
"""

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import Index, Text, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.auth.tables import METADATA
from shared.db.models import one_of
from shared.ids import new_id, new_undated_id


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
        Index("sign_in_session_by_person", "subject", "issuer"),
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


class InvitedPerson(SQLModel):
    """A person whom the clinic has invited; `id` is the subject, which stays what the login becomes.

    `login` is what the person types, folded; `password` is argon2id's own text, None until it is set.
    """

    id: UUID = Field(default_factory=new_undated_id, primary_key=True)
    login: str
    name: str
    client: str
    password: str | None = None
    machine_invited_at: AwareDatetime
    machine_removed_at: AwareDatetime | None = None


class InvitedPersonTable(InvitedPerson, IdentityBase, table=True):
    __tablename__ = "invited_person"
    __table_args__ = (
        Index(
            "one_person_of_a_login", "login", unique=True, postgresql_where=text("machine_removed_at IS NULL")
        ),
    )


class Invitation(SQLModel):
    """A link by which a person sets a password, once."""

    mark: bytes = Field(primary_key=True)
    person_id: UUID = Field(foreign_key="invited_person.id", ondelete="CASCADE", index=True)
    machine_expires_at: AwareDatetime


class InvitationTable(Invitation, IdentityBase, table=True):
    __tablename__ = "invitation"


class AttemptSubject(StrEnum):
    """Whose attempts are counted."""

    PERSON = "person"
    ADDRESS = "address"


class SignInAttempts(SQLModel):
    """How often somebody has tried a password in vain since a moment; `mark` is a login's or an address's."""

    subject: AttemptSubject = Field(primary_key=True, sa_type=Text)
    mark: bytes = Field(primary_key=True)
    failures: int
    machine_since: AwareDatetime = Field(index=True)


class SignInAttemptsTable(SignInAttempts, IdentityBase, table=True):
    __tablename__ = "sign_in_attempts"
    __table_args__ = (one_of("subject", AttemptSubject, name="sign_in_attempts_subject"),)


class SignInElsewhere(SQLModel):
    """A person on the way to the clinic's own issuer and back; `mark` is the state's, `browser` the cookie's.

    `request` is what the application has asked for, as it came.
    """

    mark: bytes = Field(primary_key=True)
    browser: bytes
    request: str
    nonce: str
    verifier: str
    machine_expires_at: AwareDatetime = Field(index=True)


class SignInElsewhereTable(SignInElsewhere, IdentityBase, table=True):
    __tablename__ = "sign_in_elsewhere"


class SignInEventKind(StrEnum):
    """What is recorded about people's sign-ins."""

    SIGNED_IN = "signed-in"
    REFUSED = "refused"
    ENDED = "ended"
    INVITED = "invited"
    PASSWORD_SET = "password-set"  # noqa: S105 - a word, no secret
    RESET = "reset"
    REMOVED = "removed"


class SignInEvent(SQLModel):
    """One thing that happened to a person's sign-in: who, how, from where, and why a session has ended."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    machine_at: AwareDatetime = Field(index=True)
    kind: SignInEventKind = Field(sa_type=Text)
    issuer: str | None = None
    subject: str | None = None
    client: str | None = None
    method: SignInMethod | None = Field(default=None, sa_type=Text)
    session_id: UUID | None = None
    end_reason: EndReason | None = Field(default=None, sa_type=Text)
    address: str | None = None


class SignInEventTable(SignInEvent, IdentityBase, table=True):
    __tablename__ = "sign_in_event"
    __table_args__ = (one_of("kind", SignInEventKind, name="sign_in_event_kind"),)
