"""What the sender and a coordinator do with a referral."""

from collections.abc import Awaitable, Callable
from functools import partial

from services.referral import fhir, queries, texts, use_cases
from services.referral.models.rows import Referral
from services.referral.rules import acts
from services.referral.rules.acts import ReferralFacts
from services.referral.rules.priority import PRIORITIES
from services.referral.rules.steps import Refused
from services.referral.use_cases.another_time import NoSuchDays
from services.referral.use_cases.answered import AnswersNothing
from services.referral.use_cases.attach import CannotAttach
from services.referral.use_cases.communicate import NothingSaid
from services.referral.use_cases.decide import NoProgramme
from services.referral.use_cases.merge import CannotMerge
from services.referral.use_cases.provide_information import (
    AcknowledgeFirst,
    AnotherPatientsResource,
    Ended,
    NothingProvided,
)
from services.referral.use_cases.redirect import NoEmergency
from services.referral.use_cases.referral_file import NoReason
from services.referral.use_cases.remind import NothingAsked
from services.referral.use_cases.set_priority import NoPriority
from shared.clinic import Clinic
from shared.context import Context
from shared.db import Transaction
from shared.operations import Operation, OperationTable, Parameter, Subject
from shared.reasons import Reason

Allows = Callable[[Context, ReferralFacts], Reason | None]
_by_sender = partial(
    Operation[ReferralFacts],
    resource_type="ServiceRequest",
    parties=("referrer",),
    interaction="u",
    rows="the sender's own referrals",
)
_for_sender = partial(
    Operation[ReferralFacts],
    resource_type="ServiceRequest",
    parties=("referrer", "coordinator"),
    interaction="u",
    rows="the sender's own referrals; a coordinator what the clinic has entered for its sender",
)
_by_coordinator = partial(
    Operation[ReferralFacts],
    resource_type="ServiceRequest",
    parties=("coordinator",),
    interaction="u",
    rows="the referrals of the coordinator's site",
)
_by_all = partial(
    Operation[ReferralFacts],
    resource_type="ServiceRequest",
    parties=("referrer", "coordinator", "clinician"),
    interaction="u",
    rows="the sender's own referrals, those of the coordinator's site, those of a clinician's teams",
)
_by_decider = partial(
    Operation[ReferralFacts],
    resource_type="ServiceRequest",
    parties=("coordinator", "clinician"),
    interaction="u",
    rows="the referrals of the coordinator's site; a clinician what waits for their triage",
)
_REASON = Parameter(name="reason", min=1, text="Why, in words that the other side reads.")
_WORDS = Parameter(name="reason", text="What there is to say, in words that the other side reads.")


def _programmes(clinic: Clinic) -> list[str]:
    return [programme.id for programme in clinic.programmes]


def _with_reason(verb: Callable[..., Awaitable[Referral]]) -> Callable[..., Awaitable[Referral]]:
    return lambda ctx, tx, given: verb(ctx, tx, given.id, reason=given.values.get("reason"))


def _by_its_row(rule: Callable[[Context, Referral], Reason | None]) -> Allows:
    return lambda ctx, facts: rule(ctx, facts.referral)


async def _referral(ctx: Context, tx: Transaction, referral_id: str) -> Subject[ReferralFacts] | None:
    found = await queries.referrals.visible_with_patient(tx, ctx.caller, referral_id)
    if found is None:
        return None
    row, died = found
    facts = ReferralFacts(referral=row, patient_died=died)
    return Subject(row=row, facts=facts, zone=ctx.clinic.site(row.site).zone)


