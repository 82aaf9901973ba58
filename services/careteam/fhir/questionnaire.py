"""The Questionnaires that are scored here, and the intake form that is read."""

from services.careteam.fhir.elements import Resource
from services.careteam.models.instruments import OSWESTRY, OSWESTRY_HIGHEST, OSWESTRY_SECTIONS, START_BACK
from shared.fhir import intake, start_back
from shared.fhir.codes import LOINC, LUMBAR

OSWESTRY_URL = f"{LUMBAR}/Questionnaire/{OSWESTRY.id}"
START_BACK_URL = f"{LUMBAR}/Questionnaire/{START_BACK}"


def questionnaires() -> list[Resource]:
    """Render them: their codes and their scoring; the wording of the items is the licence holder's."""
    return [
        _questionnaire(
            OSWESTRY.id,
            name="Oswestry",
            title=OSWESTRY.name,
            loinc=OSWESTRY.loinc,
            scored=(
                "Each answered section counts 0 to 5; score = sum / (5 x answered sections) x 100 %; "
                "fewer than 8 answered sections are not scored."
            ),
            items=[_section(number_of, link) for number_of, link in enumerate(OSWESTRY_SECTIONS, start=1)],
        ),
        _questionnaire(
            START_BACK,
            name="StartBack",
            title="STarT Back screening tool",
            loinc=start_back.PANEL,
            scored=(
                "Items 1 to 8 count 1 where they are agreed with, item 9 where it is very much or extremely; "
                "items 5 to 9 are the distress subscore. Up to 3 low risk, else medium, or high from a "
                "subscore of 4. What is incomplete is not scored."
            ),
            items=start_back.questionnaire_items(),
        ),
        _intake(),
    ]


def _intake() -> Resource:
    return {
        "resourceType": "Questionnaire",
        "id": intake.INTAKE,
        "url": intake.URL,
        "name": "Intake",
        "title": "Intake form before the first visit",
        "status": "active",
        "subjectType": ["Patient"],
        "description": "Filled in at home by the link of a message; read by the team, and not scored.",
        "item": intake.questionnaire_items(),
    }


def _questionnaire(
    questionnaire_id: str, *, name: str, title: str, loinc: str, scored: str, items: list[Resource]
) -> Resource:
    return {
        "resourceType": "Questionnaire",
        "id": questionnaire_id,
        "url": f"{LUMBAR}/Questionnaire/{questionnaire_id}",
        "name": name,
        "title": title,
        "status": "active",
        "subjectType": ["Patient"],
        "copyright": "The wording of the items is licensed to each site and is not part of this resource.",
        "description": f"{scored} The score is made by the server.",
        "code": [{"system": LOINC, "code": loinc}],
        "item": items,
    }


def _section(number_of: int, link_id: str) -> Resource:
    options = [{"valueInteger": points} for points in range(OSWESTRY_HIGHEST + 1)]
    return {
        "linkId": link_id,
        "text": f"Section {number_of}",
        "type": "choice",
        "required": False,
        "answerOption": options,
    }
