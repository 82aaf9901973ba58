"""Who may sign in: an account says who a person is, by (issuer, subject), and as which client they act."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.auth.issuer import person_of
from shared.auth.people import texts
from shared.clinic import Client, Clinic


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who has proved who they are: `client` is the client of clinic.yaml as which they act.

    `password` is what is kept of the password by which they did, None for who needed none.
    """

    issuer: str
    subject: str
    client: str
    name: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPerson:
    """One of the people of the example, as whom anybody at this machine may sign in."""

    id: str
    name: str
    party: str
    discipline: str | None

    def account(self, issuer: str) -> Account:
        """Return the account; nobody who is invited ever has its subject."""
        return Account(issuer=issuer, subject=f"demo:{self.id}", client=self.id, name=self.name)


def demo_people(clinic: Clinic, *, locale: str) -> Iterator[DemoPerson]:
    """Make a demo person of every client of clinic.yaml, in its order."""
    for client in clinic.clients:
        person = clinic.person(client.practitioner) if client.practitioner is not None else None
        yield DemoPerson(
            id=client.id,
            name=name_of(clinic, client, locale=locale),
            party=client.party,
            discipline=person.discipline.value if person is not None else None,
        )


def name_of(clinic: Clinic, client: Client, *, locale: str) -> str:
    """Name whom a client stands for: a clinician, a practice, an insurer, or a part at a site."""
    if client.practitioner is not None:
        return clinic.name_of("Practitioner", client.practitioner) or client.practitioner
    if (organization := client.organization or client.payer) is not None:
        return clinic.name_of("Organization", organization) or organization
    party = texts.PARTIES[locale][client.party]
    return f"{party}, {clinic.site(client.site).name}" if client.site is not None else party


def fhir_user(client: Client) -> str:
    """Name a person as a FHIR reference: a Practitioner of the directory, else a Person of this clinic."""
    return person_of(client) or f"Person/{client.id}"
