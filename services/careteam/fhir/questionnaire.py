"""The Questionnaire that is scored here."""

from services.careteam.fhir.elements import Resource
from services.careteam.models.instruments import OSWESTRY, OSWESTRY_HIGHEST, OSWESTRY_SECTIONS
from shared.fhir.codes import LOINC, LUMBAR

QUESTIONNAIRE_ID = "oswestry"
QUESTIONNAIRE_URL = f"{LUMBAR}/Questionnaire/{QUESTIONNAIRE_ID}"


def questionnaire() -> Resource:
    """Render the Oswestry questionnaire: its codes and its scoring; the wording is the licence holder's."""
    return {
        "resourceType": "Questionnaire",
        "id": QUESTIONNAIRE_ID,
        "url": QUESTIONNAIRE_URL,
        "name": "Oswestry",
        "title": OSWESTRY.name,
        "status": "active",
        "subjectType": ["Patient"],
        "copyright": "The wording of the items is licensed to each site and is not part of this resource.",
        "description": (
            "Each answered section counts 0 to 5; score = sum / (5 x answered sections) x 100 %; "
            "fewer than 8 answered sections are not scored. The score is made by the server."
        ),
        "code": [{"system": LOINC, "code": OSWESTRY.loinc}],
        "item": [
            _section(number_of, link_id) for number_of, link_id in enumerate(OSWESTRY_SECTIONS, start=1)
        ],
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
