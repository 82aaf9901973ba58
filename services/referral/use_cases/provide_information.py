"""The referrer answers what was asked, or sends something late; the raw clock goes on."""

from collections.abc import Sequence

from services.referral import fhir, queries, rules
from services.referral.models import Enclosure, Finding, Outcome, Piece, Referral
from services.referral.states import REOPENED_BY_AN_ANSWER, TERMINAL, UNDECIDED, UNDER_CARE, State, Turn
from services.referral.use_cases.consent import follow_consent
from services.referral.use_cases.emergency import redirect
from services.referral.use_cases.gathering import Gathered, facts_of, gather, local_day
from services.referral.use_cases.recording import announce, keep_task, load_referral, move
from services.referral.use_cases.request_authorization import request_authorization
from services.referral.use_cases.triage_referral import triage_referral
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, Invalid, Problem
from shared.events.catalog import referral as events
from shared.fhir import references, store

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


async def provide_information(
    ctx: Context, tx: Transaction, referral_id: str, *, pieces: Sequence[Piece]
) -> Referral:
    """Store what was sent, triage again where no verdict stands, and follow the newest Consent.

    An answer to a decline, or to an emergency that was acknowledged, reopens the referral. Raises Ended and
    AcknowledgeFirst where nothing can follow from an answer.
    """
    referral = await load_referral(ctx, tx, referral_id)
    _check_open(referral)
    _check(pieces, referral)
    for piece in pieces:
        await _store(ctx, tx, piece, referral)
    await tx.flush()
    gathered = await gather(tx, referral)
    person = await _reopen(ctx, tx, referral)
    referral.turn = Turn.CLINIC if referral.turn == Turn.REFERRER else referral.turn
    task = await keep_task(ctx, tx, referral)
    announce(ctx, tx, events.ReferralInformationProvided, referral, task)
    if State(referral.state) in UNDECIDED:
        await triage_referral(ctx, tx, referral, gathered, person=person)
    elif State(referral.state) in UNDER_CARE:
        await _late(ctx, tx, referral, gathered)
    await follow_consent(ctx, tx, referral, gathered)
    return referral


def _check_open(referral: Referral) -> None:
    state = State(referral.state)
    if state in TERMINAL:
        raise Ended(f"the referral is {state}", expression="ServiceRequest")
    if state is State.EMERGENCY_REDIRECTED:
        text = "the patient was sent to an emergency department: $acknowledge comes first"
        raise AcknowledgeFirst(text, expression="ServiceRequest")


async def _reopen(ctx: Context, tx: Transaction, referral: Referral) -> Finding | None:
    """Take a referral that waits for nobody back to the clinic; tell why a person must then decide."""
    before = State(referral.state)
    if before not in REOPENED_BY_AN_ANSWER:
        return None
    person = rules.answer_for_a_person(referral)
    reason = "The referrer answered; the clinic looks at the referral again."
    await move(ctx, tx, referral, State.AWAITING_REVIEW, reason=reason, turn=Turn.CLINIC, name="reopening")
    return person


def _check(pieces: Sequence[Piece], referral: Referral) -> None:
    if not pieces:
        text = "what is provided: one parameter with a resource, or more"
        raise NothingProvided(text, expression="Parameters.parameter.resource")
    problems = []
    for index, piece in enumerate(pieces):
        where = f"Parameters.parameter[{index}].resource"
        if piece.type not in fhir.ACCEPTED_TYPES or piece.type in ("Patient", "ServiceRequest"):
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


async def _store(ctx: Context, tx: Transaction, piece: Piece, referral: Referral) -> None:
    status = piece.data.get("status")
    row = Enclosure(
        type=piece.type,
        referral_id=referral.id,
        patient_id=referral.patient_id,
        requester=referral.requester,
        identifiers=list(piece.identifiers),
        status=status if isinstance(status, str) else None,
    )
    queries.enter(tx, row)
    await store.put(tx, row, piece.raw, at=ctx.at, overlay=_own_patient(piece, referral))


def _own_patient(piece: Piece, referral: Referral) -> dict[str, object]:
    """Name our patient where the sender named him by an identifier."""
    return {
        member: {**named, "reference": f"Patient/{referral.patient_id}"}
        for member in ("subject", "patient", "beneficiary")
        if isinstance(named := piece.data.get(member), dict) and "reference" not in named
    }


async def _late(ctx: Context, tx: Transaction, referral: Referral, gathered: Gathered) -> None:
    """Act on what comes after acceptance: an emergency, or the Consent that lets the insurer be asked."""
    on = local_day(ctx, ctx.at, site=referral.site)
    verdict = rules.triage(facts_of(ctx, gathered, on=on), on=on, clinic=ctx.clinic)
    if verdict.outcome is Outcome.EMERGENCY and not referral.unacknowledged:
        await redirect(ctx, tx, referral, verdict=verdict)
        return
    if referral.payer is not None and referral.payer in facts_of(ctx, gathered, on=on).consents:
        referral.asked = [code for code in referral.asked if code != "consent"]
        await request_authorization(ctx, tx, referral, gathered)
