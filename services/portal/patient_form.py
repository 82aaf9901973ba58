"""What a patient typed on the page behind a link, read for the call of the button that was pressed.

Nothing is cut short and nothing guessed: what a call would refuse is said beside its field, and not sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.portal import patient_labels
from services.portal.acts import Wrong
from services.portal.typed import Typed, first, whole_number
from shared.fhir import intake

# The buttons of an offer, and the answers that they are.
_OFFER_ANSWERS = {"takes": "accepted", "keeps": "declined"}
_MOST = {"comment": 1000, "intake": 2000}
_EARLIEST_YEAR = 1900


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCall:
    """A call about a link: its path, and what its body has beside the proof."""

    path: str
    said: Mapping[str, Any]


def born(typed: Typed) -> date | None:
    """Read a birth date: of its three fields, or as the page has it already; None where there is none."""
    try:
        if whole := first(typed, "born"):
            return date.fromisoformat(whole)
        year, month, day = (
            whole_number(first(typed, f"born.{part}")) or 0 for part in ("year", "month", "day")
        )
        return date(year, month, day) if year >= _EARLIEST_YEAR else None
    except ValueError:
        return None


def call_of(typed: Typed) -> LinkCall | Wrong | None:
    """Read the call of the button that was pressed; None where the link is only opened."""
    act = first(typed, "act")
    if act in _OFFER_ANSWERS:
        return _call("$answer", answer=_OFFER_ANSWERS[act])
    if act in patient_labels.LINK_ANSWERS:
        return _answer(typed, act)
    if act == "intake":
        return _intake(typed)
    if act == "choose":
        days = [int(day) for day in typed.get("reminder", ()) if day in ("1", "7")]
        return _call("$choose", reminder_days=days, sends_calendar=first(typed, "sends_calendar") == "yes")
    return _call("$calendar") if act == "calendar" else None


def _call(name: str, **said: Any) -> LinkCall:
    return LinkCall(path=f"/notifications/links/{name}", said=said)


def _answer(typed: Typed, act: str) -> LinkCall | Wrong:
    field = f"comment.{act}"
    comment = _text(typed, field)
    return _too_long(field, comment) or _call("$answer", answer=act, comment=comment)


def _intake(typed: Typed) -> LinkCall | Wrong:
    answers: dict[str, int | str] = {}
    for link in patient_labels.INTAKE:
        field = f"intake.{link}"
        text = _text(typed, field)
        if (wrong := _too_long(field, text)) is not None:
            return wrong
        if text:
            answers[link] = text
    if intake.PAIN in answers:
        pain = whole_number(str(answers[intake.PAIN]))
        if pain is None or pain > intake.HIGHEST_PAIN:
            return Wrong(name=f"intake.{intake.PAIN}", text=patient_labels.PAIN_AS)
        answers[intake.PAIN] = pain
    if not answers:
        return Wrong(name=f"intake.{next(iter(patient_labels.INTAKE))}", text=patient_labels.NO_ANSWER)
    return _call("$intake", answers=answers)


def _text(typed: Typed, field: str) -> str:
    """Give what was typed; a form sends the end of each line as two characters, which counted as one."""
    return first(typed, field).replace("\r\n", "\n")


def _too_long(field: str, text: str) -> Wrong | None:
    most = _MOST[field.partition(".")[0]]
    return None if len(text) <= most else Wrong(name=field, text=patient_labels.TOO_LONG[most])
