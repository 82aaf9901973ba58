"""What the QuestionnaireResponses of a referral say together: an answer for each question, and its days.

Invariants:
- For a red flag a yes wins wherever it stands; else the newest response counts, by `authored`.
- Two answers that contradict each other are none: it is asked again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.referral.fhir import coded_answers
from services.referral.fhir.newest import oldest_first
from services.referral.fhir.reading import day_of
from services.referral.models.facts import Day
from services.referral.models.questions import FLAGS, NO, UNKNOWN, YES
from shared.fhir.codes import REFERRAL_QUESTIONNAIRE

ID = "back-pain-referral"
URL = REFERRAL_QUESTIONNAIRE

Resource = Mapping[str, Any]
Given = tuple[str, Sequence[Resource]]

_ANSWERED = ("completed", "amended", "in-progress")
# Nobody finished it; a yes to a red flag in it is one all the same.
_STOPPED = "stopped"
_READ = (*_ANSWERED, _STOPPED)


@dataclass(slots=True, kw_only=True)
class Answers:
    """Codes and days by linkId; `unread` are the questions whose newest answer says nothing that is known."""

    codes: dict[str, str] = field(default_factory=dict)
    days: dict[str, Day] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)


def read(enclosures: Sequence[Resource]) -> Answers:
    """Read all responses to the clinic's Questionnaire."""
    answers = Answers()
    for response in oldest_first(filter(is_ours, enclosures), by="authored"):
        given: dict[str, list[Resource]] = {}
        for link_id, answered in items(response.get("item", [])):
            given.setdefault(link_id, []).extend(answered)
        for link_id, answered in given.items():
            if response.get("status") == _STOPPED:
                if link_id in FLAGS and _code(link_id, answered) == YES:
                    answers.codes[link_id] = YES
            elif answered:
                _take(answers, link_id, answered)
    return answers


def is_ours(resource: Resource) -> bool:
    """Tell whether a resource answers the clinic's Questionnaire."""
    if resource.get("resourceType") != "QuestionnaireResponse" or resource.get("status") not in _READ:
        return False
    return str(resource.get("questionnaire", "")).partition("|")[0] == URL


def items(given: Sequence[Any]) -> Iterator[Given]:
    """Give every question with its answers, in order, however deep it stands."""
    for item in given:
        answers = item.get("answer", ())
        yield str(item.get("linkId", "")), answers
        if "item" in item:
            yield from items(item["item"])
        for answer in answers:
            if "item" in answer:
                yield from items(answer["item"])


def day_in(answered: Sequence[Resource]) -> Day | None:
    """Read the day of an answer; of several, all that they may mean, so that nothing is decided by one."""
    found = [
        day
        for answer in answered
        if (day := day_of(answer.get("valueDate") or answer.get("valueDateTime"))) is not None
    ]
    if not found:
        return None
    return Day(min(day.earliest for day in found), max(day.latest for day in found))


def _take(answers: Answers, link_id: str, answered: Sequence[Resource]) -> None:
    day, code = day_in(answered), _code(link_id, answered)
    if day is not None:
        answers.days[link_id] = day
    if code is None and day is None:
        answers.unread.add(link_id)
    else:
        answers.unread.discard(link_id)
    if link_id in FLAGS and answers.codes.get(link_id) == YES:
        answers.unread.discard(link_id)
    elif code is None:
        answers.codes.pop(link_id, None)
    else:
        answers.codes[link_id] = code


def _code(link_id: str, answered: Sequence[Resource]) -> str | None:
    codes = {coded_answers.code_of(link_id, answer) for answer in answered}
    if link_id in FLAGS and YES in codes:
        return YES
    if codes == {NO, UNKNOWN}:
        return UNKNOWN
    return codes.pop() if len(codes) == 1 else None
