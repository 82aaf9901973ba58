"""The referrer answers what was asked, or sends something late; the raw clock goes on."""

from collections.abc import Sequence

from services.referral import fhir, queries, rules
from services.referral.models.facts import Outcome
from services.referral.models.rows import Referral
from services.referral.models.submission import Piece
from services.referral.states import REOPENED_BY_AN_ANSWER, UNDECIDED, UNDER_CARE, State, Turn
from services.referral.use_cases import (
    find_duplicates,
    follow_consent,
    record,
    redirect,
    referral_file,
    request_authorization,
    triage,
)
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Invalid, Problem
from shared.events.catalog import referral as events
from shared.fhir import references, store
from shared.reasons import Reason

_PATIENT_MEMBERS = ("subject", "patient", "beneficiary", "for", "individual")


class NothingProvided(Invalid):
    """There is nothing in the call that a referral could take."""

    code = "required"


class AnotherPatientsResource(Invalid):
    """A resource is about somebody else."""


class Ended(Conflict):
    """The referral has ended; nothing is added to it."""


class AcknowledgeFirst(Conflict):
    """An emergency is a hard stop: nothing is added before the referrer has acknowledged it."""


async def run(ctx: Context, tx: Transaction, referral_id: str, *, pieces: Sequence[Piece]) -> Referral:
    """Store what was sent, triage again where no verdict stands, and follow the newest Consent.

    An answer to a decline, or to an emergency that was acknowledged, reopens the referral; what a person had
    asked or declined, a person reads. Raises Ended and AcknowledgeFirst where nothing can follow.
    """
    file = await referral_file.for_caller(ctx, tx, referral_id)
    reason = rules.acts.may_provide_information(ctx, file.referral)
    first = reason is not None and reason.code == "acknowledge-first"
    rules.steps.check(reason, refusal=AcknowledgeFirst if first else Ended)
    _check(pieces, file.referral)
    await _store(ctx, tx, pieces, file)
    changes, referral = Changes(ctx, file), file.referral
    person = rules.steps.answer_for_a_person(referral)
    _reopen(changes)
    referral.turn = Turn.CLINIC if referral.turn == Turn.REFERRER else referral.turn
    changes.announce(events.ReferralInformationProvided)
    if State(referral.state) in UNDECIDED:
        result = triage.judge(ctx, file)
        others = await find_duplicates.run(ctx, tx, referral)
        triage.decide(ctx, changes, result, open_referrals=others, person=person)
    elif State(referral.state) in UNDER_CARE:
        _late(ctx, changes)
    follow_consent.decide(ctx, changes)
    return await record.run(ctx, tx, changes)


def _reopen(changes: Changes) -> None:
    """Take a referral that waits for nobody back to the clinic."""
    if State(changes.referral.state) in REOPENED_BY_AN_ANSWER:
        changes.move(State.AWAITING_REVIEW, reason=[Reason.of("referrer-answered")], turn=Turn.CLINIC)


def _check(pieces: Sequence[Piece], referral: Referral) -> None:
    if not pieces:
        text = "what is provided: one parameter with a resource, or more"
        raise NothingProvided(text, expression="Parameters.parameter.resource")
    problems = []
    for index, piece in enumerate(pieces):
        where = f"Parameters.parameter[{index}].resource"
        if piece.type not in fhir.submission.ACCEPTED_TYPES or piece.type in ("Patient", "ServiceRequest"):
            text = f"a {piece.type} cannot be added to a referral"
            problems.append(Problem(text=text, code="not-supported", expression=where))
        for member in _PATIENT_MEMBERS:
            named = piece.data.get(member)
            if isinstance(named, dict) and _is_somebody_else(named, referral):
                text = "another patient than the referred one"
                problems.append(Problem(text=text, expression=f"{where}.{member}"))
    if problems:
        raise AnotherPatientsResource(problems=problems)


def _is_somebody_else(named: dict[str, object], referral: Referral) -> bool:
    parsed = references.parse(named)
    return parsed.type == "Patient" and parsed.id is not None and parsed.id != str(referral.patient_id)


async def _store(ctx: Context, tx: Transaction, pieces: Sequence[Piece], file: ReferralFile) -> None:
    """Store what was sent, and put it into the file."""
    referral = file.referral
    rows = []
    for piece in pieces:
        row = referral_file.enclosure_of(piece, referral)
        store.fill(row, piece.raw, at=ctx.at, overlay=_own_patient(piece, referral))
        rows.append(row)
    await tx.insert(*rows)
    await queries.intake.enter(tx, rows)
    file.add(rows)


def _own_patient(piece: Piece, referral: Referral) -> dict[str, object]:
    """Name our patient where the sender named him by an identifier."""
    return {
        member: {**named, "reference": f"Patient/{referral.patient_id}"}
        for member in ("subject", "patient", "beneficiary")
        if isinstance(named := piece.data.get(member), dict) and "reference" not in named
    }


def _late(ctx: Context, changes: Changes) -> None:
    """Act on what comes after acceptance: an emergency, or the Consent that lets the insurer be asked."""
    file, referral = changes.file, changes.referral
    facts = file.facts(ctx)
    verdict = rules.triage.triage(facts, on=file.today(ctx), clinic=ctx.clinic)
    if verdict.outcome is Outcome.EMERGENCY and not referral.unacknowledged:
        redirect.decide(ctx, changes, verdict=verdict)
        return
    if referral.payer is not None and referral.payer in facts.consents:
        referral.asked = [code for code in referral.asked if code != "consent"]
        request_authorization.decide(ctx, changes)
