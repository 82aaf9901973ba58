"""All that is known about a referral, loaded once for a verb: what came with it, its Tasks, its Claims."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from services.referral import fhir, queries
from services.referral.models.facts import Facts
from services.referral.models.rows import Claim, Enclosure, Patient, Referral, Task
from services.referral.models.submission import Piece
from shared.clinic import Clinic
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, NotFound
from shared.fhir.search_values import as_uuid
from shared.reasons import Reason, as_written

Resource = Mapping[str, Any]


class NoReason(Invalid):
    """An act that ends or refuses something says why."""

    code = "required"


@dataclass(slots=True, kw_only=True)
class ReferralFile:
    """A referral with its decoded resources and its rows.

    `before` is the referral as the database has it, None for one that is new; `patient_data` is the patient
    as its sender describes them, `died_elsewhere` says that another record of the person knows of a death;
    `known` holds the resources by what others call them; `sent_task` is what the sender's own Task says;
    `work` are the open Tasks of people. `passed` are
    the states in which it stood for a moment only, since it has `moved` on: each is a version of its Task, so
    that no step is skipped.
    """

    referral: Referral
    before: Referral | None
    patient: Patient | None = None
    patient_data: Resource = field(default_factory=dict)
    died_elsewhere: bool = False
    request: Resource = field(default_factory=dict)
    enclosures: Sequence[tuple[Enclosure, Resource]] = ()
    known: Mapping[str, Resource] = field(default_factory=dict)
    process_task: Task | None = None
    sent_task: Resource = field(default_factory=dict)
    work: list[Task] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    moved: bool = False
    passed: list[Referral] = field(default_factory=list)
    facts_of_day: dict[date, Facts] = field(default_factory=dict)

    @property
    def patient_died(self) -> bool:
        """Whether the patient is known to have died."""
        return self.died_elsewhere or (self.patient is not None and self.patient.deceased)

    def today(self, ctx: Context) -> date:
        """Return the day on the wall of the referral's site."""
        return local_day(ctx.at, site=self.referral.site, clinic=ctx.clinic)

    def facts(self, ctx: Context) -> Facts:
        """Return the coded facts of today, which are read once."""
        today = self.today(ctx)
        if today not in self.facts_of_day:
            self.facts_of_day[today] = fhir.facts.read(
                patient=self.patient_data,
                deceased=self.patient_died,
                self_referred=self.referral.self_referred,
                request=self.request,
                enclosures=[data for _, data in self.enclosures],
                known=self.known,
                clinic=ctx.clinic,
                on=today,
            )
        return self.facts_of_day[today]

    def add(self, rows: Sequence[Enclosure]) -> None:
        """Take in what was sent later; the facts are read anew."""
        added = [(row, decoded(row.body)) for row in rows]
        self.enclosures = [*self.enclosures, *added]
        self.known = {**self.known, **{f"{row.type}/{row.id}": data for row, data in added}}
        self.facts_of_day.clear()


def enclosure_of(piece: Piece, referral: Referral) -> Enclosure:
    """Make the row of what came with a referral."""
    status = piece.data.get("status")
    return Enclosure(
        type=piece.type,
        referral_id=referral.id,
        patient_id=referral.patient_id,
        requester=referral.requester,
        identifiers=list(piece.identifiers),
        status=status if isinstance(status, str) else None,
    )


def of_the_clinic(resource_type: str, referral: Referral, *, clinic: Clinic) -> Enclosure:
    """Make the row of what the clinic keeps with a referral for itself: its sender does not see it."""
    return Enclosure(
        type=resource_type,
        referral_id=referral.id,
        patient_id=referral.patient_id,
        requester=clinic.id,
    )


def words_said(said: Mapping[str, Any]) -> list[Reason]:
    """Return what a person said with an act that needs no reason."""
    words = str(said.get("reason") or "").strip()
    return [as_written(words)] if words else []


