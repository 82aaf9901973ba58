"""Code systems, codes and extension addresses that more than one service writes or reads.

What one service writes into an event another reads by these names, so this file is part of the event
contract.
"""

from enum import StrEnum

LUMBAR = "https://lumbar.care/fhir"

EVENT_SYSTEM = f"{LUMBAR}/CodeSystem/event"
PROGRAMME_SYSTEM = f"{LUMBAR}/CodeSystem/programme"
STREAM_SYSTEM = f"{LUMBAR}/CodeSystem/stream"
DISCIPLINE_SYSTEM = f"{LUMBAR}/CodeSystem/discipline"
TASK_CODE_SYSTEM = f"{LUMBAR}/CodeSystem/task-code"
TASK_INPUT_SYSTEM = f"{LUMBAR}/CodeSystem/task-input"
BUSINESS_STATUS_SYSTEM = f"{LUMBAR}/CodeSystem/business-status"
# The visits that a programme of clinic.yaml names.
VISIT_TYPE_SYSTEM = f"{LUMBAR}/CodeSystem/visit-type"
APPOINTMENT_KIND_SYSTEM = f"{LUMBAR}/CodeSystem/appointment-kind"
SESSION_PRODUCT_SYSTEM = f"{LUMBAR}/CodeSystem/funded-service"
ELIGIBILITY_SYSTEM = f"{LUMBAR}/CodeSystem/eligibility"
ROOM_KIND_SYSTEM = f"{LUMBAR}/CodeSystem/room-kind"
ROSTER_SYSTEM = f"{LUMBAR}/CodeSystem/roster"
TRIAGE_RULE_SYSTEM = f"{LUMBAR}/CodeSystem/triage-rule"

# Da Vinci PAS: item.adjudication.extension(reviewAction) holds the status, in its own sub-extension.
_PAS = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition"
REVIEW_ACTION_EXTENSION = f"{_PAS}/extension-reviewAction"
REVIEW_ACTION_CODE_EXTENSION = f"{_PAS}/extension-reviewActionCode"
X12_306_SYSTEM = "https://codesystem.x12.org/005010/306"

# On the version of an Appointment that corrects what was recorded of it: was, reason, taken-back, remains.
CORRECTION_EXTENSION = f"{LUMBAR}/StructureDefinition/appointment-correction"

# Until when an Appointment that is pending is held, and why one stands beside another of its clinician.
HELD_UNTIL_EXTENSION = f"{LUMBAR}/StructureDefinition/held-until"
# AppointmentResponse.identifier: the Task by which a time was offered.
OFFER_SYSTEM = f"{LUMBAR}/time-offer"
# Communication.topic of what is told without an event: a reminder.
MESSAGE_SYSTEM, REMINDER = f"{LUMBAR}/message", "visit.reminder"
# Appointment: the patient said that they come at the time that it has.
CONFIRMED_EXTENSION = f"{LUMBAR}/StructureDefinition/confirmed-by-patient"
OVERBOOKED_EXTENSION = f"{LUMBAR}/StructureDefinition/overbooked-because"

_HL7 = "http://terminology.hl7.org/CodeSystem"
ORGANIZATION_TYPE_SYSTEM = f"{_HL7}/organization-type"
SERVICE_CATEGORY_SYSTEM = f"{_HL7}/service-category"

# What the clinic needs to know of a referral: the Questionnaire that a programme asks for.
REFERRAL_QUESTIONNAIRE = f"{LUMBAR}/Questionnaire/back-pain-referral"
QUESTIONNAIRE_EXTENSION = f"{LUMBAR}/StructureDefinition/referral-questionnaire"

# On a Patient, one for each channel: channel, permitted and date are said, recorder and recorded are ours.
CHANNEL_CONSENT_EXTENSION = f"{LUMBAR}/StructureDefinition/channel-consent"

# On a ServiceRequest that a coordinator enters: `way` (valueCode, a Way), and when it `arrived`.
ENTRY_EXTENSION = f"{LUMBAR}/StructureDefinition/referral-entry"

# On a Basic that is the roster of a site: its members as clinic.yaml has them, as JSON.
ROSTER_EXTENSION = f"{LUMBAR}/StructureDefinition/site-roster"
# On a HealthcareService: what a visit of the programme needs; on the Location of a site: what it has
# beside rooms.
VISIT_EXTENSION = f"{LUMBAR}/StructureDefinition/programme-visit"
PLACE_EXTENSION = f"{LUMBAR}/StructureDefinition/site-part"
# On a part of PractitionerRole.availableTime: a kind of visit that these hours are for, repeated.
HOURS_FOR_EXTENSION = f"{LUMBAR}/StructureDefinition/hours-for"
# On the same: a programme for which alone these hours are kept, repeated.
HOURS_KEPT_EXTENSION = f"{LUMBAR}/StructureDefinition/hours-kept-for"
# On the same: what is left of these hours so many days ahead is for other visits too.
RELEASE_EXTENSION = f"{LUMBAR}/StructureDefinition/hours-released"
# On a PractitionerRole, where new visits are not always booked: what the person's Schedule says of that.
OFFER_EXTENSION = f"{LUMBAR}/StructureDefinition/visits-offered"

LANGUAGES = "urn:ietf:bcp:47"
UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"


