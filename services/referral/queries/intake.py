"""What is known of a sending, in one look, under the locks that let one of many senders at once be the first.

Invariants:
- Whoever decides who carries an identifier, or which referral a sender's identifier names, holds its lock
  until the end of the transaction; locks are taken in one order.
- `directory_entry` tells which resource of a sender carries an identifier: the first, for good. Its names are
  locked only where one is missing, so that referrals of one practice do not wait for each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.referral.models.rows import Enclosure, Patient
from services.referral.models.submission import Submission
from shared.db import Transaction

# Resources about people and places, which one sender uses in many referrals.
DIRECTORY_TYPES = ("Practitioner", "PractitionerRole", "Organization")

_RECOGNISE = """
SELECT
  (SELECT referral_id FROM sender_identifier WHERE requester = $1 AND token = ANY($2::text[])
   ORDER BY referral_id LIMIT 1) AS sent_before,
  ARRAY(SELECT DISTINCT patient_id FROM patient_identifier WHERE token = ANY($3::text[])) AS patients,
  ARRAY(SELECT entry.type || '|' || entry.token || '|' || enclosure.id || '|' || enclosure.version
        FROM unnest($4::text[], $5::text[]) AS wanted (type, token)
        JOIN directory_entry AS entry
          ON entry.requester = $1 AND entry.type = wanted.type AND entry.token = wanted.token
        JOIN enclosure ON enclosure.id = entry.enclosure_id) AS directory
"""
# Without their bytes: a number may be carried by many, and who is meant is read again under the lock.
_CARRIERS = """
SELECT id, version, identifiers, family, given, birth_date, deceased, requester, replaced_by
FROM patient WHERE id = ANY($1::uuid[]) ORDER BY id
"""
_ENTER = """
INSERT INTO directory_entry (requester, type, token, enclosure_id) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""
_NAME = """
INSERT INTO sender_identifier (requester, token, referral_id)
SELECT $1, token, $2 FROM unnest($3::text[]) AS token ON CONFLICT DO NOTHING
"""

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a resource that was sent before stands."""

    id: UUID
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The referral of the sender's identifiers, the patients of theirs, and the directory's resources."""

    sent_before: UUID | None
    patients: Sequence[Patient]
    directory: Mapping[Name, Placed]


async def recognise(tx: Transaction, submission: Submission, *, requester: str) -> Recognised:
    """Lock what a sending names, and return what is known of it."""
    patient = submission.patient
    tokens = submission.request.identifiers
    carried = submission.patient_identifiers
    stated: tuple[str, ...] = ()
    if patient is not None:
        conditions = filter(None, (patient.if_none_exist, patient.update_where))
        stated = (*patient.identifiers, *conditions)
        carried = (*stated, *submission.replaced_by)
    await tx.lock_names([*_sender_names(requester, tokens), *stated])
    names = _directory_names(submission)
    found = await _look(tx, requester, tokens, carried, names)
    if missing := [name for name in names if name not in found.directory]:
        await tx.lock_names([f"{requester}|{kind}|{token}" for kind, token in missing])
        found = await _look(tx, requester, tokens, carried, names)
    return found


async def lock_sender_identifier(tx: Transaction, requester: str, token: str) -> None:
    """Let one transaction at a time decide which referral an identifier of this sender names."""
    await tx.lock_names(_sender_names(requester, [token]))


async def name_referral(tx: Transaction, referral_id: UUID, *, requester: str, tokens: Sequence[str]) -> None:
    """Put the sender's identifiers down for a referral; those that name another stay with it."""
    if tokens:
        await tx.run(_NAME, requester, referral_id, list(tokens))


async def enter(tx: Transaction, rows: Sequence[Enclosure]) -> None:
    """Put new resources into their sender's directory, under each identifier that nobody there carries."""
    entries = [
        (row.requester, row.type, token, row.id)
        for row in rows
        if row.type in DIRECTORY_TYPES
        for token in dict.fromkeys(row.identifiers)
    ]
    await tx.run_many(_ENTER, sorted(entries))


async def _look(
    tx: Transaction, requester: str, tokens: Sequence[str], carried: Sequence[str], names: Sequence[Name]
) -> Recognised:
    kinds, named = [kind for kind, _ in names], [token for _, token in names]
    [row] = await tx.records(_RECOGNISE, requester, list(tokens), list(carried), kinds, named)
    patients: Sequence[Patient] = ()
    if row["patients"]:
        patients = await tx.rows(Patient, _CARRIERS, row["patients"])
    return Recognised(
        sent_before=row["sent_before"],
        patients=patients,
        directory=dict(_placed(text) for text in row["directory"]),
    )


def _placed(text: str) -> tuple[Name, Placed]:
    kind, _, rest = text.partition("|")
    token, enclosure_id, version = rest.rsplit("|", 2)
    return (kind, token), Placed(UUID(enclosure_id), int(version))


def _directory_names(submission: Submission) -> list[Name]:
    asked = [(piece.type, piece.if_none_exist) for piece in submission.enclosures]
    return [(kind, token) for kind, token in asked if token is not None and kind in DIRECTORY_TYPES]


def _sender_names(requester: str, tokens: Sequence[str]) -> list[str]:
    return [f"{requester}\x1f{token}" for token in tokens]
