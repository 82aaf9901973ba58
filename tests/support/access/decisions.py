"""Who may do what: by hand, and of operations as their tables say. What does not stand here is refused."""

from dataclasses import dataclass, field

from deploy.operation_tables import tables_of
from deploy.services import SERVICES
from tests.support.access.stored import Stored

PARTIES = {
    "family-practice": "referrer",
    "second-practice": "referrer",
    "workplace-insurer": "insurer",
    "motor-insurer": "insurer",
    "coordinator": "coordinator",
    "physiatrist": "clinician",
    "physiotherapist": "clinician",
    "physiotherapist-2": "clinician",
    "occupational-therapist": "clinician",
    "psychologist": "clinician",
    "pain-physician": "clinician",
    "operator": "operator",
    "privacy-officer": "privacy-officer",
}
_SENT = """AllergyIntolerance Binary CarePlan CareTeam ClinicalImpression Communication Composition Condition
    Consent Coverage Device DiagnosticReport DocumentReference Encounter FamilyMemberHistory Flag Goal
    HealthcareService ImagingStudy Immunization List Location Media Medication MedicationAdministration
    MedicationRequest MedicationStatement Observation Organization Patient Practitioner PractitionerRole
    Procedure Provenance QuestionnaireResponse RelatedPerson RiskAssessment ServiceRequest Specimen Task"""
_DIRECTORY = "HealthcareService Location Organization Practitioner PractitionerRole"
# The types that a party reads and searches, inside its rows.
READS = {
    "referrer": f"{_SENT} Appointment Questionnaire",
    "insurer": f"{_DIRECTORY} Claim ClaimResponse Communication Coverage Task",
    "coordinator": f"{_SENT} Appointment AuditEvent Claim ClaimResponse Questionnaire Schedule Slot",
    "clinician": f"""{_DIRECTORY} AllergyIntolerance Appointment Binary CarePlan CareTeam Claim ClaimResponse
        ClinicalImpression Communication Composition Condition DiagnosticReport DocumentReference
        FamilyMemberHistory Flag Goal ImagingStudy Immunization List Media Medication
        MedicationAdministration MedicationRequest
        MedicationStatement Observation Patient Procedure Provenance Questionnaire QuestionnaireResponse
        RiskAssessment Schedule ServiceRequest Slot Task""",
    "operator": "",
    "privacy-officer": "AuditEvent",
}
# The parameters that each operation has.
PARAMETERS: dict[str, set[str]] = {
    f"{service} {operation.method} {operation.path}": {parameter.name for parameter in operation.parameters}
    for service in SERVICES
    for table in tables_of(service)
    for operation in table.operations
}
# The parties that act, inside their rows: as the operation tables say, and what is in none of them.
ACTS = {
    **{
        f"{service} {operation.method} {operation.path}": " ".join(operation.parties)
        for service in SERVICES
        for table in tables_of(service)
        for operation in table.operations
    },
    "referral POST /fhir": "referrer coordinator",
    "referral POST /fhir/ServiceRequest": "referrer coordinator",
    "referral POST /fhir/Binary": "referrer coordinator",
    "referral POST /fhir/DocumentReference": "referrer coordinator",
    "referral GET /analytics/waits": "referrer coordinator",
    "referral GET /analytics/completeness": "referrer coordinator",
    "referral PUT /fhir/ServiceRequest/{id}": "referrer",
    "referral PATCH /fhir/ServiceRequest/{id}": "referrer",
    "scheduling GET /guarantee": "coordinator",
    "scheduling GET /guarantee/summary": "coordinator",
    "scheduling GET /forecast": "coordinator",
    "scheduling GET /attendance": "coordinator",
    "scheduling GET /desk": "coordinator",
    "scheduling GET /replanning": "coordinator",
    "scheduling GET /roster": "coordinator",
    "careteam GET /worklist": "coordinator clinician",
    "referral GET /worklist": "referrer insurer coordinator clinician",
    "scheduling GET /calendar": "coordinator clinician",
    "scheduling GET /calendar-links": "coordinator clinician",
    "scheduling POST /calendar-links": "coordinator clinician",
    "scheduling POST /calendar-links/{id}/$revoke": "coordinator clinician",
    "scheduling GET /worklist": "coordinator clinician",
    "notifications GET /feed": "referrer insurer coordinator clinician",
}
# What every service answers operators.
ACTS |= {
    f"{service} {call}": "operator"
    for service in SERVICES
    for call in (
        "GET /health",
        "GET /dead-letters",
        "POST /dead-letters/{key:path}/$replay",
        "GET /trace",
    )
}
# Whom the parameters of an include refer to.
REFERS_TO = {
    "patient": {"Patient"},
    "subject": {"Patient"},
    "focus": {"ServiceRequest"},
    "based-on": {"ServiceRequest"},
    "request": {"Claim"},
    "care-team": {"CareTeam"},
    "target": {"ServiceRequest"},
    "organization": {"Organization"},
    "partof": {"Location"},
    "practitioner": {"Practitioner"},
    "location": {"Location"},
    "service": {"HealthcareService"},
    "target:Task": {"Task"},
    "target:Composition": {"Composition"},
    "target:CarePlan": {"CarePlan"},
}
_REFERRALS = {
    "public": ("family-practice", None, {"physiatrist", "physiotherapist"}),
    "workplace": (
        "family-practice",
        "workplace-insurer",
        {"physiatrist", "physiotherapist-2", "occupational-therapist"},
    ),
    "motor": ("second-practice", "motor-insurer", {"physiatrist", "physiotherapist", "psychologist"}),
    "twice": ("second-practice", None, set[str]()),
}
_FOR_REFERRERS = ("process-request", "acknowledge-emergency", "answer-clinic")


