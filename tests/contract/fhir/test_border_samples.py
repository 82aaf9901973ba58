"""The border against the FHIR files of other projects: what must fail is refused, what is valid is taken.

An exception says why, and a test holds that it is still needed. Nothing is skipped in silence: with the files
away the whole module is skipped in one line.
"""

from pathlib import Path

import pytest

from shared.errors import Refusal
from shared.fhir import check
from shared.fhir.check import limits, steps
from shared.fhir.check.schema import words
from tests.support.samples import FOLDER

if not FOLDER.is_dir():
    pytest.skip("the FHIR samples are not on this machine", allow_module_level=True)

_ANSWERS = "the rule is in the Questionnaire that it answers, which the border does not have"
_TERMINOLOGY = "needs a terminology server: "
_PROFILE = "breaks a profile, not base R4: "
_EXTENSION = "needs the definition of an extension: "
_Q = "questionnaire__brianpos__"

_NEED_THE_QUESTIONNAIRE = words(
    "abstract-question-type-included attachment-content-type attachment-invalid-type"
    " choice-answer-option-exclusive choice-answer-option choice-async date-min-max date-time-min-max"
    " decimal-invalid-type decimal-max-decimal-places group-required"
    " group-with-string-invalid-nesting-link-id group-with-string-invalid-nesting integer-answer-option"
    " quantity-invalid-type quantity-min-max reference-unconstrained-resource-type"
    " string-draft-downgrade string-invalid-type text-invalid-type time-invalid-type url-invalid-type"
)

MUST_FAIL_EXCEPTIONS = {
    "ai5": _PROFILE + "no identifier allowed",
    "bundle-conformsto": _PROFILE + "a slice is missing",
    "bundle-id-collection": _TERMINOLOGY + "a display text of CVX",
    "condition-extensions-on-pattern": _TERMINOLOGY + "a code of ICD-10-GM",
    "dr-eh": _PROFILE + "base R4 lets a DocumentReference be about a Device",
    "dr-example-org": "a setting of that validator: example.org is not allowed as an address",
    "ips-htmlrefs-backwards": _EXTENSION + "narrativeLink takes a url, not a uri",
    "ips-link": _EXTENSION + "textLink points into the narrative",
    "ips-nz-pj": _TERMINOLOGY + "display texts of LOINC",
    "maiden-name": _EXTENSION + "where humanname-mothers-family may stand",
    "nested-questionnaire-nested-valueset": _EXTENSION + "an unknown extension",
    "no.gastronet": _TERMINOLOGY + "codes of SNOMED CT, and slices of a profile",
    "obs-decimal": "a rule of R5: R4's decimal has no limit of 18 digits",
    "parameters-reference-bad": "no R4 rule: a reference out of a Parameters may be known to the receiver",
    "qr-bad-ref2": "needs to know what another server has at that canonical URL",
    "qr-vr": _ANSWERS,
    "shc-cvx": _TERMINOLOGY + "a code of CVX",
    "target-ref-profile-empty": _EXTENSION + "unknown extensions, and a display text of ICD-10",
    "uk-msg": _TERMINOLOGY + "codes of SNOMED CT",
} | {f"{_Q}{name}-qr": _ANSWERS for name in _NEED_THE_QUESTIONNAIRE}