REFERRALS = OperationTable[ReferralFacts](
    resource_type="ServiceRequest",
    rows=queries.scope.ROWS,
    load=_referral,
    sentences=texts.REASONS,
    words=texts.words_of,
    operations=(
        _by_sender(
            name="process-message",
            level="system",
            interaction="c",
            rows="what the caller sends becomes the caller's own; what a coordinator enters, its sender's",
            text="Take a message Bundle: a referral, its change or revocation, or what is said about it.",
            takes=("Bundle",),
            returns="Bundle",
        ),
        _for_sender(
            name="validate",
            level="type",
            interaction="c",
            rows="nothing is written",
            is_dry_run=True,
            text="Say what would happen to a referral, without taking it.",
            parameters=(
                Parameter(name="resource", type="Resource", min=1, text="A Bundle or a ServiceRequest."),
            ),
            returns="Parameters",
        ),
        _for_sender(
            name="acknowledge",
            text="Acknowledge that the patient goes to an emergency department.",
            parameters=(_WORDS,),
            refuses=(NoEmergency,),
            when=_by_its_row(acts.may_acknowledge),
            run=lambda ctx, tx, given: use_cases.redirect.acknowledge(ctx, tx, given.id, said=given.values),
        ),
        _for_sender(
            name="provide-information",
            text="Add what was asked for, or what came late.",
            parameters=(
                Parameter(
                    name="answers",
                    type="Resource",
                    min=1,
                    max="*",
                    text="What is added, each under any name.",
                ),
            ),
            refuses=(NothingProvided, AnotherPatientsResource, CannotAttach, Ended, AcknowledgeFirst),
            when=_by_its_row(acts.may_provide_information),
            run=lambda ctx, tx, given: use_cases.provide_information.run(
                ctx, tx, given.id, pieces=fhir.pieces.read(given.body)
            ),
        ),
        _for_sender(
            name="request-another-time",
            text="Say that the patient cannot come, and ask for another time.",
            parameters=(
                _REASON,
                Parameter(name="from", type="date", text="The first day on which the patient cannot come."),
                Parameter(name="to", type="date", text="The last such day, included."),
            ),
            refuses=(NoReason, NoSuchDays, Refused),
            when=_by_its_row(acts.may_request_another_time),
            run=lambda ctx, tx, given: use_cases.another_time.request(ctx, tx, given.id, said=given.values),
        ),
        _by_all(
            name="send-communication",
            text="Say, ask or answer something about a referral; a question has a Task for the other side.",
            parameters=(
                Parameter(name="text", min=1, text="What is said, in words that the other side reads."),
                Parameter(
                    name="in-response-to",
                    type="Reference",
                    text="What is answered.",
                    targets=("Communication",),
                ),
            ),
            refuses=(NothingSaid, AnswersNothing, Ended, AcknowledgeFirst),
            when=_by_its_row(acts.may_communicate),
            run=lambda ctx, tx, given: use_cases.communicate.run(ctx, tx, given.id, said=given.values),
        ),
        _for_sender(
            name="revoke",
            text="Take a referral back, with the reason.",
            parameters=(_REASON,),
            refuses=(NoReason, Refused),
            when=_by_its_row(acts.may_revoke),
            run=_with_reason(use_cases.end.revoke),
        ),
        _by_decider(
            name="accept",
            text="Accept a referral that the rules left to a person; an urgent one a clinician.",
            parameters=(
                _REASON,
                Parameter(
                    name="programme",
                    type="code",
                    text="The programme, where the referral has none or another one fits better.",
                    values=_programmes,
                ),
            ),
            refuses=(NoReason, NoProgramme, Refused),
            when=acts.may_accept,
            run=lambda ctx, tx, given: use_cases.decide.accept(ctx, tx, given.id, said=given.values),
        ),
        _by_decider(
            name="decline",
            text="Decline a referral, with the reason.",
            parameters=(_REASON,),
            refuses=(NoReason, Refused),
            when=_by_its_row(acts.may_decline),
            run=_with_reason(use_cases.decide.decline),
        ),
        _by_decider(
            name="request-information",
            text="Ask the referrer for something; the reason says what.",
            parameters=(_REASON,),
            refuses=(NoReason, Refused),
            when=_by_its_row(acts.may_request_information),
            run=_with_reason(use_cases.decide.request_information),
        ),
        _by_decider(
            name="set-priority",
            text="Give a referral another priority, with the reason.",
            parameters=(
                Parameter(
                    name="priority",
                    type="code",
                    min=1,
                    text="How soon the patient must be seen.",
                    values=PRIORITIES,
                ),
                _REASON,
            ),
            refuses=(NoReason, NoPriority, Refused),
            when=_by_its_row(acts.may_set_priority),
            run=lambda ctx, tx, given: use_cases.set_priority.run(ctx, tx, given.id, said=given.values),
        ),
        _by_coordinator(
            name="remind",
            text="Remind the referrer of what was asked for and has not come.",
            parameters=(_WORDS,),
            refuses=(NothingAsked,),
            when=_by_its_row(acts.may_remind),
            run=lambda ctx, tx, given: use_cases.remind.run(ctx, tx, given.id, said=given.values),
        ),
        _by_coordinator(
            name="merge",
            text="Merge a duplicate into the referral that goes on (`into`).",
            parameters=(
                Parameter(
                    name="into",
                    type="Reference",
                    min=1,
                    text="The referral that goes on.",
                    targets=("ServiceRequest",),
                ),
                _WORDS,
            ),
            refuses=(CannotMerge, Refused),
            when=_by_its_row(acts.may_merge),
            run=lambda ctx, tx, given: use_cases.merge.run(ctx, tx, given.id, said=given.values),
        ),
        _by_coordinator(
            name="close",
            text="Close a referral that will not go on, with the reason.",
            parameters=(_REASON,),
            refuses=(NoReason, Refused),
            when=_by_its_row(acts.may_close),
            run=_with_reason(use_cases.end.close),
        ),
    ),
)
