"""What stands behind the link of a message to a patient: opened, answered, taken as a calendar file.

Every call is a POST with the secret and the birth date in its body: no address that is kept anywhere has
either, and what only looks at a link (mail scanners do) changes and uses up nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from services.notifications import fhir, use_cases
from services.notifications.models.opened import Opened
from services.notifications.rules import patient_news, reaching
from services.notifications.states import Answer
from services.notifications.use_cases.answer_link import NothingToAnswer
from services.notifications.use_cases.open_link import LinkEnded, NoSuchLink, WrongBirthDate
from shared.context import Context
from shared.db import Transaction
from shared.errors import Forbidden, Invalid, Malformed
from shared.fhir import intake
from shared.fhir.instants import instant
from shared.http.body import read_body
from shared.http.guard import open_to_all
from shared.http.responses import refuses
from shared.runtime import Runtime

router = APIRouter()

_HOLDER = "the patient to whom a message went: who has its link, and the birth date"
_OPEN = [Depends(open_to_all(_HOLDER))]
_PRIVATE = {"Cache-Control": "no-store"}
_DAYS = ", ".join(str(days) for days in patient_news.DEFAULT_DAYS)


class WrongProof(Forbidden):
    """The birth date is not the patient's."""


class Proof(msgspec.Struct, kw_only=True):
    """What every call has: the secret of the link, and the birth date (`1971-05-30`)."""

    token: Annotated[str, msgspec.Meta(max_length=200)]
    birth_date: Annotated[str, msgspec.Meta(max_length=10)]


class Answered(Proof, kw_only=True):
    """An answer about the visit, and what the patient writes to it."""

    answer: Literal["accepted", "declined", "tentative"]
    comment: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class FilledIn(Proof, kw_only=True):
    """The intake form: answers by the linkIds of its Questionnaire (`pain-now` a number, all else texts)."""

    answers: dict[str, int | Annotated[str, msgspec.Meta(max_length=2000)]]


class Chosen(Proof, kw_only=True):
    """How many days before a visit the patient is reminded, and whether letters bring a calendar file."""

    reminder_days: list[int]
    sends_calendar: bool = False


_Sent = TypeVar("_Sent", bound=Proof)
_REFUSES = refuses(NoSuchLink, LinkEnded, WrongProof, Invalid, Malformed)


@router.post("/links/$open", dependencies=_OPEN, responses=_REFUSES)
async def open_link(request: Request) -> Response:
    """Show what a message is about: the visit, what else is booked, and what was answered."""
    sent = await _read(request, Proof)
    async with _opened(request, sent) as (ctx, _, opened):
        return _answer(
            fhir.links.behind_link(
                ctx,
                opened,
                language=reaching.language_of(opened.patient),
                bring=patient_news.bring(opened.visit),
                reminder_days=patient_news.days_of(opened.choice),
            )
        )


@router.post("/links/$answer", dependencies=_OPEN, responses=_REFUSES | refuses(NothingToAnswer))
async def answer(request: Request) -> Response:
    """Take one answer: comes, cannot come, asks for another time. A repeat is told the first one."""
    sent = await _read(request, Answered)
    async with _opened(request, sent) as (ctx, tx, opened):
        link = await use_cases.answer_link.run(
            ctx, tx, opened, answer=Answer(sent.answer), comment=(sent.comment or "").strip()
        )
        return _answer({"answer": fhir.links.answered(link)})


@router.post("/links/$intake", dependencies=_OPEN, responses=_REFUSES | refuses(NothingToAnswer))
async def fill_in(request: Request) -> Response:
    """Take the intake form before a first visit, once; a repeat changes nothing."""
    sent = await _read(request, FilledIn)
    answers = _answers(sent.answers)
    async with _opened(request, sent) as (ctx, tx, opened):
        link = await use_cases.answer_link.take_intake(ctx, tx, opened, answers=answers)
        return _answer({"intake": {"at": instant(link.intake_at or ctx.at)}})


@router.post("/links/$choose", dependencies=_OPEN, responses=_REFUSES)
async def choose(request: Request) -> Response:
    """Keep how the patient wants to be reminded."""
    sent = await _read(request, Chosen)
    if not set(sent.reminder_days) <= set(patient_news.DEFAULT_DAYS):
        raise Invalid(f"days before a visit are {_DAYS}", expression="reminder_days")
    async with _opened(request, sent) as (ctx, tx, opened):
        choice = await use_cases.answer_link.choose(
            ctx, tx, opened, reminder_days=sent.reminder_days, sends_calendar=sent.sends_calendar
        )
        kept = {"reminder_days": choice.reminder_days, "sends_calendar": choice.sends_calendar}
        return _answer({"choice": kept})


@router.post("/links/$calendar", dependencies=_OPEN, responses=_REFUSES)
async def calendar(request: Request) -> Response:
    """Give the visit, or all that is booked, as a calendar file (iCalendar)."""
    sent = await _read(request, Proof)
    async with _opened(request, sent) as (ctx, _, opened):
        content = use_cases.write_to_patient.calendar_of(ctx, opened)
    named = {"Content-Disposition": 'attachment; filename="appointment.ics"'}
    return Response(content, headers={**_PRIVATE, **named}, media_type="text/calendar; charset=utf-8")


def _answers(sent: dict[str, int | str]) -> dict[str, int | str]:
    """Read the answers of the form without those that say nothing; raises Invalid."""
    for link, value in sent.items():
        where = f"answers.{link[:64]}"
        if link not in intake.links():
            raise Invalid(f"the questions are {', '.join(intake.links())}", expression=where)
        if (link == intake.PAIN) is not isinstance(value, int):
            raise Invalid(f"{intake.PAIN} is a number, all else are texts", expression=where)
        if isinstance(value, int) and not 0 <= value <= intake.HIGHEST_PAIN:
            raise Invalid(f"from 0 to {intake.HIGHEST_PAIN}", expression=where)
    said = {link: value.strip() if isinstance(value, str) else value for link, value in sent.items()}
    given = {link: value for link, value in said.items() if value != ""}
    if not given:
        raise Invalid("answer one question at least", expression="answers")
    return given


async def _read(request: Request, kind: type[_Sent]) -> _Sent:
    """Read what was sent; raises Malformed for what is no JSON, Invalid for what is missing or too long."""
    body = await read_body(request)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        text, _, where = str(error).partition(" - at `$.")
        raise Invalid(text, expression=where.rstrip("`") or None) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed("the body is no JSON") from None


@asynccontextmanager
async def _opened(request: Request, sent: Proof) -> AsyncIterator[tuple[Context, Transaction, Opened]]:
    """Open a link for one act; raises NoSuchLink, LinkEnded and WrongProof, which has cost a try."""
    runtime: Runtime = request.app.state.runtime
    ctx = runtime.context(cause=request.state.request_id)
    async with runtime.database.transaction() as tx:
        found = await use_cases.open_link.run(ctx, tx, sent.token, birth_date=sent.birth_date)
        if isinstance(found, Opened):
            yield ctx, tx, found
    if isinstance(found, WrongBirthDate):
        raise WrongProof(
            f"this is not the birth date; {found.tries_left} more tries", expression="birth_date"
        )


def _answer(content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), headers=_PRIVATE, media_type="application/json")
