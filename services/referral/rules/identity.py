"""When two descriptions are of one person; what does not fit is looked at by a person, never merged."""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.referral.models.facts import Demographics
from services.referral.models.rows import Patient, Referral
from shared.context import Context
from shared.reasons import Reason, Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecord:
    """A patient's record, and whether others were merged into it."""

    patient: Patient
    has_merged: bool = False


def same_person(known: Patient | Demographics, person: Demographics) -> bool:
    """Tell whether family name, given name and birth date are all stated on both sides and agree.

    Twins share a card, a family name and a birth date: a given name that is another one, or is missing,
    leaves it open who it is.
    """
    return all(_comparisons(known, person))


def contradicts(known: Patient | Demographics, person: Demographics) -> bool:
    """Tell whether something that both sides state is not the same."""
    return False in _comparisons(known, person)


def is_in_doubt(person: Demographics, *, before: Demographics, known: Patient, doubted: bool) -> bool:
    """Tell whether it is open who a corrected referral is about.

    It is where what is said now contradicts what the same sender said before and what the clinic knows; it is
    no longer where it agrees with the clinic again.
    """
    if not contradicts(known, person):
        return False
    return doubted or contradicts(before, person)


def completes(known: str | None, birth_date: str | None) -> bool:
    """Tell whether a birth date says more than what is known, and nothing else."""
    return (
        bool(birth_date) and birth_date != known and (not known or f"{birth_date}-".startswith(f"{known}-"))
    )


def are_one(patient: Patient | None, other: Patient | None) -> bool:
    """Tell whether two rows are one record, or records of one person."""
    if patient is None or other is None:
        return False
    return (patient.replaced_by or patient.id) == (other.replaced_by or other.id)


def are_two(patient_id: UUID, into: UUID) -> Reason | None:
    """Say why a record is not merged into itself; None where these are two."""
    return Reason.of("merge-record-into-another") if patient_id == into else None


def may_merge(_: Context, record: PatientRecord) -> Reason | None:
    """Allow it for a record that goes on, and into which no other was merged: of records no chain is made."""
    if (reason := why_replaced(record.patient)) is not None:
        return reason
    return Reason.of("record-has-merged") if record.has_merged else None


def may_unmerge(_: Context, record: PatientRecord) -> Reason | None:
    """Allow it for a record that was merged."""
    return Reason.of("record-not-merged") if record.patient.replaced_by is None else None


def may_correct(_: Context, record: PatientRecord) -> Reason | None:
    """Allow it for a record that goes on: of a merged one nothing is read any more."""
    return why_replaced(record.patient)


def why_replaced(patient: Patient) -> Reason | None:
    """Say into which record this one was merged; None where it goes on."""
    if patient.replaced_by is None:
        return None
    return Reason.of("record-is-merged", into=Reference(f"Patient/{patient.replaced_by}"))


def same_need(programme: str | None, others: Sequence[Referral]) -> Referral | None:
    """Return the first of the referrals that is for this programme, or of which one of both is not known."""
    for other in others:
        if None in (other.programme, programme) or other.programme == programme:
            return other
    return None


def _comparisons(known: Patient | Demographics, person: Demographics) -> Iterator[bool | None]:
    """Compare family name, given name and birth date; None for what one side does not state."""
    families = _plain(known.family), _plain(person.family)
    yield families[0] == families[1] if all(families) else None
    # Of several given names those that both sides state count, in their order.
    given = list(zip(map(_plain, known.given.split()), map(_plain, person.given.split()), strict=False))
    yield all(earlier == later for earlier, later in given) if given else None
    born = sorted((known.birth_date or "", person.birth_date or ""), key=len)
    # A year that agrees with a full date leaves the day open.
    agrees = f"{born[1]}-".startswith(f"{born[0]}-")
    yield None if not born[0] or (agrees and born[0] != born[1]) else agrees


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in decomposed.casefold() if letter.isalnum())


def has_another_value(tokens: Collection[str], *, known: Collection[str]) -> bool:
    """Tell whether identifiers (`system|value`) have another value of a known system, and none of these."""
    systems = {token.rpartition("|")[0] for token in known}
    return not set(tokens) & set(known) and any(token.rpartition("|")[0] in systems for token in tokens)
