"""Valid resources with many kinds of elements, to be mutated."""

from typing import Any

URN = "urn:uuid:00000000-0000-4000-8000-00000000000"
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {"profile": ["http://example.com/p"], "tag": [{"system": "s", "code": "c"}]},
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    "identifier": [
        {"use": "official", "system": "hcn", "value": "1", "period": {"start": "2020", "end": "2021-02"}}
    ],
    "active": True,
    "name": [{"use": "usual", "family": "F", "given": ["A", None], "_given": [None, {"id": "g"}]}],
    "telecom": [{"system": "phone", "value": "1", "rank": 1}],
    "gender": "female",
    "birthDate": "1980-01-02",
    "_birthDate": {"extension": [{"url": "http://x", "valueDateTime": "1980-01-02T03:04:05Z"}]},
    "deceasedBoolean": False,
    "contact": [{"name": {"text": "C"}, "relationship": [{"text": "r"}]}],
    "managingOrganization": {"reference": "#o"},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "O"}],
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3"}], "text": "pain"},
    "subject": {"reference": "Patient/p1", "display": "x"},
    "effectiveDateTime": "2026-01-05T10:00:00-05:00",
    "valueQuantity": {
        "value": 6.50,
        "comparator": "<",
        "unit": "kg",
        "system": "http://unitsofmeasure.org",
        "code": "kg",
    },
    "component": [{"code": {"text": "c"}, "valueRange": {"low": {"value": 1}, "high": {"value": 2}}}],
    "note": [{"authorString": "a", "time": "2026-01-05", "text": "**n**"}],
}
REQUEST: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "order",
    "priority": "routine",
    "subject": {"reference": "Patient/p1"},
    "occurrenceTiming": {"repeat": {"frequency": 1, "period": 1.0, "periodUnit": "wk", "dayOfWeek": ["mon"]}},
    "authoredOn": "2026-01-05T10:00:00Z",
    "requester": {"type": "Organization", "identifier": {"system": "s", "value": "v"}},
    "quantityRatio": {"numerator": {"value": 1}, "denominator": {"value": 2}},
}
QUESTIONS: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "status": "active",
    "item": [
        {
            "linkId": "1",
            "type": "group",
            "item": [{"linkId": "2", "type": "choice", "answerOption": [{"valueInteger": 1}]}],
        },
        {
            "linkId": "3",
            "type": "string",
            "maxLength": 3,
            "enableWhen": [{"question": "2", "operator": "=", "answerInteger": 1}],
        },
    ],
}
ANSWERS: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "status": "completed",
    "item": [
        {
            "linkId": "1",
            "item": [{"linkId": "2", "answer": [{"valueInteger": 1}, {"valueTime": "10:00:00"}]}],
        },
        {
            "linkId": "3",
            "answer": [{"valueAttachment": {"contentType": "text/plain", "data": "QQ==", "size": 1}}],
        },
    ],
}
CLAIM: dict[str, Any] = {
    "resourceType": "Claim",
    "status": "active",
    "type": {"text": "t"},
    "use": "preauthorization",
    "patient": {"reference": "Patient/p1"},
    "created": "2026-01-05",
    "provider": {"reference": "Organization/o"},
    "priority": {"text": "n"},
    "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/c"}}],
    "item": [
        {"sequence": 1, "productOrService": {"text": "s"}, "unitPrice": {"value": 10.00, "currency": "CAD"}}
    ],
}
PARAMETERS: dict[str, Any] = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "a", "valueString": "x"},
        {"name": "b", "resource": {"resourceType": "Patient", "active": True}},
        {"name": "c", "part": [{"name": "d", "valueUuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}]},
    ],
}
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "transaction",
    "timestamp": "2026-01-05T10:00:00.000Z",
    "entry": [
        {"fullUrl": f"{URN}1", "resource": PATIENT, "request": {"method": "POST", "url": "Patient"}},
        {
            "fullUrl": f"{URN}2",
            "resource": {**OBSERVATION, "subject": {"reference": f"{URN}1"}},
            "request": {"method": "POST", "url": "Observation"},
        },
    ],
}
RESOURCES = [PATIENT, OBSERVATION, REQUEST, QUESTIONS, ANSWERS, CLAIM, PARAMETERS, BUNDLE]
