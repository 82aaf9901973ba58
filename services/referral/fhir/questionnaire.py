"""The clinic's own Questionnaire: what it needs to know, as coded answers and dates."""

from typing import Any

from services.referral.fhir.coded_answers import ANSWER_SYSTEM, YES_NO_SYSTEM
from services.referral.fhir.questionnaire_answers import ID, URL
from services.referral.models.questions import CHOICES, FLAGS
from shared.fhir import start_back
from shared.fhir.codes import LOINC

_YES_NO = [
    {"valueCoding": {"system": YES_NO_SYSTEM, "code": "Y", "display": "Yes"}},
    {"valueCoding": {"system": YES_NO_SYSTEM, "code": "N", "display": "No"}},
    {"valueCoding": {"system": YES_NO_SYSTEM, "code": "UNK", "display": "Unknown"}},
]


def render() -> dict[str, Any]:
    """Render the Questionnaire; it never changes without a new version."""
    return {
        "resourceType": "Questionnaire",
        "id": ID,
        "url": URL,
        "version": "2",
        "name": "BackPainReferral",
        "title": "Referral for back pain",
        "status": "active",
        "subjectType": ["Patient"],
        "item": [
            _group("red-flags", "Red flags", _red_flags()),
            _group("episode-of-pain", "This episode of pain", _episode()),
            _group("claims", "Claims because of the back", _claims()),
            _group("conditions", "Other conditions", _conditions()),
            _group("start-back", "STarT Back screening tool", start_back.questionnaire_items())
            | {"code": [{"system": LOINC, "code": start_back.PANEL}]},
            _group("unavailable", "When the patient cannot come", _unavailable(), repeats=True),
        ],
    }


def _group(link_id: str, text: str, items: list[dict[str, Any]], *, repeats: bool = False) -> dict[str, Any]:
    group: dict[str, Any] = {"linkId": link_id, "text": text, "type": "group", "item": items}
    return group | {"repeats": True} if repeats else group


def _red_flags() -> list[dict[str, Any]]:
    return [_yes_no(link_id, f"Is there {words}?") for link_id, words in FLAGS.items()]


def _episode() -> list[dict[str, Any]]:
    return [
        _date("onset-date", "When did the pain begin?"),
        _choice("episode", "Is this a first or a recurrent episode?"),
        _date("recurrence-date", "When did the pain come back?", when=("episode", "recurrent")),
    ]


def _claims() -> list[dict[str, Any]]:
    return [
        _choice("claim-workplace", "Is there a workplace insurance claim?"),
        _choice("claim-motor", "Is there a motor-vehicle claim?"),
        _choice("claim-legal", "Is there a legal claim?"),
    ]


def _conditions() -> list[dict[str, Any]]:
    born = "Is the patient pregnant, or did she give birth within the last year?"
    return [
        _choice("pregnancy", born),
        _date("postpartum-date", "When did she give birth?", when=("pregnancy", "postpartum")),
        _yes_no("chronic-multisite-pain", "Is there an unmanaged chronic pain disorder of several sites?"),
        _yes_no("opioid-dependency", "Is there an unmanaged opioid dependency?"),
    ]


def _unavailable() -> list[dict[str, Any]]:
    return [_date("unavailable-from", "From which day?"), _date("unavailable-to", "To which day?")]


def _yes_no(link_id: str, text: str) -> dict[str, Any]:
    return {"linkId": link_id, "text": text, "type": "choice", "answerOption": _YES_NO}


def _choice(link_id: str, text: str) -> dict[str, Any]:
    options = [{"valueCoding": {"system": ANSWER_SYSTEM, "code": code}} for code in CHOICES[link_id]]
    return {"linkId": link_id, "text": text, "type": "choice", "answerOption": options}


def _date(link_id: str, text: str, *, when: tuple[str, str] | None = None) -> dict[str, Any]:
    item: dict[str, Any] = {"linkId": link_id, "text": text, "type": "date"}
    if when is not None:
        asked, code = when
        answer = {"system": ANSWER_SYSTEM, "code": code}
        item["enableWhen"] = [{"question": asked, "operator": "=", "answerCoding": answer}]
    return item
