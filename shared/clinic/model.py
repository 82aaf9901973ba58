"""The whole of a clinic, as clinic.yaml names it, with how long it lets things wait."""

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import TypeVar

from pydantic import Field

from shared.clinic.guarantee import GuaranteeTerms, Promise, terms_of
from shared.clinic.part import Email, Id, Part
from shared.clinic.parties import Client, Organization, Payer, SignIn, Webhook
from shared.clinic.programmes import Programme
from shared.clinic.scheduling import Scheduling
from shared.clinic.staff import Person, Site
from shared.clinic.visits import Discipline
from shared.fhir.start_back import Risk

PHYSICIANS = (Discipline.PHYSIATRY, Discipline.PAIN_MEDICINE)


class Emergency(Part):
    """How long the referrer has to acknowledge, and how often the coordinator is told after that."""

    acknowledge_within_minutes: int = Field(ge=1)
    escalate_every_minutes: int = Field(ge=1)


class UrgentTriage(Part):
    """How long the clinicians of the lead discipline have for an urgent referral, and how often more people
    are told after that.
    """

    within_hours: int = Field(ge=1, default=4)
    escalate_every_hours: int = Field(ge=1, default=1)


class Waiting(Part):
    """How long a referral may stand where it is before the coordinator is told.

    It waits for an answer of its sender, a decision of the clinic, what a visit that is over was, a care plan
    after the assessment (a discharge after the programme's weeks), or news of a booking; a question of the
    referrer for the clinic's answer.
    """

    information_days: int = Field(ge=1, default=14)
    review_hours: int = Field(ge=1, default=24)
    record_hours: int = Field(ge=1, default=24)
    plan_days: int = Field(ge=1, default=14)
    booking_days: int = Field(ge=1, default=2)
    answer_hours: int = Field(ge=1, default=24)


class Clinic(Part):
    """The whole of clinic.yaml.

    With `demo_people` anybody at the machine may sign in as any of its clients, which is for an example only.
    What it promises stands in `guarantee`; a clinic from before there were priorities has `promise` instead.
    """

    id: Id
    name: str
    email: Email
    promise: Promise | None = None
    stated_guarantee: GuaranteeTerms | None = Field(alias="guarantee", default=None)
    emergency: Emergency
    urgent_triage: UrgentTriage = UrgentTriage()
    waiting: Waiting = Waiting()
    scheduling: Scheduling = Scheduling()
    duplicate_window_days: int = Field(ge=1)
    review_weeks: tuple[int, ...] = Field(min_length=1)
    sites: tuple[Site, ...] = Field(min_length=1)
    people: tuple[Person, ...] = Field(min_length=1)
    programmes: tuple[Programme, ...] = Field(min_length=1)
    payers: tuple[Payer, ...] = ()
    organizations: tuple[Organization, ...] = Field(min_length=1)
    clients: tuple[Client, ...] = Field(min_length=1)
    webhooks: tuple[Webhook, ...] = ()
    webhook_hosts: tuple[str, ...] = ()
    demo_people: bool = False
    sign_in: SignIn | None = None

    @cached_property
    def guarantee(self) -> GuaranteeTerms:
        """By when a patient of each priority is seen; raises LookupError where the clinic does not say it."""
        if self.stated_guarantee is not None:
            return self.stated_guarantee
        if self.promise is None:
            raise LookupError("the clinic says neither guarantee nor promise")
        return terms_of(self.promise)

    def name_of(self, resource_type: str, id: str) -> str | None:
        """Return the name of what a reference such as `Location/gym` refers to, None for what is not here."""
        return next((name for known, name in self._names(resource_type) if known == id), None)

    def _names(self, resource_type: str) -> Iterator[tuple[str, str]]:
        match resource_type:
            case "Practitioner" | "PractitionerRole":
                yield from ((person.id, f"{person.given} {person.family}") for person in self.people)
            case "Organization":
                yield self.id, self.name
                yield from ((practice.id, practice.name) for practice in self.organizations)
                yield from ((payer.id, payer.name) for payer in self.payers)
            case "Location":
                for site in self.sites:
                    yield site.id, site.name
                    yield from ((room.id, room.name) for room in site.rooms)
            case "Device":
                yield from ((one.id, one.name) for site in self.sites for one in site.equipment)
            case "HealthcareService":
                yield from ((programme.id, programme.name) for programme in self.programmes)

    def site(self, site_id: str) -> Site:
        """Find a site; raises KeyError."""
        return _by_id(self.sites, site_id)

    def person(self, person_id: str) -> Person:
        """Find a person; raises KeyError."""
        return _by_id(self.people, person_id)

    def programme(self, programme_id: str) -> Programme:
        """Find a programme by the id that it has or had; raises KeyError."""
        found = self.known_programme(programme_id)
        if found is None:
            raise KeyError(programme_id)
        return found

    def known_programme(self, programme_id: str) -> Programme | None:
        """Find a programme by the id that it has or had; None where there is none."""
        by_its_own = next((one for one in self.programmes if one.id == programme_id), None)
        return by_its_own or next((one for one in self.programmes if programme_id in one.formerly), None)

    def proposed(self, risk: Risk, *, stream: str, payer: str | None) -> Programme | None:
        """Find the programme that is proposed for a risk, among those open to this stream and payer."""
        return next(
            (one for one in self.programmes if risk in one.proposed_for and one.is_open_to(stream, payer)),
            None,
        )

    def proposed_beside(self, risk: Risk, *, programme: Programme) -> Programme | None:
        """Find the programme that is proposed for a risk to who is in another one of the same streams.

        It is the programme itself where that is proposed for the risk.
        """
        if risk in programme.proposed_for:
            return programme
        return next(
            (
                one
                for one in self.programmes
                if risk in one.proposed_for and not set(one.streams).isdisjoint(programme.streams)
            ),
            None,
        )

    def payer(self, payer_id: str) -> Payer:
        """Find a payer; raises KeyError."""
        return _by_id(self.payers, payer_id)

    def organization(self, organization_id: str) -> Organization:
        """Find a referring practice; raises KeyError."""
        return _by_id(self.organizations, organization_id)

    def client(self, client_id: str) -> Client:
        """Find a registered client; raises KeyError."""
        return _by_id(self.clients, client_id)

    @property
    def clients_without_keys(self) -> tuple[str, ...]:
        """The ids of the clients that have registered no key: one is made for each."""
        return tuple(client.id for client in self.clients if not client.has_own_keys)

    def coordinators(self, site_id: str) -> tuple[Client, ...]:
        """The coordinators of a site."""
        return tuple(one for one in self.clients if one.party == "coordinator" and one.site == site_id)

    def clinicians(self, site_id: str, disciplines: Collection[Discipline]) -> list[str]:
        """The ids of the people of these disciplines at a site."""
        return [
            person.id for person in self.people if person.site == site_id and person.discipline in disciplines
        ]


Named = TypeVar("Named", Site, Person, Programme, Payer, Organization, Client)


def _by_id(things: tuple[Named, ...], wanted: str) -> Named:
    for thing in things:
        if thing.id == wanted:
            return thing
    raise KeyError(wanted)
