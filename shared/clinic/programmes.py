"""The programmes of care of a clinic, and whom each is for."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from shared.clinic.courses import (
    Course,
    Phase,
    Reviews,
    Total,
    course_of_phases,
    course_of_sessions,
    course_of_total,
)
from shared.clinic.part import Id, Part
from shared.clinic.visits import Discipline, Sessions, Visit, VisitType
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
    What follows the first visit is said by `phases` with the `treatments` of each discipline, the `groups`
    that meet every week and the `reviews`, or by `sessions` of one discipline. A `total` bounds the sessions
    of a discipline; without phases it is spread over the weeks of the programme. A programme that had other
    ids keeps them in `formerly`: what was accepted or booked under them is its.
    """

    id: Id
    formerly: tuple[Id, ...] = ()
    name: str
    streams: tuple[Stream, ...] = Field(min_length=1)
    eligibility: Annotated[Eligibility, BeforeValidator(_criteria)]
    proposed_for: tuple[Risk, ...] = ()
    self_referral: bool = False
    site: Id
    first: Visit
    sessions: Sessions | None = None
    phases: tuple[Phase, ...] = ()
    total: Total | None = None
    treatments: tuple[Visit, ...] = ()
    groups: tuple[Id, ...] = ()
    reviews: Reviews | None = None
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
    def course(self) -> Course | None:
        """What follows the first visit, week by week; None where nothing does."""
        if self.phases:
            return course_of_phases(
                self.phases,
                total=self.total,
                treatments=self.treatments,
                groups=self.groups,
                reviews=self.reviews,
            )
        if self.total is not None:
            return course_of_total(self.total, weeks=self.weeks, treatments=self.treatments)
        return None if self.sessions is None else course_of_sessions(self.sessions)

    @property
    def is_intensive(self) -> bool:
        """Whether it takes whole days of a week, for which hours can be kept."""
        return any(phase.days is not None for phase in self.phases)

    @property
    def lead_discipline(self) -> Discipline:
        """The discipline that decides about urgent referrals."""
        return self.lead or self.first.discipline
