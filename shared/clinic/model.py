"""The parts of a clinic, as clinic.yaml names them.

Wall-clock times and weekdays are those of the site's `time_zone`.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, StringConstraints

from shared.clinic.guarantee import GuaranteeTerms, Promise, terms_of
from shared.clinic.part import Id, Part, WallTime
from shared.clinic.scheduling import Scheduling
from shared.clinic.visits import Discipline, Equipment, Room, Sessions, Visit, VisitType
from shared.fhir.codes import Stream
from shared.fhir.start_back import Risk

Exclusion = Literal[
    "claim-workplace",
    "claim-motor",
    "claim-legal",
    "pregnancy",
    "chronic-multisite-pain",
    "opioid-dependency",
]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
SystemAndValue = Annotated[str, StringConstraints(pattern=r"^\S*\|\S+$")]


class Weekday(StrEnum):
    """Days of the week, in the order of date.weekday()."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"

    @property
    def number(self) -> int:
        """0 for Monday, as date.weekday() counts."""
        return list(Weekday).index(self)


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


class MeetingHour(Part):
    """The hour that a site keeps for its weekly case meeting; nothing is booked into it."""

    weekday: Weekday
    start: WallTime
    minutes: int = Field(ge=10, le=480)
    chair: Id


class Site(Part):
    """A place of care with its own time zone."""

    id: Id
    name: str
    time_zone: str
    closed: tuple[date, ...] = ()
    rooms: tuple[Room, ...] = Field(min_length=1)
    equipment: tuple[Equipment, ...] = ()
    meeting: MeetingHour

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)


class Hours(Part):
    """Weekly working hours of a person, and what they are for.

    What is left of them so many days ahead (`release_days`) is for other visits too.
    """

    days: tuple[Weekday, ...] = Field(min_length=1)
    start: WallTime = Field(alias="from")
    end: WallTime = Field(alias="to")
    purpose: tuple[Literal["first", "session"], ...] = Field(alias="for", default=("first", "session"))
    release_days: int | None = Field(ge=0, le=60, default=None)


class Absence(Part):
    """Local days on which a person is away, both included; from a time of the first, until one of the last.

    Without these times the whole of the first and of the last day is meant.
    """

    start: date = Field(alias="from")
    end: date = Field(alias="to")
    start_time: WallTime | None = Field(alias="from_time", default=None)
    end_time: WallTime | None = Field(alias="to_time", default=None)

    def covers(self, day: date) -> bool:
        """Tell whether the person is away for the whole of a local day."""
        begun = self.start < day or (self.start == day and self.start_time is None)
        return begun and (day < self.end or (self.end == day and self.end_time is None))


class Person(Part):
    """A clinician; `id` is the id of the Practitioner, `languages` are those spoken, such as `fr`."""

    id: Id
    family: str
    given: str
    discipline: Discipline
    site: Id
    email: Email
    languages: tuple[Language, ...] = ()
    hours: tuple[Hours, ...] = ()
    absences: tuple[Absence, ...] = ()


class Eligibility(Part):
    """Whom a programme is for, as criteria over coded answers; what is not named is no criterion.

    `pain_from_days` and `pain_to_months` count from the onset on the day of the referral, `recurrence_months`
    from the day on which the pain came back, `postpartum_days` from the birth. `exclude` names questions of
    the clinic's Questionnaire whose yes (of a claim: active, of pregnancy: pregnant) closes the programme.
    `payers` are the only ones for whom it is, none means any of its streams.
    """

    min_age: int = Field(ge=0, le=120, default=18)
    max_age: int | None = Field(ge=0, le=120, default=None)
    pain_from_days: int | None = Field(ge=1, default=None)
    pain_to_months: int | None = Field(ge=1, default=None)
    recurrence_months: int | None = Field(ge=1, default=None)
    postpartum_days: int | None = Field(ge=1, default=None)
    exclude: tuple[Exclusion, ...] = ()
    payers: tuple[Id, ...] = ()


# Of clinics that name one of the two sets that there were before criteria could be written.
_NAMED_ELIGIBILITY: Mapping[object, Mapping[str, object]] = {
    "adult": {},
    "rapid-access": {
        "pain_from_days": 42,
        "pain_to_months": 12,
        "recurrence_months": 12,
        "postpartum_days": 365,
        "exclude": (
            "claim-workplace",
            "claim-motor",
            "claim-legal",
            "pregnancy",
            "chronic-multisite-pain",
            "opioid-dependency",
        ),
    },
}


def _criteria(named: object) -> object:
    if not isinstance(named, str):
        return named
    if named not in _NAMED_ELIGIBILITY:
        raise ValueError(f"allowed are criteria, or one of {', '.join(map(str, _NAMED_ELIGIBILITY))}")
    return _NAMED_ELIGIBILITY[named]


class Programme(Part):
    """A programme of care; `streams` says for whom, the first programme of a stream is its default.

    `lead` is the discipline that decides about urgent referrals, that of the first visit unless it is named.
    `proposed_for` are the risks of the STarT Back tool for which it is proposed, `self_referral` says that
    patients may ask for it themselves. `visits` are what is booked beside the first visit and the sessions.
    """

    id: Id
    name: str
    streams: tuple[Stream, ...] = Field(min_length=1)
    eligibility: Annotated[Eligibility, BeforeValidator(_criteria)]
    proposed_for: tuple[Risk, ...] = ()
    self_referral: bool = False
    site: Id
    first: Visit
    sessions: Sessions | None = None
    visits: tuple[VisitType, ...] = ()
    team: tuple[Discipline, ...] = Field(min_length=1)
    weeks: int = Field(ge=1, le=52)
    lead: Discipline | None = None

    def is_open_to(self, stream: str, payer: str | None) -> bool:
        """Tell whether the programme is for a stream, and for who pays."""
        allowed = self.eligibility.payers
        return stream in self.streams and (not allowed or payer in allowed)

    def visit_type(self, name: str) -> VisitType | None:
        """Find a visit by its name, None where the programme has none of it."""
        return next((visit for visit in self.visits if visit.id == name), None)

    @property
    def lead_discipline(self) -> Discipline:
        """The discipline that decides about urgent referrals."""
        return self.lead or self.first.discipline


class Payer(Part):
    """An insurer; `identifiers` (system|value) are those by which a Coverage's payor is recognised."""

    id: Id
    name: str
    stream: Literal["workplace", "motor-vehicle", "private"]
    identifiers: tuple[SystemAndValue, ...] = Field(min_length=1)
    email: Email
    authorization_required: bool


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
        """Find a programme; raises KeyError."""
        return _by_id(self.programmes, programme_id)

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