class Stream(StrEnum):
    """Who pays decides the stream (docs/how/triage.md)."""

    PUBLIC = "public"
    WORKPLACE = "workplace"
    MOTOR_VEHICLE = "motor-vehicle"
    PRIVATE = "private"
    SELF_PAY = "self-pay"


class TaskCode(StrEnum):
    """What our Tasks are for (Task.code, system TASK_CODE_SYSTEM)."""

    PROCESS_REQUEST = "process-request"
    ACKNOWLEDGE_EMERGENCY = "acknowledge-emergency"
    TELEPHONE_REFERRER = "telephone-referrer"
    TELEPHONE_CLINICIAN = "telephone-clinician"
    OVERDUE_REFERRAL = "overdue-referral"
    REVIEW_REFERRAL = "review-referral"
    MERGE_DUPLICATE = "merge-duplicate"
    UPDATE_PATIENT = "update-patient"
    RESOLVE_IDENTITY = "resolve-identity"
    ANSWER_REFERRER = "answer-referrer"
    ANSWER_CLINIC = "answer-clinic"
    ANOTHER_TIME = "another-time"
    DECIDE_AUTHORIZATION = "decide-authorization"
    RESOLVE_DENIAL = "resolve-denial"
    GUARANTEE = "guarantee"
    REPLAN_VISITS = "replan-visits"
    TELL_PATIENT = "tell-patient"
    RECORD_VISIT = "record-visit"
    RECALL = "recall"
    OFFER_TIME = "offer-time"
    AGENDA_ITEM = "agenda-item"
    ACTION = "action"


class TaskInput(StrEnum):
    """Names of the Task.input entries of a referral's Task (system TASK_INPUT_SYSTEM).

    programme, proposed-programme, stream: valueCoding; site, payer: valueString (ids of clinic.yaml);
    came-by: valueString, the Way by which a referral came that a coordinator entered;
    requester: valueReference to the referring Organization (clinic.yaml id); sent-at, complete-at:
    valueDateTime (UTC); due-on, second-due-on: valueDate (local date of the site); unavailable: valuePeriod,
    repeated; reason-for-hold and the like stand in statusReason. A Task of a site has site, and visit:
    valueReference to an Appointment, repeated. The offer of a freed time has offered: valuePeriod, and
    offered-with: valueReference to the Practitioner. One about a patient has described: valueReference to the
    contained Patient with what a sender says newly, or resembles: valueReference to a Patient who carries the
    same identifier, repeated.
    """

    PROGRAMME = "programme"
    PROPOSED_PROGRAMME = "proposed-programme"
    STREAM = "stream"
    SITE = "site"
    PAYER = "payer"
    REQUESTER = "requester"
    SENT_AT = "sent-at"
    COMPLETE_AT = "complete-at"
    DUE_ON = "due-on"
    SECOND_DUE_ON = "second-due-on"
    UNAVAILABLE = "unavailable"
    TRIAGE_RULE = "triage-rule"
    TURN = "turn"
    CAME_BY = "came-by"
    VISIT = "visit"
    OFFERED = "offered"
    OFFERED_WITH = "offered-with"
    DESCRIBED = "described"
    RESEMBLES = "resembles"


class Way(StrEnum):
    """How a referral came that a coordinator enters."""

    FAX = "fax"
    TELEPHONE = "telephone"
    LETTER = "letter"


class ContactChannel(StrEnum):
    """By what a patient may be written to or called, as far as they have said so (CHANNEL_CONSENT_EXTENSION).

    A `voicemail` is a message that is left on an answering machine or with somebody else.
    """

    EMAIL = "email"
    SMS = "sms"
    VOICEMAIL = "voicemail"


class AppointmentKind(StrEnum):
    """Appointment.appointmentType (system APPOINTMENT_KIND_SYSTEM).

    Only a first visit meets a guarantee: whoever asks for it asks for its name, `FIRST_KINDS`.
    """

    FIRST = "first"
    JOINT_FIRST = "joint-first"
    SESSION = "session"
    REVIEW = "review"
    PROCEDURE = "procedure"
    TELEHEALTH = "telehealth"
    GROUP = "group"
    TEST = "test"
    MEETING = "meeting"


# The first visit of a referral, by one discipline or by several.
FIRST_KINDS = (AppointmentKind.FIRST, AppointmentKind.JOINT_FIRST)
# HL7: why a visit is cancelled.
CANCELLATION_SYSTEM = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


class RequestPriority(StrEnum):
    """How soon a patient must be seen: FHIR's request priorities, the highest first."""

    STAT = "stat"
    ASAP = "asap"
    URGENT = "urgent"
    ROUTINE = "routine"


class GuaranteeStatus(StrEnum):
    """businessStatus of a guarantee's Task.

    `planned` is one without a visit of which nothing is wrong, `forecast-breach` one for which the plan of an
    evening finds no day in time; `ended` is one that its referral's end excludes: it was neither kept nor
    broken.
    """

    PLANNED = "planned"
    ON_TRACK = "on-track"
    AT_RISK = "at-risk"
    FORECAST_BREACH = "forecast-breach"
    BREACHED = "breached"
    MET = "met"
    ENDED = "ended"


def is_the_patients(code: str) -> bool:
    """Tell whether a code of HL7 says that the patient called a visit off, and not the clinic."""
    return code == "pat" or code.startswith("pat-")