@dataclass(kw_only=True)
class Decisions:
    """The decisions of one moment: `without_consent` and `left` change them."""

    stored: list[Stored]
    without_consent: set[str] = field(default_factory=set)
    left: set[tuple[str, str]] = field(default_factory=set)

    def reads(self, party: str, resource_type: str) -> bool:
        """Tell whether a party may ask for a type at all."""
        return resource_type in READS[PARTIES[party]].split()

    def acts(self, party: str, route: str) -> bool:
        """Tell whether a party acts here at all."""
        return PARTIES[party] in ACTS.get(route, "").split()

    def rows(self, party: str, service: str, resource_type: str) -> list[Stored]:
        """Name what a party may see of a type."""
        of_type = [one for one in self.stored if (one.service, one.type) == (service, resource_type)]
        return [one for one in of_type if self.may_see(party, one)]

    def may_see(self, party: str, one: Stored) -> bool:
        """Decide about one resource."""
        if one.is_of_the_clinic:
            return True
        if one.service == "notifications":
            return self._was_told(party, one)
        match PARTIES[party]:
            case "coordinator":
                return True
            case "referrer":
                return self._of_practice(party, one)
            case "insurer":
                return one.service == "referral" and self._of_insurer(party, one)
            case "clinician":
                return self._of_clinician(party, one)
        return False

    def _of_practice(self, party: str, one: Stored) -> bool:
        if one.service == "careteam":
            return False
        if one.type == "Patient":
            named = {other.referral for other in self.stored if other.patient == one.id}
            return any(found is not None and _REFERRALS[found][0] == party for found in named)
        if (one.service, one.type) == ("referral", "Task") and not self._is(one, *_FOR_REFERRERS):
            return False
        if (one.service, one.type) == ("scheduling", "Task") and self._is(one, "tell-patient"):
            return False
        return one.referral is not None and _REFERRALS[one.referral][0] == party

    def _of_insurer(self, party: str, one: Stored) -> bool:
        name = one.referral
        if name is None or _REFERRALS[name][1] != party or name in self.without_consent:
            return False
        if one.type == "Task":
            return one.names(f"Organization/{party}") and self._is(one, "decide-authorization")
        return one.type in ("Claim", "ClaimResponse", "Coverage")

    def _of_clinician(self, party: str, one: Stored) -> bool:
        if one.type == "Slot":
            return True
        if one.service == "scheduling":
            treats = any(self._treats(party, visit) for visit in self._visits_about(one))
            return treats or self._on_team(party, one.referral)
        if one.service == "careteam" and one.type in ("Appointment", "Composition"):
            return one.names(f"Practitioner/{party}'")
        if one.type == "Patient":
            return any(
                self._on_team(party, other.referral) for other in self.stored if other.patient == one.id
            )
        if (one.service, one.type) == ("careteam", "Provenance") and one.referral is None:
            about = one.body["target"][0]["reference"]
            return any(
                self.may_see(party, other)
                for other in self.stored
                if other.service == "careteam" and f"{other.type}/{other.id}" == about
            )
        if one.service == "careteam" and one.referral is None:
            return party == "physiatrist"
        return self._on_team(party, one.referral)

    def _was_told(self, party: str, one: Stored) -> bool:
        kind = PARTIES[party]
        if kind == "coordinator":
            return True
        to_me = party == one.body["recipient"][0]["reference"].rpartition("/")[2]
        if kind == "insurer":
            return to_me and one.referral not in self.without_consent
        return to_me and (party, one.referral or "") not in self.left

    def _on_team(self, party: str, name: str | None) -> bool:
        return name is not None and party in _REFERRALS[name][2] and (party, name) not in self.left

    def _visits_about(self, one: Stored) -> list[Stored]:
        if one.type == "Appointment":
            return [one]
        visits = [
            other for other in self.stored if (other.service, other.type) == ("scheduling", "Appointment")
        ]
        mine = [other for other in visits if other.referral == one.referral]
        return [other for other in mine if one.type != "List" or other.names(one.id)]

    def _treats(self, party: str, visit: Stored) -> bool:
        return visit.names(f"Practitioner/{party}'")

    def _is(self, task: Stored, *wanted: str) -> bool:
        return any(coding["code"] in wanted for coding in task.body["code"]["coding"])
