"""Step 3: each invariant broken once, by its key, and kept once."""

from typing import Any

import pytest

from tests.unit.fhir.problems import PATIENT, problems

OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "s", "code": "c"}]},
}
APPOINTMENT = {
    "resourceType": "Appointment",
    "status": "booked",
    "start": "2026-01-05T10:00:00Z",
    "end": "2026-01-05T10:30:00Z",
    "participant": [{"status": "accepted", "actor": {"reference": "Patient/1"}}],
}
MINUTES = {
    "code": {"text": "x"},
    "valueString": "y",
    "extension": [{"url": "u", "valueDuration": {"value": 3, "unit": "min", "system": "s", "code": "min"}}],
}
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONSENT = {
    "resourceType": "Consent",
    "status": "active",
    "scope": {"text": "privacy"},
    "category": [{"text": "disclosure"}],
    "patient": {"reference": "Patient/1"},
}
ITEM = {"linkId": "1", "type": "string"}
EXTENSION = {"url": "http://example.com/x"}
ORGANIZATION = {"resourceType": "Organization", "id": "o", "name": "O"}


def patient(**members: Any) -> dict[str, Any]:
    """A Patient with these members."""
    return {**PATIENT, **members}


def observation(**members: Any) -> dict[str, Any]:
    """An Observation with these members."""
    return {**OBSERVATION, **members}


def questionnaire(*items: dict[str, Any]) -> dict[str, Any]:
    """A Questionnaire with these items."""
    return {"resourceType": "Questionnaire", "status": "active", "item": list(items)}


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("pat-1", patient(contact=[{"gender": "male"}])),
    ("per-1", patient(name=[{"text": "x", "period": {"start": "2026-02-01", "end": "2026-01-31"}}])),
    (
        "per-1",
        patient(
            name=[
                {"text": "x", "period": {"start": "2026-01-01T01:00:00Z", "end": "2026-01-01T01:00:00+01:00"}}
            ]
        ),
    ),
    ("cpt-2", patient(telecom=[{"value": "1"}])),
    ("ext-1", patient(extension=[EXTENSION])),
    (
        "ext-1",
        patient(
            extension=[{**EXTENSION, "valueString": "x", "extension": [{**EXTENSION, "valueString": "x"}]}]
        ),
    ),
    ("att-1", patient(photo=[{"data": "QQ=="}])),
    ("dom-3", patient(contained=[ORGANIZATION])),
    (
        "dom-2",
        patient(
            managingOrganization={"reference": "#o"},
            contained=[{**ORGANIZATION, "contained": [{**ORGANIZATION, "id": "q"}]}],
        ),
    ),
    (
        "dom-4",
        patient(
            managingOrganization={"reference": "#o"}, contained=[{**ORGANIZATION, "meta": {"versionId": "1"}}]
        ),
    ),
    ("ref-1", patient(managingOrganization={"reference": "#missing"})),
    ("txt-2", patient(text={"status": "empty", "div": '<div xmlns="http://www.w3.org/1999/xhtml"> </div>'})),
    ("obs-6", observation(valueString="x", dataAbsentReason={"text": "y"})),
    ("obs-7", observation(valueString="x", component=[{"code": OBSERVATION["code"], "valueString": "y"}])),
    ("obs-3", observation(referenceRange=[{"age": {"low": {"value": 1}}}])),
    ("qty-3", observation(valueQuantity={"value": 1, "code": "kg"})),
    ("drt-1", observation(note=[{"text": "x"}], component=[MINUTES])),
    (
        "con-4",
        {
            "resourceType": "Condition",
            "subject": {"reference": "Patient/1"},
            "abatementDateTime": "2026",
            "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        },
    ),
    ("ppc-1", CONSENT),
    ("rng-2", observation(valueRange={"low": {"value": 2}, "high": {"value": 1}})),
    ("rat-1", observation(valueRatio={"numerator": {"value": 2}})),
    ("app-1", {**APPOINTMENT, "participant": [{"status": "accepted"}]}),
    ("app-2", {key: value for key, value in APPOINTMENT.items() if key != "end"}),
    ("app-3", {key: value for key, value in APPOINTMENT.items() if key not in ("start", "end")}),
    ("app-4", {**APPOINTMENT, "cancelationReason": {"text": "x"}}),
    ("start is not after", {**APPOINTMENT, "end": "2026-01-05T09:00:00Z"}),
    (
        "inv-1",
        {
            "resourceType": "Task",
            "status": "requested",
            "intent": "order",
            "authoredOn": "2026-01-02T00:00:00Z",
            "lastModified": "2026-01-01T00:00:00Z",
        },
    ),
    ("inv-1", {"resourceType": "Parameters", "parameter": [{"name": "x"}]}),
    (
        "inv-1",
        {"resourceType": "Parameters", "parameter": [{"name": "x", "valueString": "y", "resource": PATIENT}]},
    ),
    ("org-1", {"resourceType": "Organization", "active": True}),
    ("org-2", {**ORGANIZATION, "telecom": [{"system": "phone", "value": "1", "use": "home"}]}),
    ("que-1", questionnaire({"linkId": "1", "type": "group"})),
    ("que-2", questionnaire({**ITEM, "item": [ITEM]})),
    ("que-3", questionnaire({"linkId": "1", "type": "display", "code": [{"code": "x"}]})),
    (
        "que-4",
        questionnaire(
            {"linkId": "1", "type": "choice", "answerValueSet": "x", "answerOption": [{"valueString": "y"}]}
        ),
    ),
    ("que-5", questionnaire({"linkId": "1", "type": "boolean", "answerOption": [{"valueString": "y"}]})),
    ("que-6", questionnaire({"linkId": "1", "type": "display", "required": True})),
    (
        "que-7",
        questionnaire({**ITEM, "enableWhen": [{"question": "2", "operator": "exists", "answerString": "x"}]}),
    ),
    ("que-8", questionnaire({"linkId": "1", "type": "display", "initial": [{"valueString": "x"}]})),
    ("que-10", questionnaire({"linkId": "1", "type": "date", "maxLength": 3})),
    (
        "que-12",
        questionnaire({**ITEM, "enableWhen": [{"question": "2", "operator": "=", "answerString": "x"}] * 2}),
    ),
    ("que-13", questionnaire({**ITEM, "initial": [{"valueString": "x"}] * 2})),
    (
        "qrs-1",
        {
            "resourceType": "QuestionnaireResponse",
            "status": "completed",
            "item": [{"linkId": "1", "answer": [{"valueString": "x"}], "item": [{"linkId": "2"}]}],
        },
    ),
    (
        "tim-1",
        {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "subject": {"reference": "Patient/1"},
            "occurrenceTiming": {"repeat": {"duration": 3}},
        },
    ),
]


