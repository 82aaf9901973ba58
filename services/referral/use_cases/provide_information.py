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
from shared.act import Act
from shared.auth.principal import Principal
from shared.clinic import Clinic
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
    tx: Transaction,
    referral_id: str,
    *,
    pieces: Sequence[Piece],
    by: Principal,
    act: Act,
    clinic: Clinic,
) -> Referral:
    """Store what was sent, triage again where no verdict stands, and follow the newest Consent.

    An answer to a decline, or to an emergency that was acknowledged, reopens the referral. Raises Ended and
    AcknowledgeFirst where nothing can follow from an answer.
    """
    referral = await load_referral(tx, referral_id, by=by)
    _check_open(referral)
    _check(pieces, referral)
    for piece in pieces:
        await _store(tx, piece, referral, act=act)
    await tx.flush()
    gathered = await gather(tx, referral)
    person = await _reopen(tx, referral, act=act)
    referral.turn = Turn.CLINIC if referral.turn == Turn.REFERRER else referral.turn
    task = await keep_task(tx, referral, act=act, clinic=clinic)
    announce(tx, events.INFORMATION_PROVIDED, referral, task, act=act)
    if State(referral.state) in UNDECIDED:
        await triage_referral(tx, referral, gathered, act=act, clinic=clinic, person=person)
    elif State(referral.state) in UNDER_CARE:
        await _late(tx, referral, gathered, act=act, clinic=clinic)
    await follow_consent(tx, referral, gathered, act=act, clinic=clinic)
    return referral


def _check_open(referral: Referral) -> None:
    state = State(referral.state)
    if state in TERMINAL:
        raise Ended(f"the referral is {state}", expression="ServiceRequest")
    if state is State.EMERGENCY_REDIRECTED:
        text = "the patient was sent to an emergency department: $acknowledge comes first"
        raise AcknowledgeFirst(text, expression="ServiceRequest")


async def _reopen(tx: Transaction, referral: Referral, *, act: Act) -> Finding | None:
    """Take a referral that waits for nobody back to the clinic; tell why a person must then decide."""
    before = State(referral.state)
    if before not in REOPENED_BY_AN_ANSWER:
        return None
    person = rules.answer_for_a_person(referral)
    reason = "The referrer answered; the clinic looks at the referral again."
    await move(
        tx, referral, State.AWAITING_REVIEW, reason=reason, turn=Turn.CLINIC, act=act, name="reopening"
    )
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


async def _store(tx: Transaction, piece: Piece, referral: Referral, *, act: Act) -> None:
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
    await store.put(tx, row, piece.raw, at=act.at, overlay=_own_patient(piece, referral))


def _own_patient(piece: Piece, referral: Referral) -> dict[str, object]:
    """Name our patient where the sender named him by an identifier."""
    return {
        member: {**named, "reference": f"Patient/{referral.patient_id}"}
        for member in ("subject", "patient", "beneficiary")
        if isinstance(named := piece.data.get(member), dict) and "reference" not in named
    }


async def _late(tx: Transaction, referral: Referral, gathered: Gathered, *, act: Act, clinic: Clinic) -> None:
    """Act on what comes after acceptance: an emergency, or the Consent that lets the insurer be asked."""
    on = local_day(act.at, site=referral.site, clinic=clinic)
    verdict = rules.triage(facts_of(gathered, on=on, clinic=clinic), on=on, clinic=clinic)
    if verdict.outcome is Outcome.EMERGENCY and not referral.unacknowledged:
        await redirect(tx, referral, verdict=verdict, act=act, clinic=clinic)
        return
    if referral.payer is not None and referral.payer in facts_of(gathered, on=on, clinic=clinic).consents:
        referral.asked = [code for code in referral.asked if code != "consent"]
        await request_authorization(tx, referral, gathered, act=act, clinic=clinic)
