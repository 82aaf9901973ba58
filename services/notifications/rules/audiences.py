"""From an audience to recipients, and whether a recipient may still be told when the message goes out."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.notifications.rules.sending import LEFT_TEAM, NO_CONSENT
from services.notifications.rules.told import Audience, Channel, Told
from shared.clinic import Clinic
from shared.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
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


def messages(told: Told, standing: Standing, *, clinic: Clinic, first: bool) -> list[Message]:
    """Name the messages that a row of the table asks for, one for each recipient and channel.

    `first` is False for what concerns a single session of a series, which only the feed shows.
    """
    if not first:
        return []
    found = {
        recipient: Message(audience=audience, recipient=recipient, channel=Channel.EMAIL)
        for audience in reversed(told.email)
        for recipient in recipients(audience, standing, clinic=clinic)
    }
    return [found[recipient] for recipient in sorted(found)]


def recipients(audience: Audience, standing: Standing, *, clinic: Clinic) -> list[str]:
    """Name the recipients of one audience as references."""
    return sorted(set(_named(audience, standing, clinic=clinic)))


def _named(audience: Audience, standing: Standing, *, clinic: Clinic) -> Iterator[str]:
    match audience:
        case Audience.REFERRER if standing.requester is not None:
            yield f"Organization/{standing.requester}"
        case Audience.INSURER if standing.payer is not None and standing.consented:
            yield f"Organization/{standing.payer}"
        case Audience.COORDINATOR if standing.site is not None:
            yield from (f"Device/{client.id}" for client in clinic.coordinators(standing.site))
        case Audience.TEAM:
            yield from (f"Practitioner/{member}" for member in standing.team)
        case Audience.PARTICIPANTS:
            yield from (f"Practitioner/{one}" for one in standing.participants)
        case Audience.OWNER if standing.owner is not None:
            yield from _owners(standing.owner, standing, clinic=clinic)


def _owners(owner: str, standing: Standing, *, clinic: Clinic) -> Iterator[str]:
    if owner == f"Organization/{clinic.id}":
        yield from _named(Audience.COORDINATOR, standing, clinic=clinic)
    else:
        yield owner


def still_wanted(audience: Audience, recipient: str, standing: Standing) -> Reason | None:
    """Tell why a message must not go out any more, or None when it may."""
    if audience is Audience.TEAM and recipient.removeprefix("Practitioner/") not in standing.team:
        return LEFT_TEAM
    if audience is Audience.INSURER and not standing.consented:
        return NO_CONSENT
    return None


def address(recipient: str, *, clinic: Clinic) -> str | None:
    """Find the e-mail address of a recipient, None where clinic.yaml has none."""
    kind, _, wanted = recipient.partition("/")
    if kind == "Organization":
        offices = [(one.id, one.email) for one in clinic.organizations]
        offices += [(one.id, one.email) for one in clinic.payers]
        return dict(reversed(offices)).get(wanted)
    if kind == "Practitioner":
        return next((person.email for person in clinic.people if person.id == wanted), None)
    return next((client.email for client in clinic.clients if client.id == wanted), None)