def needed_reason(reason: Any) -> str:
    """Return the reason of an act; raises NoReason."""
    if isinstance(reason, str) and reason.strip():
        return reason.strip()
    raise NoReason("a reason is needed", expression="Parameters.parameter.where(name='reason')")


def local_day(at: datetime, *, site: str, clinic: Clinic) -> date:
    """Return the date that the clock on the site's wall shows."""
    return at.astimezone(clinic.site(site).zone).date()


async def for_caller(
    ctx: Context, tx: Transaction, referral_id: str, *, expression: str | None = None
) -> ReferralFile:
    """Lock a referral that the caller may see, and load its file; raises NotFound.

    `expression` is the element of the body that names it, where that is not the address.
    """
    found = await queries.referrals.visible_to(tx, ctx.caller, referral_id, lock=True)
    if found is None:
        raise NotFound(f"there is no ServiceRequest {referral_id}", expression=expression)
    return await load(tx, found)


async def locked(tx: Transaction, referral_id: UUID) -> ReferralFile | None:
    """Lock a referral and load its file, None where there is none."""
    found = await queries.referrals.locked(tx, referral_id)
    return None if found is None else await load(tx, found)


async def load(tx: Transaction, referral: Referral) -> ReferralFile:
    """Load the file of a locked referral."""
    rows = await queries.enclosures.of_referral(tx, referral.id)
    enclosures = [(row, decoded(row.body)) for row in rows]
    known = {f"{row.type}/{row.id}": data for row, data in enclosures}
    for row in await queries.enclosures.by_id(tx, _missing_organizations(enclosures, known)):
        known[f"{row.type}/{row.id}"] = decoded(row.body)
    patient = await queries.patients.by_id(tx, referral.patient_id)
    if patient is None:
        raise LookupError(f"referral {referral.id} has no patient")
    return ReferralFile(
        referral=referral,
        before=referral.model_copy(),
        patient=patient,
        patient_data=await patient_as_sent(tx, patient, referral.requester),
        died_elsewhere=await died_elsewhere(tx, patient),
        request=decoded(referral.body),
        enclosures=enclosures,
        known=known,
        process_task=await queries.tasks.process_of(tx, referral.id),
        work=await queries.tasks.open_work(tx, referral.id),
        claims=await queries.claims.of_referral(tx, referral.id),
    )


async def patient_as_sent(tx: Transaction, patient: Patient, requester: str) -> Resource:
    """Read a patient as a sender has described them: its referrals are triaged by its own words.

    Where it never has, by the clinic's; that the clinic merged a record says nothing of the person.
    """
    own = None
    if patient.requester != requester:
        own = await queries.patients.source_record(tx, patient.id, requester)
    data = decoded(patient.body if own is None else own.body)
    if patient.replaced_by is None or own is not None:
        return data
    return {name: value for name, value in data.items() if name not in ("active", "link")}


async def died_elsewhere(tx: Transaction, patient: Patient) -> bool:
    """Tell whether another record of the person knows of a death."""
    if patient.replaced_by is None and b'"replaces"' not in patient.body:
        return False
    return any(record.deceased for record in await queries.patients.records(tx, patient.id))


def decoded(body: bytes) -> Resource:
    """Decode a stored resource."""
    return msgspec.json.decode(body, type=dict[str, Any])


def _missing_organizations(
    enclosures: Sequence[tuple[Enclosure, Resource]], known: Mapping[str, Resource]
) -> list[UUID]:
    named = [
        reference["reference"]
        for _, data in enclosures
        for reference in [
            *data.get("payor", []),
            *(actor.get("reference", {}) for actor in data.get("provision", {}).get("actor", [])),
        ]
        if isinstance(reference.get("reference"), str)
    ]
    ids = [
        as_uuid(text.removeprefix("Organization/"))
        for text in named
        if text.startswith("Organization/") and text not in known
    ]
    return [found for found in ids if found is not None]
