"""The caller: which registered client, which party of the clinic, and what its token allows.

Invariants:
- A Principal is made from a verified token and the client's entry in clinic.yaml; nothing else makes one.
- The party decides which rows are visible (the row scope), the scopes which kinds of act; neither widens the
  other.
"""

from dataclasses import dataclass
from typing import Literal

from shared.actor import Actor
from shared.auth.scopes import Scopes

PartyKind = Literal[
    "referrer", "insurer", "clinician", "coordinator", "operator", "privacy-officer", "patient"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller with a verified token.

    `organization` is the clinic.yaml id of a referring practice or a payer, `practitioner` the clinic.yaml id
    of a person (`Practitioner/<id>`), `site` the site a coordinator or clinician belongs to, `patient` the id
    of the Patient who calls; None where it does not apply. Nothing gives a patient a token yet. `session` is
    the id of a person's sign-in and `subject` says who it is, None for a system.
    """

    client: str
    party: PartyKind
    scopes: Scopes
    organization: str | None = None
    practitioner: str | None = None
    site: str | None = None
    patient: str | None = None
    session: str | None = None
    subject: str | None = None

    @property
    def actor(self) -> Actor:
        """The caller as the actor of an act."""
        if self.practitioner is not None:
            return Actor(reference=f"Practitioner/{self.practitioner}", client=self.client)
        if self.organization is not None:
            return Actor(reference=f"Organization/{self.organization}", client=self.client)
        return Actor(reference=f"Device/{self.client}", client=self.client)