_URL = "fullUrl is relative, R4 asks for an absolute URL"
VALID_EXCEPTIONS = {
    "davinci-alerts/connectathon2020_transfer_notify-2": "one message about three patients: our own rule",
    "davinci-dtr-testkit/next_question_initial_input_params_nonconformant": "an empty array, on purpose",
    "davinci-prior-auth-ri/Claim": _URL,
    "davinci-prior-auth-ri/GrantedResponse": _URL,
    "fhir-test-cases-r4/myconsent-resource": "a Consent of STU3",
    "fhir-test-cases-validator/support__questionnaire__brianpos__quantity-min-max-q": "has no status",
    "hl7-us-core/diagnosticreport-cbc": "a narrative without its div",
    "nhs-bars/hist__502fca3__appointment__POST-body": "empty arrays and missing elements",
    "nhs-bars/hist__a890cf7__sandbox__appointment__POST-body": "no participant, no status",
    "nhs-bars/hist__a890cf7__sandbox__service_request__GET-success": "a Bundle with its type inside meta",
    "nhs-bars/v1.4.0__Endpoint__success_Endpoint_Atomic": "a Coding written as a CodeableConcept",
    "nhs-bars/v1.4.0__Endpoint__success_Endpoint_template": "a Coding written as a CodeableConcept",
    "nhs-bars/v1.4.0__HealthcareService__success_HealthcareService_Atomic": "providedBy as an array",
    "nhs-bars/v1.4.0__document_reference__GET-success": "no JSON: a comma is missing",
    "nhs-bars/v1.4.0__document_reference__id__GET-success": "masterIdentifier and format as arrays",
    "nhs-bars/v1.4.0__message_definition__MessageDefinition_ServiceRequest-request_CaseTransfer": (
        "a Coding as an array"
    ),
    "nhs-bars/v1.4.0__metadata__BaRS_API_Capability_Statement": "security as an array",
    "nhs-bars/v1.4.0__process_message__POST-success": "a participant without status, Slot.Schedule",
    "nhs-bars/v1.4.0__service_request__GET-success": "a resource without its member `resource`",
    "nhs-bars/v__document_reference__GET-success-empty": "an empty array",
    "nhs-ers-r4/searchServiceRequest__responses__ResponseExampleReferral": _URL,
}


def is_refused(body: bytes) -> bool:
    """Run steps 1, 2, 3 and 5."""
    try:
        data = limits.decoded(limits.without_mark(body))
    except Refusal:
        return True
    return bool(steps.problems_of(data))


def must_fail() -> dict[str, Path]:
    """Give the files that a validator must refuse, by name."""
    files = sorted((FOLDER / "fhir-test-cases-validator").glob("mustfail__*.json"))
    return {path.stem.removeprefix("mustfail__"): path for path in files}


def meant_valid() -> dict[str, Path]:
    """Give the R4 files that were meant to be valid: all but must-fail, STU3 and what a validator said."""
    return {
        f"{path.parent.name}/{path.stem}": path
        for path in sorted(FOLDER.glob("*/*.json"))
        if not path.name.startswith("mustfail__")
        and not path.parent.name.endswith("stu3")
        and path.parent.name != "fhir-test-cases-expected"
    }


def test_the_files_are_there() -> None:
    assert len(must_fail()) == 64
    assert len(meant_valid()) > 370


@pytest.mark.parametrize("name", sorted(set(must_fail()) - MUST_FAIL_EXCEPTIONS.keys()))
def test_what_breaks_a_base_rule_is_refused(name: str) -> None:
    assert is_refused(must_fail()[name].read_bytes())


@pytest.mark.parametrize("name", sorted(MUST_FAIL_EXCEPTIONS))
def test_an_exception_to_what_must_fail_is_still_needed(name: str) -> None:
    assert not is_refused(must_fail()[name].read_bytes())


def test_what_is_valid_is_accepted() -> None:
    refused = {name for name, path in meant_valid().items() if is_refused(path.read_bytes())}
    assert refused - VALID_EXCEPTIONS.keys() == set()


@pytest.mark.parametrize("name", sorted(VALID_EXCEPTIONS))
def test_an_exception_to_what_is_valid_is_still_needed(name: str) -> None:
    assert is_refused(meant_valid()[name].read_bytes())


def test_every_file_that_is_called_ok_is_accepted() -> None:
    called_ok = [path for name, path in meant_valid().items() if "/ok__" in name]
    assert len(called_ok) > 20
    assert [path.name for path in called_ok if is_refused(path.read_bytes())] == []


async def test_no_file_makes_the_border_fail_in_another_way_than_by_refusing() -> None:
    taken = refused = 0
    for path in sorted(FOLDER.glob("*/*")):
        try:
            await check.receive(path.read_bytes())
            taken += 1
        except Refusal:
            refused += 1
    assert taken + refused > 500
    assert taken > 350
    check.close()