@pytest.mark.parametrize(
    ("key", "resource"), BROKEN, ids=[f"{key}-{place}" for place, (key, _) in enumerate(BROKEN)]
)
def test_a_broken_invariant_is_told_by_its_key(key: str, resource: dict[str, Any]) -> None:
    texts = [text for _, text in problems(resource)]
    assert len(texts) == 1
    assert key in texts[0]


@pytest.mark.parametrize(
    "resource",
    [
        patient(contact=[{"telecom": [{"system": "phone", "value": "1"}]}]),
        patient(name=[{"text": "x", "period": {"start": "2026-01", "end": "2026-01-01"}}]),
        patient(name=[{"text": "x", "period": {"start": "2026-01-01", "end": "2026-01-01"}}]),
        patient(extension=[{**EXTENSION, "extension": [{**EXTENSION, "valueString": "x"}]}]),
        patient(managingOrganization={"reference": "#o"}, contained=[ORGANIZATION]),
        observation(valueQuantity={"value": 1, "code": "kg", "system": "http://unitsofmeasure.org"}),
        observation(dataAbsentReason={"text": "asked, unknown"}),
        APPOINTMENT,
        questionnaire({"linkId": "1", "type": "group", "item": [{**ITEM, "linkId": "2"}]}),
        {"resourceType": "Parameters"},
    ],
)
def test_a_resource_that_keeps_the_rules_is_taken(resource: dict[str, Any]) -> None:
    assert problems(resource) == []


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<img src="x" onerror="alert(1)"/>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" java&#10;script:alert(1)">x</a>',
        '<a href="data:text/html,x">x</a>',
        '<p style="background:url(javascript:alert(1))">x</p>',
        "<iframe>x</iframe>",
        "<form>x</form>",
        "<p>&nbsp;</p>",
        "<p>open",
        "<!-- x --><svg>x</svg>",
        "<?php x ?>x",
    ],
)
def test_a_narrative_that_could_run_or_is_no_xhtml_is_refused(inside: str) -> None:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'
    assert [place for place, _ in problems(patient(text={"status": "generated", "div": div}))] == [
        "Patient.text.div"
    ]


@pytest.mark.parametrize(
    "div",
    [
        "<div>x</div>",
        '<p xmlns="http://www.w3.org/1999/xhtml">x</p>',
        '<!DOCTYPE div><div xmlns="http://www.w3.org/1999/xhtml">x</div>',
        '<!DOCTYPE div [<!ENTITY a "x">]><div xmlns="http://www.w3.org/1999/xhtml">&a;</div>',
        '<!DOCTYPE d [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><div xmlns="http://www.w3.org/1999/xhtml">&b;</div>',
        "",
        "text",
    ],
)
def test_a_narrative_is_one_xhtml_div_without_declarations(div: str) -> None:
    assert problems(patient(text={"status": "generated", "div": div}))


def test_an_ordinary_narrative_is_taken() -> None:
    div = (
        '<div xmlns="http://www.w3.org/1999/xhtml" xml:lang="fr"><h3>Résumé</h3><table class="g"><tr><td>'
        '&lt;3&#160;<a href="https://x.ca">x</a>'
        '<img src="data:image/png;base64,QQ==" alt="x"/></td></tr></table></div>'
    )
    assert problems(patient(text={"status": "generated", "div": div})) == []
