"""What triage reads (coded answers and dates, never text) and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from shared.fhir.start_back import StartBack
from shared.reasons import Reason


@dataclass(frozen=True, slots=True)
class Day:
    """A FHIR date: one day, or every day of a month or a year where no more was said."""

    earliest: date
    latest: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Demographics:
    """Who a sender describes: the parts of the name, and the birth date as it was written."""

    family: str = ""
    given: str = ""
    birth_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedConsent:
    """What a patient said about a channel, on which day (`date`), and who wrote it down and when.

    `channel` is a `shared.fhir.codes.ContactChannel`, `recorder` a reference, `recorded` an instant in UTC.
    """

    channel: str
    permitted: bool
    date: str
    recorder: str
    recorded: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageFact:
    """What a Coverage says about who pays: `kind` is its type code, `payer` the insurer of clinic.yaml."""

    element: str
    kind: str | None = None
    payer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that triage reads about one referral.

    `answers` and `days` hold the answered items of the Questionnaire by linkId, `elements` the FHIRPath of
    each thing that was read; what is not in them was not answered, which is not "no". `unread` are the items
    with an answer that says nothing known, or a day that cannot be. `says_what` tells whether it is said what
    the patient is sent for, `self_referred` whether they send themselves; `in_use` and `replaced` say of the
    patient's record whether it is kept up, and whether there is another one instead. `start_back` is the
    newest STarT Back tool that is complete.
    """

    birth_date: Day | None = None
    deceased: bool = False
    in_use: bool = True
    replaced: bool = False
    self_referred: bool = False
    programme: str | None = None
    says_what: bool = True
    answers: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[str, Day] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    coverages: tuple[CoverageFact, ...] = ()
    consents: frozenset[str] = frozenset()
    start_back: StartBack | None = None
    unavailable: tuple[tuple[date, date], ...] = ()
    elements: Mapping[str, str] = field(default_factory=dict)

    def element(self, link_id: str) -> str:
        """The FHIRPath of an answer, whether or not it was given."""
        return self.elements.get(link_id) or f"QuestionnaireResponse.item.where(linkId='{link_id}').answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that fired: its id, what it means, and the elements it read."""

    rule: str
    reasons: tuple[Reason, ...]
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that is needed and was not sent: its code, and where it belongs."""

    code: str
    element: str


class Outcome(StrEnum):
    """What triage decided."""

    EMERGENCY = "emergency"
    REVIEW = "review"
    DECLINE = "decline"
    ASK = "ask"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer of triage, with every rule that fired and everything that is missing.

    `same_day` is set where a person must look at it today, `urgent` where that is a clinician, `asked_after`
    holds what is asked for although the referral goes on.
    """

    outcome: Outcome
    findings: tuple[Finding, ...]
    stream: str | None = None
    payer: str | None = None
    programme: str | None = None
    missing: tuple[Missing, ...] = ()
    asked_after: tuple[Missing, ...] = ()
    same_day: bool = False
    urgent: bool = False

    @property
    def reasons(self) -> list[Reason]:
        """What the findings mean."""
        return [reason for finding in self.findings for reason in finding.reasons]
