"""The code system of each type's `status`: a code of another system is another code (R4B value sets)."""

_HL7 = "http://hl7.org/fhir"
_CODE_SYSTEMS = f"{_HL7}/CodeSystem"

STATUS_SYSTEMS = {
    "Appointment": f"{_HL7}/appointmentstatus",
    "CarePlan": f"{_HL7}/request-status",
    "CareTeam": f"{_HL7}/care-team-status",
    "Claim": f"{_HL7}/fm-status",
    "ClaimResponse": f"{_HL7}/fm-status",
    "Communication": f"{_HL7}/event-status",
    "Composition": f"{_HL7}/composition-status",
    "Consent": f"{_HL7}/consent-state-codes",
    "Coverage": f"{_HL7}/fm-status",
    "Device": f"{_HL7}/device-status",
    "DiagnosticReport": f"{_HL7}/diagnostic-report-status",
    "DocumentReference": f"{_HL7}/document-reference-status",
    "Encounter": f"{_HL7}/encounter-status",
    "ExplanationOfBenefit": f"{_HL7}/explanationofbenefit-status",
    "FamilyMemberHistory": f"{_HL7}/history-status",
    "Goal": f"{_HL7}/goal-status",
    "ImagingStudy": f"{_HL7}/imagingstudy-status",
    "Immunization": f"{_HL7}/event-status",
    "List": f"{_HL7}/list-status",
    "Location": f"{_HL7}/location-status",
    "Media": f"{_HL7}/event-status",
    "Medication": f"{_CODE_SYSTEMS}/medication-status",
    "MedicationRequest": f"{_CODE_SYSTEMS}/medicationrequest-status",
    "MedicationStatement": f"{_CODE_SYSTEMS}/medication-statement-status",
    "Observation": f"{_HL7}/observation-status",
    "Procedure": f"{_HL7}/event-status",
    "QuestionnaireResponse": f"{_HL7}/questionnaire-answers-status",
    "ServiceRequest": f"{_HL7}/request-status",
    "Specimen": f"{_HL7}/specimen-status",
    "Task": f"{_HL7}/task-status",
}
