"""Events that `referral` publishes: the closed loop with the referrer, and the insurer's authorization.

Every event about a referral carries the referral's Task (code `process-request`), whose `input` says
programme, stream, site, requester, times and due date (`shared.fhir.codes.TaskInput`). What an authorization
grants stands as Parameters beside the Claim, so that nobody else has to read review actions.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from shared.events.catalog import people, reading
from shared.events.catalog.reading import Bound
from shared.events.catalog.types import DomainEvent
from shared.events.topics import REFERRAL
from shared.fhir.codes import TaskInput
from shared.fhir.references import local_id
from shared.fhir.values import value_of
from shared.people import ChannelConsent, ContactPoint, KnownPerson


class ReferralEvent(DomainEvent, topic=REFERRAL, focus="ServiceRequest", carries=("Task",)):
    """What happened to a referral, as its Task says it.

    The properties raise KeyError where the Task does not say it: a programme is known from the verdict on.
    """

    @property
    def person(self) -> KnownPerson | None:
        """Who the patient is, None where the event does not carry them."""
        return next((people.person(patient) for patient in self.carried("Patient")), None)

    @property
    def programme(self) -> str:
        """The programme that the referral is for."""
        return str(self._inputs[TaskInput.PROGRAMME][0]["code"])

    @property
    def site(self) -> str:
        """The site that cares for it."""
        return str(self._inputs[TaskInput.SITE][0])

    @property
    def priority(self) -> str:
        """How soon the patient must be seen; what older versions sent is routine."""
        return str(self.carried("Task")[0].get("priority", "routine"))

    @property
    def requester(self) -> str:
        """The organisation that sent it."""
        named = self._inputs.get(TaskInput.REQUESTER) or [self.carried("Task")[0]["requester"]]
        return local_id(named[0])

    @property
    def payer(self) -> str | None:
        """The payer, None where it is not known."""
        return next(iter(self._inputs.get(TaskInput.PAYER, ())), None)

    @property
    def sent_at(self) -> datetime:
        """When it was sent: the raw clock of the guarantee."""
        return reading.moment(self._inputs[TaskInput.SENT_AT][0])

    @property
    def complete_at(self) -> datetime:
        """When nothing needed was missing any more: the adjusted clock."""
        return reading.moment(self._inputs[TaskInput.COMPLETE_AT][0])

    @property
    def due_on(self) -> date:
        """The local date by which the first appointment must be."""
        return date.fromisoformat(self._inputs[TaskInput.DUE_ON][0])

    @property
    def unavailable(self) -> tuple[tuple[Bound, Bound], ...]:
        """When the patient cannot come."""
        return tuple(reading.bounds_of(period) for period in self._inputs.get(TaskInput.UNAVAILABLE, ()))

    @cached_property
    def _inputs(self) -> dict[str, list[Any]]:
        return reading.inputs_of(self.carried("Task")[0])


class ReferralReceived(
    ReferralEvent,
    name="referral.received",
    carries=("Patient",),
    emitted="A referral that passed the border was stored.",
):
    """A referral is here."""

    @property
    def contact_points(self) -> list[ContactPoint]:
        """How to reach the patient."""
        return [point for patient in self.carried("Patient") for point in people.contact_points(patient)]


class ReferralEntered(
    ReferralEvent,
    name="referral.entered",
    emitted="A coordinator entered a referral that came by fax, telephone or letter, for its sender.",
):
    """The clinic has written a referral down for its sender."""


class ReferralTriaged(
    ReferralEvent,
    name="referral.triaged",
    emitted="The triage rules gave a verdict; the Task names the rule that fired.",
):
    """There is a verdict."""


class ReferralReviewNeeded(
    ReferralEvent, name="referral.review-needed", emitted="The rules leave the referral to a person."
):
    """A person must decide."""


class ReferralPatientReviewNeeded(
    ReferralEvent,
    name="referral.patient-review-needed",
    emitted="Who the patient is, or what a sender says newly of them, is to be looked at by the coordinator.",
):
    """A person must look at who the patient is."""


class ReferralAccepted(
    ReferralEvent,
    name="referral.accepted",
    carries=("Patient",),
    emitted="The rules or a coordinator accepted the referral.",
):
    """The clinic has said yes."""


class ReferralInformationRequested(
    ReferralEvent,
    name="referral.information-requested",
    emitted="Something needed is missing; the referrer's turn.",
):
    """The referrer is asked for something."""


class ReferralReminded(
    ReferralEvent,
    name="referral.reminded",
    emitted="A coordinator reminds the referrer of what was asked for and has not come.",
):
    """The referrer is told once more."""


class ReferralInformationProvided(
    ReferralEvent, name="referral.information-provided", emitted="The referrer answered what was asked."
):
    """The referrer has answered."""


class ReferralReferrerWrote(
    ReferralEvent,
    name="referral.referrer-wrote",
    carries=("Communication",),
    emitted="The referrer asks or answers something about the referral.",
):
    """The referrer says something; a Task says whether the clinic is to answer."""


class ReferralClinicWrote(
    ReferralEvent,
    name="referral.clinic-wrote",
    carries=("Communication",),
    emitted="Somebody of the clinic asks or answers something about the referral.",
):
    """The clinic says something; a Task says whether the referrer is to answer."""


class ReferralAnotherTimeRequested(
    ReferralEvent,
    name="referral.another-time-requested",
    emitted="The referrer says that the patient cannot come, and asks for another time.",
):
    """Another time is asked for; what is booked stands until the clinic moves it."""


class ReferralCorrected(
    ReferralEvent,
    name="referral.corrected",
    emitted="The sender sent the referral again with other content; the Task says what differs.",
):
    """The referral says something else than before."""


class ReferralDeclined(
    ReferralEvent,
    name="referral.declined",
    emitted="The rules or a coordinator declined the referral, with the reason.",
):
    """The clinic has said no."""


class ReferralRedirectedToEmergency(
    ReferralEvent,
    name="referral.redirected-to-emergency",
    emitted="An emergency red flag: never queued, the referrer must acknowledge.",
):
    """The patient goes to an emergency department."""


class ReferralEmergencyAcknowledged(
    ReferralEvent,
    name="referral.emergency-acknowledged",
    emitted="The referrer acknowledged the redirection.",
):
    """The referrer knows of the emergency."""


class ReferralEmergencyEscalated(
    ReferralEvent,
    name="referral.emergency-escalated",
    emitted="No acknowledgement in time: the coordinator telephones (second Task).",
):
    """Nobody has acknowledged the emergency in time."""


class ReferralTriageOverdue(
    ReferralEvent,
    name="referral.triage-overdue",
    emitted="No clinician has decided an urgent referral in time: every physician of the site is asked.",
):
    """An urgent referral waits too long."""


class ReferralOverdue(
    ReferralEvent,
    name="referral.overdue",
    emitted="A referral waits longer than the clinic's limit for an answer or a decision; again each limit. "
    "Or a nightly look found that nobody lets it go on; once while its Task, which says what, is open.",
):
    """Nobody has let a referral go on."""


class ReferralPriorityChanged(
    ReferralEvent,
    name="referral.priority-changed",
    emitted="The priority of an accepted referral is another one; the Task says which, and why.",
):
    """A patient must be seen sooner, or can wait longer."""


class ReferralDuplicateSuspected(
    ReferralEvent,
    name="referral.duplicate-suspected",
    emitted="New ids for a patient with an open referral: the coordinator's Task offers the merge.",
):
    """The same may have been sent twice."""


class ReferralMerged(
    ReferralEvent,
    name="referral.merged",
    emitted="A coordinator merged a duplicate into the first referral (Task.output names it).",
):
    """A duplicate has ended in the first referral."""


class ReferralRevoked(ReferralEvent, name="referral.revoked", emitted="The sender revoked the referral."):
    """The sender has taken the referral back."""


class ReferralClosed(
    ReferralEvent,
    name="referral.closed",
    emitted="A coordinator closed a referral that will not go on, with the reason.",
):
    """The referral will not go on."""


class ReferralCompleted(
    ReferralEvent,
    name="referral.completed",
    carries=("Composition",),
    emitted="The patient was discharged and the report stands in Task.output.",
):
    """The loop with the referrer is closed."""


class PatientChanged(
    DomainEvent,
    name="patient.changed",
    topic=REFERRAL,
    focus="Patient",
    emitted=(
        "What is known of a patient changed: who it is, how to reach them, by what, whether they live. "
        "Also when all patients are published again (`lumbar patients republish`)."
    ),
):
    """A patient is another now; `version` says which of two is the newer.

    Its extensions for consent to a channel are what the clinic has recorded, and nothing that a sender wrote.
    """

    @property
    def person(self) -> KnownPerson:
        """Who the patient is."""
        return people.person(self.focus)

    @property
    def contact_points(self) -> list[ContactPoint]:
        """How to reach them."""
        return people.contact_points(self.focus)

    @property
    def channel_consents(self) -> list[ChannelConsent]:
        """By what they may be written to or called."""
        return people.channel_consents(self.focus)

    @property
    def is_deceased(self) -> bool:
        """Whether the patient has died."""
        return bool(self.focus.get("deceasedBoolean") or self.focus.get("deceasedDateTime"))

    @property
    def replaced_by(self) -> str | None:
        """The id of the record that goes on, where this one was merged into it."""
        for link in self.focus.get("link", []):
            reference = str(link.get("other", {}).get("reference", ""))
            if link.get("type") == "replaced-by" and reference.startswith("Patient/"):
                return reference.removeprefix("Patient/")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What an authorization grants for one discipline, or for all; None where it sets no bound."""

    discipline: str | None = None
    units: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None


