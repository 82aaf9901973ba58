"""From an audience to recipients, and whether a recipient may still be told when the message goes out."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.notifications.rules.delivery import LEFT_TEAM, NO_CONSENT
from services.notifications.rules.routing import Route
from services.notifications.states import Audience, Channel
from shared.clinic import Clinic
from shared.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Whom an event concerns, as far as it is known now.

    `requester`, `payer`, `team` and `participants` are ids of clinic.yaml, `owner` is the reference in
    Task.owner. `consented` says whether the patient's consent to the payer stands.
    """

    site: str | None = None
    requester: str | None = None
    team: frozenset[str] = frozenset()
    payer: str | None = None
    consented: bool = False
    owner: str | None = None
    participants: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to be sent: `recipient` is a reference."""

    audience: Audience
    recipient: str
    channel: Channel


def messages(route: Route, parties: Parties, *, clinic: Clinic, first: bool) -> list[Message]:
    """Name the messages that a row of the table asks for, one for each recipient and channel.

    `first` is False for what concerns a single session of a series, which only the feed shows.
    """
    if not first:
        return []
    found = {
        recipient: Message(audience=audience, recipient=recipient, channel=Channel.EMAIL)
        for audience in reversed(route.email)
        for recipient in recipients(audience, parties, clinic=clinic)
    }
    return [found[recipient] for recipient in sorted(found)]


def recipients(audience: Audience, parties: Parties, *, clinic: Clinic) -> list[str]:
    """Name the recipients of one audience as references."""
    return sorted(set(_named(audience, parties, clinic=clinic)))


def _named(audience: Audience, parties: Parties, *, clinic: Clinic) -> Iterator[str]:
    match audience:
        case Audience.REFERRER if parties.requester == clinic.id:
            # The patient has referred themselves: what a referrer is told, the coordinator tells them.
            yield from _named(Audience.COORDINATOR, parties, clinic=clinic)
        case Audience.REFERRER if parties.requester is not None:
            yield f"Organization/{parties.requester}"
        case Audience.INSURER if parties.payer is not None and parties.consented:
            yield f"Organization/{parties.payer}"
        case Audience.COORDINATOR if parties.site is not None:
            yield from (f"Device/{client.id}" for client in clinic.coordinators(parties.site))
        case Audience.TEAM:
            yield from (f"Practitioner/{member}" for member in parties.team)
        case Audience.PARTICIPANTS:
            yield from (f"Practitioner/{person}" for person in parties.participants)
        case Audience.OWNER if parties.owner is not None:
            yield from _owners(parties.owner, parties, clinic=clinic)


def _owners(owner: str, parties: Parties, *, clinic: Clinic) -> Iterator[str]:
    if owner == f"Organization/{clinic.id}":
        yield from _named(Audience.COORDINATOR, parties, clinic=clinic)
    else:
        yield owner


def still_wanted(audience: Audience, recipient: str, parties: Parties) -> Reason | None:
    """Tell why a message must not go out any more, or None when it may."""
    if audience is Audience.TEAM and recipient.removeprefix("Practitioner/") not in parties.team:
        return LEFT_TEAM
    if audience is Audience.INSURER and not parties.consented:
        return NO_CONSENT
    return None


def address(recipient: str, *, clinic: Clinic) -> str | None:
    """Find the e-mail address of a recipient, None where clinic.yaml has none."""
    kind, _, wanted = recipient.partition("/")
    if kind == "Organization":
        offices = [(organization.id, organization.email) for organization in clinic.organizations]
        offices += [(payer.id, payer.email) for payer in clinic.payers]
        return dict(reversed(offices)).get(wanted)
    if kind == "Practitioner":
        return next((person.email for person in clinic.people if person.id == wanted), None)
    return next((client.email for client in clinic.clients if client.id == wanted), None)
