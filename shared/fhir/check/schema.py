"""What R4B says of each type, compiled once per type from the metadata of `fhir.resources.R4B`'s own models.

The library's validators are not run (they accept wrong codes and reference targets and change what they read;
docs/adr/0009); its models are the source of names, types, cardinalities, choices, required bindings and
reference targets, for the quick way (`compiled.py`) and the slow one (`shape.py`). A differential test holds
both and the library together.
"""

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic.fields import FieldInfo

from shared.indexed_text import LONGEST


def words(text: str) -> frozenset[str]:
    """Read a list that is written as words."""
    return frozenset(text.split())


def word(value: object) -> str:
    """Give a value that is a string, or else an empty one: of a wrong value its shape was told already."""
    return value if isinstance(value, str) else ""


# Required bindings that the library cuts short with a "+" (seen in 8.3.0), whole from the R4B value sets.
_OBSERVATION = "registered preliminary final amended corrected cancelled entered-in-error unknown"
_ENCOUNTER = "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"
_WHOLE_BINDINGS = {
    "DetectedIssue.status": _OBSERVATION,
    "DeviceUdiCarrier.entryType": "barcode rfid manual card self-reported unknown",
    "DeviceUseStatement.status": "active completed entered-in-error intended stopped on-hold",
    "DiagnosticReport.status": (
        "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown"
    ),
    "Encounter.status": _ENCOUNTER,
    "EncounterStatusHistory.status": _ENCOUNTER,
    "Observation.status": _OBSERVATION,
    "QuestionnaireItem.type": (
        "group display question boolean decimal integer date dateTime time string text url choice open-choice"
        " attachment reference quantity"
    ),
    "RiskAssessment.status": _OBSERVATION,
    "StructureMapGroupRuleTarget.transform": (
        "create copy truncate escape cast append translate reference dateOp uuid pointer evaluate cc c qty id"
        " cp"
    ),
    "SupplyRequest.status": "draft active suspended cancelled completed entered-in-error unknown",
    "Task.status": (
        "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed"
        " entered-in-error"
    ),
}
# What services search by: an index takes no longer text (shared/indexed_text.py).
_INDEXED = frozenset({"Coverage.subscriberId", "Identifier.system", "Identifier.value"})
# Where the library lists the words of a description in place of codes (any MIME type is allowed).
_NO_BINDING = frozenset({"CapabilityStatement.format"})
RESOURCE_TYPES = words(
    "Account ActivityDefinition AdministrableProductDefinition AdverseEvent AllergyIntolerance "
    "Appointment AppointmentResponse AuditEvent Basic Binary BiologicallyDerivedProduct BodyStructure "
    "Bundle CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem ChargeItemDefinition Citation "
    "Claim ClaimResponse ClinicalImpression ClinicalUseDefinition CodeSystem Communication "
    "CommunicationRequest CompartmentDefinition Composition ConceptMap Condition Consent Contract "
    "Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device "
    "DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest "
    "DocumentReference Encounter Endpoint EnrollmentRequest EnrollmentResponse EpisodeOfCare "
    "EventDefinition Evidence EvidenceReport EvidenceVariable ExampleScenario ExplanationOfBenefit "
    "FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse HealthcareService "
    "ImagingStudy Immunization ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide "
    "Ingredient InsurancePlan Invoice Library Linkage List Location ManufacturedItemDefinition Measure "
    "MeasureReport Media Medication MedicationAdministration MedicationDispense MedicationKnowledge "
    "MedicationRequest MedicationStatement MedicinalProductDefinition MessageDefinition MessageHeader "
    "MolecularSequence NamingSystem NutritionOrder NutritionProduct Observation ObservationDefinition "
    "OperationDefinition OperationOutcome Organization OrganizationAffiliation "
    "PackagedProductDefinition Parameters Patient PaymentNotice PaymentReconciliation Person "
    "PlanDefinition Practitioner PractitionerRole Procedure Provenance Questionnaire "
    "QuestionnaireResponse RegulatedAuthorization RelatedPerson RequestGroup ResearchDefinition "
    "ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment Schedule SearchParameter "
    "ServiceRequest Slot Specimen SpecimenDefinition StructureDefinition StructureMap Subscription "
    "SubscriptionStatus SubscriptionTopic Substance SubstanceDefinition SupplyDelivery SupplyRequest "
    "Task TerminologyCapabilities TestReport TestScript ValueSet VerificationResult VisionPrescription"
)
_ANY = "Resource"
# Names of the library's own primitive markers that are not the FHIR name with a capital.
_PRIMITIVES = {"UuidVersion": "uuid", "EncodedBytes": "base64Binary"}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a type: `step` is its FHIRPath step, `type` a primitive, a complex type or Resource.

    `extensible` says whether a primitive has a `_name` for its id and extensions: an id has none. `longest`
    is the most characters of a text that is searched by, None for any.
    """

    name: str
    step: str
    type: str
    primitive: bool
    extensible: bool
    many: bool
    codes: frozenset[str] | None
    targets: frozenset[str] | None
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """One type: its members by JSON name, the names of which one must be there, the choices, and what stands
    in a summary.
    """

    name: str
    is_resource: bool
    members: Mapping[str, Member]
    required: tuple[tuple[str, tuple[str, ...]], ...]
    choices: tuple[tuple[str, tuple[str, ...]], ...]
    summary: frozenset[str]


def is_resource_type(name: object) -> bool:
    """Say whether this is the name of a resource type of R4B."""
    return isinstance(name, str) and name in RESOURCE_TYPES


@cache
def shape_of(type_name: str) -> Shape:
    """Compile a type; the first call for a resource type imports its module (10 to 50 ms)."""
    model = get_fhir_model_class(type_name)
    fields = [
        (name, info)
        for name, info in model.model_fields.items()
        if name != "fhir_comments" and not name.endswith("__ext")
    ]
    members = [
        _member(type_name, info.alias or name, info, extensible=f"{name}__ext" in model.model_fields)
        for name, info in fields
    ]
    return Shape(
        name=type_name,
        is_resource=model.has_resource_base(),
        members={member.name: member for member in members},
        required=tuple(_required(fields)),
        choices=tuple((stem, names) for stem, names in _choices(fields).items()),
        summary=frozenset(
            info.alias or name for name, info in fields if _notes(info).get("summary_element_property")
        ),
    )


def _member(owner: str, name: str, info: FieldInfo, *, extensible: bool) -> Member:
    notes = _notes(info)
    many, type_name, primitive = _type(info.annotation)
    stem = notes.get("one_of_many")
    codes = notes.get("enum_values")
    if f"{owner}.{name}" in _NO_BINDING:
        codes = None
    if codes and "+" in codes:
        codes = _WHOLE_BINDINGS[f"{owner}.{name}"].split()
    targets = frozenset(notes.get("enum_reference_types", ()))
    return Member(
        name=name,
        step=f"{stem}.ofType({name[len(stem)].lower() + name[len(stem) + 1 :] if primitive else type_name})"
        if stem
        else name,
        type=type_name,
        primitive=primitive,
        extensible=extensible,
        many=many,
        codes=frozenset(codes) if codes else None,
        targets=targets if targets and _ANY not in targets else None,
        longest=LONGEST if f"{owner}.{name}" in _INDEXED else None,
    )


def _notes(info: FieldInfo) -> dict[str, Any]:
    extra = info.json_schema_extra
    return extra if isinstance(extra, dict) else {}


def _type(annotation: Any) -> tuple[bool, str, bool]:
    """Take an annotation apart: repeats, name of the type, primitive."""
    annotation = _without_none(annotation)
    many = typing.get_origin(annotation) is list
    if many:
        annotation = _without_none(typing.get_args(annotation)[0])
    if annotation is bool:
        return many, "boolean", True
    if typing.get_origin(annotation) is typing.Annotated:
        name = type(typing.get_args(annotation)[-1]).__name__
        return many, _PRIMITIVES.get(name, name[0].lower() + name[1:]), True
    return many, annotation.__name__.removesuffix("Type"), False


def _without_none(annotation: Any) -> Any:
    """Unwrap Optional; of several (`Id | String`, as Element.id has it) the last is the widest."""
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        return [part for part in typing.get_args(annotation) if part is not NoneType][-1]
    return annotation


def _required(fields: list[tuple[str, FieldInfo]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, info in fields:
        if info.is_required() or _notes(info).get("element_required"):
            yield info.alias or name, (info.alias or name,)
    for stem, names in _choices(fields).items():
        if any(
            _notes(info).get("one_of_many") == stem and _notes(info).get("one_of_many_required")
            for _, info in fields
        ):
            yield stem, names


def _choices(fields: list[tuple[str, FieldInfo]]) -> dict[str, tuple[str, ...]]:
    choices: dict[str, tuple[str, ...]] = {}
    for name, info in fields:
        if stem := _notes(info).get("one_of_many"):
            choices[stem] = (*choices.get(stem, ()), info.alias or name)
    return choices
