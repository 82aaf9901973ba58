"""What people do with a series: by scope, with the dates shown first."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from services.scheduling import fhir, queries, texts, use_cases
from services.scheduling.models.rows import Referral, Series
from services.scheduling.models.series_change import Scope, SeriesAct, SeriesChange
from services.scheduling.queries.scope import SERIES_ROWS
from services.scheduling.rules import series_scope
from services.scheduling.use_cases.change import VisitOfAnother
from services.scheduling.use_cases.series_in_hand import CannotChangeSeries
from shared.auth.principal import PartyKind
from shared.clinic import Discipline
from shared.context import Context
from shared.db import Transaction
from shared.operations import InquiryAnswer, Operation, OperationInput, OperationTable, Parameter, Subject

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


async def _run(ctx: Context, tx: Transaction, given: OperationInput, *, act: SeriesAct) -> Series:
    read = partial(fhir.series_changes.read, act, given.values, urls=ctx.urls)
    changed = await use_cases.change_series.run(ctx, tx, given.id, read, expect=given.expect)
    return changed.series


async def _preview(ctx: Context, tx: Transaction, given: OperationInput) -> InquiryAnswer:
    def read() -> SeriesChange:
        return fhir.series_changes.read(fhir.series_changes.act_of(given.values), given.values, urls=ctx.urls)

    changed = await use_cases.change_series.run(ctx, tx, given.id, read, expect=given.expect, is_preview=True)
    return InquiryAnswer(body=fhir.series_changes.render(ctx, changed), rows=[changed.series], asked=())


_of_series = partial(
    Operation[SeriesFacts],
    resource_type="List",
    interaction="u",
    rows=CHANGE_ROWS,
    refuses=(CannotChangeSeries, VisitOfAnother),
    matches=True,
)


def _act(
    act: SeriesAct,
    *,
    text: str,
    parameters: Sequence[Parameter],
    parties: Sequence[PartyKind] = ("coordinator",),
) -> Operation[SeriesFacts]:
    return _of_series(
        name=act,
        parties=tuple(parties),
        text=text,
        parameters=tuple(parameters),
        when=lambda _, facts: series_scope.why_not(act, facts.row, referral=facts.referral),
        run=partial(_run, act=act),
    )


_SCOPE = Parameter(
    name="scope",
    type="code",
    text="Which: `one`, `following` (it and what comes after it), or `all` that are to come.",
    values=tuple(Scope),
)
_SESSION = Parameter(name="session", type="Reference", targets=("Appointment",), text="The session meant.")
_START = Parameter(name="start", type="instant", text="The new start of that session, with its zone.")
_WHOM = (
    Parameter(name="practitioner", type="Reference", targets=("Practitioner",), text="Who leads them then."),
    Parameter(name="location", type="Reference", targets=("Location",), text="In which room they are then."),
)
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
        _act(
            SeriesAct.CANCEL,
            text="Call sessions off: one, it and what follows, or all; they are never booked again.",
            parameters=(_SCOPE, _SESSION, _CODE, _WHY),
            parties=_PARTIES,
        ),
        _act(
            SeriesAct.MOVE,
            text=(
                "Move sessions: one, or also those of its weekday and time that follow, or all of them;"
                " or give those of its discipline another clinician or room at their times."
            ),
            parameters=(_SCOPE, _SESSION, _START, *_WHOM),
            parties=_PARTIES,
        ),
        _act(
            SeriesAct.HOLD,
            text="Hold a series for some days: what lies in them is booked after them, inside the grant.",
            parameters=(*_DAYS, _WHY),
        ),
        _act(
            SeriesAct.EXTEND,
            text="Let a series have more sessions, or boosters from certain days on, inside the grant.",
            parameters=(_DISCIPLINE, *_MORE),
        ),
        _act(
            SeriesAct.BOOK_PARTLY,
            text="Book what has room of a series that has no room as a whole, with the patient's consent.",
            parameters=(_CONSENT,),
        ),
        _act(
            SeriesAct.SETTLE,
            text="Leave a series at what it has: nothing more is looked for.",
            parameters=(_WHY,),
        ),
        _of_series(
            name="preview",
            parties=_PARTIES,
            text="Say which sessions an act would change, and to which dates; nothing is written.",
            parameters=(
                Parameter(name="act", type="code", min=1, text="The act.", values=tuple(SeriesAct)),
                *(_SCOPE, _SESSION, _START, *_WHOM, _CODE, _WHY, *_DAYS, _DISCIPLINE, *_MORE, _CONSENT),
            ),
            is_dry_run=True,
            returns="Parameters",
            run=_preview,
        ),
    ),
)
