"""Who works with a clinic: payers and practices, the systems and people that sign in, and who is told."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shared.clinic.part import Email, Id, Part

SystemAndValue = Annotated[str, StringConstraints(pattern=r"^\S*\|\S+$")]


class Payer(Part):
    """An insurer; `identifiers` (system|value) are those by which a Coverage's payor is recognised.

    A visit that the patient calls off fewer than `late_cancel_hours` before it begins is a late cancellation;
    the unit of a session is then used where `late_cancel_uses_unit` says so.
    """

    id: Id
    name: str
    stream: Literal["workplace", "motor-vehicle", "private"]
    identifiers: tuple[SystemAndValue, ...] = Field(min_length=1)
    email: Email
    authorization_required: bool
    late_cancel_hours: int | None = Field(default=None, ge=1, le=168)
    late_cancel_uses_unit: bool = False


class Organization(Part):
    """A referring practice."""

    id: Id
    name: str
    identifiers: tuple[SystemAndValue, ...] = ()
    email: Email


class KeySet(Part):
    """A JWK Set (RFC 7517): the public keys with which a client signs its assertions."""

    keys: tuple[Mapping[str, Any], ...] = Field(min_length=1, max_length=100)


class Client(Part):
    """A registered client: a party's system, or (with `practitioner`) a person of the clinic.

    It may register the public keys with which it signs, `jwks` or `jwks_url` (https); where it does not, a
    key is made for it in the data folder.

    A referrer names its `organization`, an insurer its `payer`, a clinician a `practitioner`, a coordinator a
    `site` and an `email`. A clinician or coordinator who `overbooks` books a second visit beside another of
    the same clinician, with a reason. A privacy officer has the scopes of AuditEvent and no other.
    """

    id: Id
    party: Literal["referrer", "insurer", "clinician", "coordinator", "operator", "privacy-officer"]
    scopes: tuple[str, ...] = Field(min_length=1)
    organization: Id | None = None
    payer: Id | None = None
    practitioner: Id | None = None
    site: Id | None = None
    email: Email | None = None
    overbooks: bool = False
    jwks: KeySet | None = None
    jwks_url: str | None = None

    @property
    def has_own_keys(self) -> bool:
        """Tell whether it has registered its keys, so that none is made for it."""
        return self.jwks is not None or self.jwks_url is not None


class Webhook(Part):
    """A party's own system that is told of events: an insurer's (`payer`) or a referrer's (`organization`).

    `url` is https at a host of `webhook_hosts`; `events` are those that it wants, none means all that its
    party may hear. Its secret stands in the data folder, never here.
    """

    id: Id
    url: str
    payer: Id | None = None
    organization: Id | None = None
    events: tuple[str, ...] = ()

    @property
    def recipient(self) -> str:
        """Whose it is, as a reference."""
        return f"Organization/{self.payer or self.organization}"


class PersonMapping(Part):
    """Who of the clinic's own issuer acts as which client: one `subject`, or all with a claim of this value.

    A claim that is a list (`groups`) is meant where it holds the value.
    """

    client: Id
    subject: str | None = Field(default=None, min_length=1, max_length=255)
    claim: str | None = Field(default=None, min_length=1, max_length=255)
    value: str | None = Field(default=None, min_length=1, max_length=255)


class SignIn(Part):
    """The clinic's own OpenID issuer, by which its people sign in, and as whom each of them acts.

    The first mapping that fits counts. The secret of `client_id` is a setting (LUMBAR_SIGN_IN_SECRET), never
    here; without one the issuer has to know us as a public client.
    """

    issuer: str
    client_id: str = Field(min_length=1, max_length=255)
    scopes: tuple[str, ...] = ("openid", "profile")
    people: tuple[PersonMapping, ...] = Field(min_length=1)
