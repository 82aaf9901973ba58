"""The sentence of every reason that scheduling gives: why something ended, and why something cannot be."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    # Why a referral ended here.
    "referral-revoked": "the referral was revoked",
    "referral-closed": "the referral was closed",
    "referral-merged": "the referral was merged into an earlier one",
    "patient-discharged": "the patient was discharged",
    # Why sessions were cancelled, or are not booked, and what is free instead.
    "beyond-the-grant": "beyond what the payer grants",
    "first-moved": "the first appointment moved",
    "first-has-no-time": "the first appointment has no time yet",
    "first-not-held": "sessions are booked after the first appointment took place",
    "no-sessions": "programme {programme} has no sessions",
    "payer-undecided": "the payer has not decided yet",
    "payer-decided": "the payer's decision is: {status}",
    "nothing-granted": "nothing is granted for {discipline}",
    "sessions-held": "{count} sessions took place",
    "session-finds-no-time": "Session {failed} of {count} finds no time inside the grant and the pace.",
    "free-instead": "Free instead: {start:%Y-%m-%d %H:%M} with {practitioner}.",
    "nothing-free": "Nothing is free later either.",
    # Why an appointment cannot be changed as somebody wants.
    "on-the-waitlist": (
        "a place on the waitlist is booked by giving it a start; "
        "to take the patient off it, close the referral"
    ),
    "not-on-the-waitlist": "the appointment has a time already; another start moves it",
    "no-such-step": "an appointment that is {old} cannot become {new}; it can become {allowed}",
    "nothing-follows": "an appointment that is {old} cannot become {new}; it can become nothing else",
    "too-early": "{status} cannot be recorded before {earliest:%Y-%m-%dT%H:%M:%SZ}",
    "no-new-time": "an appointment that is {status} has no new time",
    "referral-ended": "the referral has ended",
    "in-the-past": "the new start lies in the past",
    "before-the-first": "a session comes after the first appointment",
    "before-the-grant": "the payer grants sessions from {starts_on} on",
    "after-the-grant": "the payer grants sessions until {ends_on}",
    "week-is-full": "the programme has at most {per_week} sessions a week",
    "contended": "others book at this time at this moment; try again",
    # What stands in the way of a chosen time.
    "patient-busy": "the patient has another appointment until {until:%Y-%m-%dT%H:%M:%SZ}",
    "person-busy": "{practitioner} has another appointment until {until:%Y-%m-%dT%H:%M:%SZ}",
    "no-hours": "{practitioner} has no hours for a {purpose} visit at this time",
    "nobody-gives": "nobody gives {discipline} at this site",
    "no-such-room": "this site has no room of the right kind",
    "rooms-taken": "{room} and every other such room is taken until {until:%Y-%m-%dT%H:%M:%SZ}",
}

# Why an appointment is cancelled, in the words of HL7 for its codes.
CANCELLATIONS: Mapping[str, str] = {
    "pat": "Patient",
    "pat-crs": "Patient: Canceled via automated reminder system",
    "pat-cpp": "Patient: Canceled via Patient Portal",
    "pat-dec": "Patient: Deceased",
    "pat-fb": "Patient: Feeling Better",
    "pat-lt": "Patient: Lack of Transportation",
    "pat-mt": "Patient: Member Terminated",
    "pat-mv": "Patient: Moved",
    "pat-preg": "Patient: Pregnant",
    "pat-swl": "Patient: Scheduled from Wait List",
    "pat-ucp": "Patient: Unhappy/Changed Provider",
    "prov": "Provider",
    "prov-pers": "Provider: Personal",
    "prov-dch": "Provider: Discharged",
    "prov-edu": "Provider: Edu/Meeting",
    "prov-hosp": "Provider: Hospitalized",
    "prov-labs": "Provider: Labs Out of Acceptable Range",
    "prov-mri": "Provider: MRI Screening Form Marked Do Not Proceed",
    "prov-onc": "Provider: Oncology Treatment Plan Changes",
    "maint": "Equipment Maintenance/Repair",
    "meds-inc": "Prep/Med Incomplete",
    "other": "Other",
    "oth-cms": "Other: CMS Therapy Cap Service Not Authorized",
    "oth-err": "Other: Error",
    "oth-fin": "Other: Financial",
    "oth-iv": "Other: Improper IV Access/Infiltrate IV",
    "oth-int": "Other: No Interpreter Available",
    "oth-mu": "Other: Prep/Med/Results Unavailable",
    "oth-room": "Other: Room/Resource Maintenance",
    "oth-oerr": "Other: Schedule Order Error",
    "oth-swie": "Other: Silent Walk In Error",
    "oth-weath": "Other: Weather",
}