class AuthorizationEvent(DomainEvent, topic=REFERRAL, focus="Claim"):
    """What happened to an authorization."""

    @property
    def claim_id(self) -> str:
        """The id of the Claim."""
        return str(self.focus["id"])

    @property
    def insurer(self) -> str:
        """The insurer that is asked."""
        return local_id(self.focus["insurer"])

    @property
    def payer(self) -> str | None:
        """The payer that grants, None where the event does not say."""
        return next(iter(self._parameters.get("payer", ())), None)

    @property
    def status(self) -> str:
        """Where the authorization stands."""
        return str(next(iter(self._parameters.get("status", ())), self.type.rpartition(".")[2]))

    @property
    def grants(self) -> list[Grant]:
        """What is granted for each discipline, once each; one that names none is for all of them.

        What needs no grant, or is not decided yet, is granted without a bound.
        """
        found: dict[str | None, list[dict[str, Any]]] = {}
        for parts in self._parameters.get("grant", ()):
            said = {part["name"]: value_of(part) for part in parts}
            found.setdefault(said.get("discipline"), []).append(said)
        if not found and self.status in ("not-required", "requested", "pended"):
            return [Grant()]
        return [_merged(discipline, parts) for discipline, parts in found.items()]

    @cached_property
    def _parameters(self) -> dict[str, list[Any]]:
        return reading.parameters_of(self.carried("Parameters"))


