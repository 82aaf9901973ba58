"""What a clinic is: sites, people, hours, programmes, payers, clients, and the numbers of its promise.

Read once at start from clinic.yaml (`load_clinic`); a wrong file stops the start with one line that names the
file, the line, the element and what is allowed. Every service is handed the whole clinic and uses its part.
"""

from shared.clinic.courses import Course, CourseWeek, Phase, Reviews
from shared.clinic.guarantee import GuaranteePriorities, GuaranteePriority, GuaranteeTerms, Promise
from shared.clinic.load import ClinicFileError, load_clinic
from shared.clinic.model import Clinic, Emergency
from shared.clinic.part import Part
from shared.clinic.parties import Client, Organization, Payer, PersonMapping, SignIn, Webhook
from shared.clinic.programmes import Eligibility, Programme
from shared.clinic.scheduling import Offers, Scheduling, SchedulingPolicy
from shared.clinic.staff import Absence, Hours, MeetingHour, Offer, Person, Site, Weekday
from shared.clinic.visits import Discipline, Equipment, Room, Sessions, Visit, VisitType

__all__ = [
    "Absence",
    "Client",
    "Clinic",
    "ClinicFileError",
    "Course",
    "CourseWeek",
    "Discipline",
    "Eligibility",
    "Emergency",
    "Equipment",
    "GuaranteePriorities",
    "GuaranteePriority",
    "GuaranteeTerms",
    "Hours",
    "MeetingHour",
    "Offer",
    "Offers",
    "Organization",
    "Part",
    "Payer",
    "Person",
    "PersonMapping",
    "Phase",
    "Programme",
    "Promise",
    "Reviews",
    "Room",
    "Scheduling",
    "SchedulingPolicy",
    "Sessions",
    "SignIn",
    "Site",
    "Visit",
    "VisitType",
    "Webhook",
    "Weekday",
    "load_clinic",
]
