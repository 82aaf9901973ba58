"""What a verb has decided about a referral: its new rows, what changes in others, and the events, in order.

Nothing here touches the database: `record.run` writes it all, table by table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.referral import fhir, rules
from services.referral.models.rows import Claim, ClaimResponse, Enclosure, Patient, Referral, Task
from services.referral.states import REQUEST_STATUS, TERMINAL, UNDER_CARE, State, Turn, WaitingClock
from services.referral.use_cases.referral_file import ReferralFile, decoded
from shared.context import Context
from shared.events.catalog import DomainEvent
from shared.fhir.codes import TaskCode
from shared.fhir.instants import instant
from shared.reasons import Reason

WAITS_TOO_LONG = WaitingClock.WAITING

_OF_THE_PATIENT = (TaskCode.UPDATE_PATIENT, TaskCode.RESOLVE_IDENTITY)
# What people ask each other ends with their answer, or with the referral.
_CONVERSATION = (TaskCode.ANSWER_REFERRER, TaskCode.ANSWER_CLINIC, TaskCode.ANOTHER_TIME)

Body = Mapping[str, Any]
# What an event carries beside the focus: a row of ours, whose newest bytes are taken, or a resource.
Carried = Task | Enclosure | ClaimResponse | Patient | Body | bytes


@dataclass(slots=True, kw_only=True)
class Announcement:
    """An event to be published about the referral, or about one of its Claims."""

    event: type[DomainEvent]
    of: Referral | Claim
    carries: Sequence[Carried]


@dataclass(slots=True)
class Changes:
    """What is to be written about one referral and published because of it."""

    ctx: Context
    file: ReferralFile
    tasks: dict[int, tuple[Task, Body | None, Body]] = field(default_factory=dict)
    enclosures: list[tuple[Enclosure, Body]] = field(default_factory=list)
    claims: dict[int, tuple[Claim, Body | None, Body]] = field(default_factory=dict)
    responses: list[tuple[ClaimResponse, bytes, Body]] = field(default_factory=list)
    announcements: list[Announcement] = field(default_factory=list)
    timers: dict[str, datetime | None] = field(default_factory=dict)

    @property
    def referral(self) -> Referral:
        """The referral, as it is to be."""
        return self.file.referral

    def move(self, to: State, *, reason: Sequence[Reason], turn: Turn) -> None:
        """Take the referral to another state; raises Refused where the life cycle has no such step."""
        rules.steps.check(rules.steps.no_step(self.referral.state, to, act="moving"))
        waited = rules.waiting.limit(self.referral, clinic=self.ctx.clinic)
        if self.file.moved:
            self.file.passed.append(self.referral.model_copy())
        self.file.moved = True
        self.referral.state, self.referral.reason, self.referral.turn = to, [*reason], turn
        self.referral.state_since = self.ctx.at
        self.referral.status = REQUEST_STATUS.get(to, "active")
        if to in UNDER_CARE or to in TERMINAL:
            self.referral.reviewers = []
        limit = rules.waiting.limit(self.referral, clinic=self.ctx.clinic)
        if limit is not None or waited is not None:
            self.timers[WAITS_TOO_LONG] = None if limit is None else self.ctx.at + limit

    def open_work(
        self,
        code: TaskCode,
        *,
        owner: str,
        reason: Sequence[Reason],
        due: datetime | None = None,
        claim: Claim | None = None,
        recipients: Sequence[str] = (),
        details: Body | None = None,
    ) -> Task:
        """Ask somebody to act; where the same is asked already, the open Task gets the new reason.

        `recipients` are the practitioners of whom one is to act, `details` further members of the Task.
        """
        referral, ctx = self.referral, self.ctx
        body = dict(details or {}) | fhir.task.work_task(
            referral,
            code=code,
            owner=owner,
            reason=reason,
            at=ctx.at,
            clinic=ctx.clinic,
            due=due,
            claim=claim,
            recipients=recipients,
        )
        task = self.open_task(code)
        if task is None:
            task = Task(
                referral_id=referral.id,
                patient_id=referral.patient_id,
                claim_id=None if claim is None else claim.id,
                code=code,
                status="requested",
                owner=owner.removeprefix("Organization/"),
                authored_on=ctx.at,
                site=referral.site,
                requester=referral.requester,
            )
            self.file.work.append(task)
        else:
            body |= {"status": task.status, "authoredOn": instant(task.authored_on)}
        usual = rules.work.due_of(code, referral, clinic=ctx.clinic, at=task.authored_on)
        task.due_at = due or task.due_at or usual
        self.tasks[id(task)] = (task, body, {})
        return task

    def open_task(self, code: TaskCode) -> Task | None:
        """Find the open Task of a kind; there is at most one."""
        return next((task for task in self.file.work if task.code == code), None)

    def body_of(self, code: TaskCode) -> Body:
        """Read the open Task of a kind as it is to be; empty where there is none."""
        task = self.open_task(code)
        if task is None:
            return {}
        _, body, _ = self.tasks.get(id(task), (task, None, {}))
        return body if body is not None else decoded(task.body)

    def change_task(self, task: Task, *, status: str, reason: Sequence[Reason] = ()) -> None:
        """Give a Task another status, with the reason where nothing is left to do."""
        task.status = status
        _, body, overlay = self.tasks.get(id(task), (task, None, {}))
        why = fhir.wording.stated(reason, site=self.referral.site, clinic=self.ctx.clinic)
        more = {"status": status} | ({"statusReason": why} if why else {})
        self.tasks[id(task)] = (task, body, {**overlay, **more})
        if status in ("completed", "cancelled"):
            self.file.work = [other for other in self.file.work if other is not task]

    def finish_work(
        self, *, status: str, reason: Sequence[Reason], codes: Sequence[TaskCode] | None = None
    ) -> None:
        """End Tasks of people, those of some kinds or all, with the reason why nothing is left to do.

        What is asked about the patient does not end with what becomes of the referral, a conversation not
        before it.
        """
        ended = State(self.referral.state) in TERMINAL
        kept = _OF_THE_PATIENT if ended else (*_OF_THE_PATIENT, *_CONVERSATION)
        for task in list(self.file.work):
            if task.code in codes if codes is not None else task.code not in kept:
                self.change_task(task, status=status, reason=reason)

    def enclose(self, body: Body, *, status: str | None = None) -> Enclosure:
        """Keep a resource of ours (Provenance, report) with the referral."""
        row = Enclosure(
            type=body["resourceType"],
            referral_id=self.referral.id,
            patient_id=self.referral.patient_id,
            requester=self.referral.requester,
            status=status,
        )
        self.enclosures.append((row, body))
        return row

    def announce(self, event: type[DomainEvent], *more: Carried) -> None:
        """Publish what happened to the referral, with its process Task."""
        task: Sequence[Carried] = [self.process_task]
        self.announcements.append(Announcement(event=event, of=self.referral, carries=[*task, *more]))

    def announce_claim(self, event: type[DomainEvent], claim: Claim, *carries: Carried) -> None:
        """Publish what happened to a Claim."""
        self.announcements.append(Announcement(event=event, of=claim, carries=carries))

    def change_claim(self, claim: Claim, **overlay: Any) -> None:
        """Write a Claim of which something has changed, with these members laid over its resource."""
        _, body, before = self.claims.get(id(claim), (claim, None, {}))
        self.claims[id(claim)] = (claim, body, {**before, **overlay})

    @property
    def process_task(self) -> Task:
        """The referral's own Task; raises LookupError where it was not loaded."""
        if self.file.process_task is None:
            raise LookupError(f"the process Task of referral {self.referral.id} was not loaded")
        return self.file.process_task


def the_clinic(ctx: Context) -> str:
    """The clinic as the owner of a Task: whoever coordinates."""
    return f"Organization/{ctx.clinic.id}"