class AuthorizationRequested(
    AuthorizationEvent,
    name="authorization.requested",
    carries=("Parameters",),
    emitted="The Claim was put on the insurer's work list.",
):
    """An insurer is asked."""


class AuthorizationPended(
    AuthorizationEvent,
    name="authorization.pended",
    carries=("ClaimResponse", "Parameters"),
    emitted="The insurer's newest ClaimResponse pends an item (review action A4).",
):
    """An insurer has not decided yet."""


class AuthorizationDecided(
    AuthorizationEvent,
    name="authorization.decided",
    carries=("ClaimResponse", "Parameters"),
    emitted="The insurer's newest ClaimResponse decides every item.",
):
    """An insurer has decided."""


class AuthorizationCancelled(
    AuthorizationEvent,
    name="authorization.cancelled",
    emitted="The referral ended, and its Claim with it.",
):
    """Nothing is asked of the insurer any more."""


class AuthorizationConsentWithdrawn(
    AuthorizationEvent,
    name="authorization.consent-withdrawn",
    emitted="The patient's consent ended: the insurer may no longer see the Claim.",
):
    """The insurer may no longer see the Claim."""


class AuthorizationConsentGiven(
    AuthorizationEvent,
    name="authorization.consent-given",
    emitted="The patient consented again: the insurer may see the Claim.",
):
    """The insurer may see the Claim again."""


def _merged(discipline: str | None, parts: list[dict[str, Any]]) -> Grant:
    periods = [part.get("period", {}) for part in parts]
    units = [part["units"] for part in parts if "units" in part]
    return Grant(
        discipline=discipline,
        units=sum(units) if units else None,
        starts_on=min((_day(period["start"]) for period in periods if "start" in period), default=None),
        ends_on=max((_day(period["end"]) for period in periods if "end" in period), default=None),
    )


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])
