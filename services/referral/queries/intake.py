"""What is known of a sending, in one look, under the locks that let one of many senders at once be the first.

Invariants:
- Whoever decides who carries an identifier, or which referral a sender's identifier names, holds its lock
  until the end of the transaction; locks are taken in one order.
- `directory_entry` tells which resource of a sender carries an identifier: the first, for good. Its names are
  locked only where one is missing, so that referrals of one practice do not wait for each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.referral.models.rows import Enclosure, Patient
from services.referral.models.submission import Submission
from shared.db import Transaction

# Resources about people and places, which one sender uses in many referrals.
DIRECTORY_TYPES = ("Practitioner", "PractitionerRole", "Organization")
_ABOUT_NOBODY = ("HealthcareService", "Location", "Medication")

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
_CARRIED = """
SELECT wanted.type, wanted.token, enclosure.id, enclosure.version, enclosure.patient_id
FROM unnest($2::text[], $3::text[]) AS wanted (type, token)
JOIN enclosure ON enclosure.requester = $1 AND enclosure.type = wanted.type
  AND enclosure.identifiers @> ARRAY[wanted.token]
ORDER BY enclosure.id
"""
# Without their bytes: a number may be carried by many, and who is meant is read again under the lock.
_CARRIERS = """
SELECT id, version, identifiers, family, given, birth_date, deceased, requester, replaced_by, found_by
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
    """Where a resource that was sent before stands, and with which patient it came, where it is about one.

    `several` others that this sender has sent carry the same identifier.
    """

    id: UUID
    version: int
    patient_id: UUID | None = None
    several: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The referral of the sender's identifiers, the patients of theirs, and what its conditions find."""

    sent_before: UUID | None
    patients: Sequence[Patient]
    placed: Mapping[Name, Placed]


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
    names = _names(submission)
    shared_names = [name for name in names if name[0] in DIRECTORY_TYPES]
    await _lock(tx, requester, [name for name in _put_names(submission) if name in shared_names])
    found = await _look(tx, requester, tokens, carried, shared_names)
    if missing := [name for name in shared_names if name not in found.placed]:
        await _lock(tx, requester, missing)
        found = await _look(tx, requester, tokens, carried, shared_names)
    others = [name for name in names if name not in shared_names]
    if others:
        await _lock(tx, requester, others)
        found = replace(found, placed={**found.placed, **await _carried(tx, requester, others)})
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
        placed=dict(_placed(text) for text in row["directory"]),
    )


async def _carried(tx: Transaction, requester: str, names: Sequence[Name]) -> dict[Name, Placed]:
    """Find the resources of a sender that carry these identifiers, of types that no directory holds."""
    kinds, named = [kind for kind, _ in names], [token for _, token in names]
    found: dict[Name, Placed] = {}
    for row in await tx.records(_CARRIED, requester, kinds, named):
        name = (row["type"], row["token"])
        patient_id = None if row["type"] in _ABOUT_NOBODY else row["patient_id"]
        first = Placed(row["id"], row["version"], patient_id)
        found[name] = replace(found[name], several=True) if name in found else first
    return found


async def _lock(tx: Transaction, requester: str, names: Sequence[Name]) -> None:
    await tx.lock_names([f"{requester}|{kind}|{token}" for kind, token in names])


def _placed(text: str) -> tuple[Name, Placed]:
    kind, _, rest = text.partition("|")
    token, enclosure_id, version = rest.rsplit("|", 2)
    return (kind, token), Placed(UUID(enclosure_id), int(version))


def _names(submission: Submission) -> list[Name]:
    """List what the conditions of a sending name: of its entries, and of references to what is not sent."""
    asked = [(piece.type, piece.if_none_exist or piece.update_where) for piece in submission.enclosures]
    asked += [(one.type, one.token) for one in submission.asked_references if one.type != "Patient"]
    return list(dict.fromkeys((kind, token) for kind, token in asked if token is not None))


def _put_names(submission: Submission) -> list[Name]:
    return [(piece.type, piece.update_where) for piece in submission.enclosures if piece.update_where]


def _sender_names(requester: str, tokens: Sequence[str]) -> list[str]:
    return [f"{requester}\x1f{token}" for token in tokens]
