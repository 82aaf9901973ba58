"""What people do with a series: by scope, with the dates shown first."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from services.scheduling import fhir, queries, texts, use_cases
from services.scheduling.models.rows import Referral, Series
from services.scheduling.models.series_change import Scope, SeriesAct
from services.scheduling.queries.scope import SERIES_ROWS
from services.scheduling.rules import series_scope
from services.scheduling.use_cases.change import VisitOfAnother
from services.scheduling.use_cases.change_series import CannotChangeSeries
from shared.auth.principal import PartyKind
from shared.clinic import Discipline
from shared.context import Context
from shared.db import Transaction
from shared.errors import NotFound
from shared.operations import InquiryAnswer, Operation, OperationInput, OperationTable, Parameter, Subject
from shared.reasons import Reason

CHANGE_ROWS = f"{SERIES_ROWS}; a clinician changes only what is all their own"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFacts:
    """A series and its referral."""

    row: Series
    referral: Referral


async def _series(ctx: Context, tx: Transaction, series_id: str) -> Subject[SeriesFacts] | None:
    try:
        row = await queries.series.visible(tx, UUID(series_id), scope_of=ctx.caller)
    except ValueError:
        return None
    referral = None if row is None else await queries.referrals.by_id(tx, row.referral_id)
    if row is None or referral is None:
        return None
    facts = SeriesFacts(row=row, referral=referral)
    return Subject(row=row, facts=facts, zone=ctx.clinic.site(row.site).zone)


async def _expect_series(ctx: Context, tx: Transaction, series_id: str) -> None:
    """Refuse what is not the caller's before what was said about it is looked at; raises NotFound."""
    if await _series(ctx, tx, series_id) is None:
        raise NotFound(f"there is no List/{series_id}")


async def _run(ctx: Context, tx: Transaction, given: OperationInput, *, act: SeriesAct) -> Series:
    await _expect_series(ctx, tx, given.id)
    change = fhir.series_changes.read(act, given.values, urls=ctx.urls)
    changed = await use_cases.change_series.run(ctx, tx, given.id, change, expect=given.expect)
    return changed.series


async def _preview(ctx: Context, tx: Transaction, given: OperationInput) -> InquiryAnswer:
    await _expect_series(ctx, tx, given.id)
    act = fhir.series_changes.act_of(given.values)
    change = fhir.series_changes.read(act, given.values, urls=ctx.urls)
    changed = await use_cases.change_series.run(
        ctx, tx, given.id, change, expect=given.expect, is_preview=True
    )
    return InquiryAnswer(body=fhir.series_changes.render(ctx, changed), rows=[changed.series], asked=())


def _may(act: SeriesAct) -> Callable[[Context, SeriesFacts], Reason | None]:
    return lambda _, facts: series_scope.why_not(act, facts.row, referral=facts.referral)


_of_series = partial(
    Operation[SeriesFacts],
    resource_type="List",
    interaction="u",
    rows=CHANGE_ROWS,
    refuses=(CannotChangeSeries, VisitOfAnother),
    matches=True,
)
_SCOPE = Parameter(
    name="scope",
    type="code",
    text="Which: `one`, `following` (it and what comes after it), or `all` that are to come.",
    values=tuple(Scope),
)
_SESSION = Parameter(name="session", type="Reference", targets=("Appointment",), text="The session meant.")
_START = Parameter(name="start", type="instant", text="The new start of that session, with its zone.")
_WHY = Parameter(name="reason", text="Why, in words that the other side reads.")
_CODE = Parameter(
    name="code", type="code", text="A code of HL7: `pat...` is the patient's doing, all else the clinic's."
)
_DAYS = (
    Parameter(name="from", type="date", text="The first local day."),
    Parameter(name="until", type="date", text="The last local day."),
)
_DISCIPLINE = Parameter(name="discipline", type="code", text="Whose sessions.", values=tuple(Discipline))
_MORE = (
    Parameter(name="count", type="integer", text="How many sessions more."),
    Parameter(name="on", type="date", max="*", text="The day from which on a booster is, one for each."),
)
_CONSENT = Parameter(name="consent", type="boolean", text="True: the patient agreed to a part.")
_PARTIES: tuple[PartyKind, ...] = ("coordinator", "clinician")

SERIES = OperationTable[SeriesFacts](
    resource_type="List",
    rows=SERIES_ROWS,
    load=_series,
    sentences=texts.REASONS,
    words=texts.words_of,
    operations=(
        _of_series(
            name=SeriesAct.CANCEL,
            parties=_PARTIES,
            text="Call sessions off: one, it and what follows, or all; they are never booked again.",
            parameters=(_SCOPE, _SESSION, _CODE, _WHY),
            when=_may(SeriesAct.CANCEL),
            run=partial(_run, act=SeriesAct.CANCEL),
        ),
        _of_series(
            name=SeriesAct.MOVE,
            parties=_PARTIES,
            text="Move sessions: one, or also those of its weekday and time that follow, or all of them.",
            parameters=(_SCOPE, _SESSION, _START),
            when=_may(SeriesAct.MOVE),
            run=partial(_run, act=SeriesAct.MOVE),
        ),
        _of_series(
            name=SeriesAct.HOLD,
            parties=("coordinator",),
            text="Hold a series for some days: what lies in them is booked after them, inside the grant.",
            parameters=(*_DAYS, _WHY),
            when=_may(SeriesAct.HOLD),
            run=partial(_run, act=SeriesAct.HOLD),
        ),
        _of_series(
            name=SeriesAct.EXTEND,
            parties=("coordinator",),
            text="Let a series have more sessions, or boosters from certain days on, inside the grant.",
            parameters=(_DISCIPLINE, *_MORE),
            when=_may(SeriesAct.EXTEND),
            run=partial(_run, act=SeriesAct.EXTEND),
        ),
        _of_series(
            name=SeriesAct.BOOK_PARTLY,
            parties=("coordinator",),
            text="Book what has room of a series that has no room as a whole, with the patient's consent.",
            parameters=(_CONSENT,),
            when=_may(SeriesAct.BOOK_PARTLY),
            run=partial(_run, act=SeriesAct.BOOK_PARTLY),
        ),
        _of_series(
            name=SeriesAct.SETTLE,
            parties=("coordinator",),
            text="Leave a series at what it has: nothing more is looked for.",
            parameters=(_WHY,),
            when=_may(SeriesAct.SETTLE),
            run=partial(_run, act=SeriesAct.SETTLE),
        ),
        _of_series(
            name="preview",
            parties=_PARTIES,
            text="Say which sessions an act would change, and to which dates; nothing is written.",
            parameters=(
                Parameter(name="act", type="code", min=1, text="The act.", values=tuple(SeriesAct)),
                *(_SCOPE, _SESSION, _START, _CODE, _WHY, *_DAYS, _DISCIPLINE, *_MORE, _CONSENT),
            ),
            is_dry_run=True,
            returns="Parameters",
            run=_preview,
        ),
    ),
)
