"""What pages say to patients, and of what was sent to them.

Texts are English here and translated by the catalogue; `_` only marks them for it.
"""

from collections.abc import Mapping


def _(text: str) -> str:
    return text


BIRTH_DATE_AS = _("Write the day and the year in numbers, the year with four, and choose the month.")
PAIN_AS = _("Write a whole number from 0 to 10.")
NO_ANSWER = _("Answer one question at least.")
TOO_LONG: Mapping[int, str] = {
    1000: _("Write 1,000 characters at most."),
    2000: _("Write 2,000 characters at most."),
}
WRONG_BIRTH_DATE = _("This date of birth does not open the message. After five wrong ones it stays closed.")
# What a patient answers by the link of a message (AppointmentResponse.participantStatus).
LINK_ANSWERS: Mapping[str, str] = {
    "accepted": _("I am coming"),
    "declined": _("I cannot come"),
    "tentative": _("I need another time"),
}
# What a patient answers to a time that is offered.
OFFER_ANSWERS: Mapping[str, str] = {
    "accepted": _("Take this time"),
    "declined": _("Keep my own time"),
}
# How a message goes (v3-ParticipationMode).
CHANNELS: Mapping[str, str] = {
    "EMAILWRIT": _("e-mail"),
    "SMSWRIT": _("text message"),
    "PHONE": _("telephone"),
}
# What a message to a patient was about, by the event or the code of the message.
SENT: Mapping[str, str] = {
    "appointment.booked": _("A visit was booked"),
    "appointment.moved": _("A visit got another time"),
    "appointment.cancelled": _("A visit was called off"),
    "series.booked": _("A series was booked"),
    "offer.made": _("An earlier time was offered"),
    "offer.ended": _("The offer of an earlier time has ended"),
    "visit.reminder": _("Reminder of a visit"),
}
# The questions of the intake form, by the linkIds of its Questionnaire.
INTAKE: Mapping[str, str] = {
    "pain-now": _("How strong is the pain now, from 0 (none) to 10 (the worst)?"),
    "goal": _("What would you like to be able to do again?"),
    "medicines": _("Which medicines do you take, and how much of each?"),
    "allergies": _("Are you allergic to anything?"),
    "needs": _("What should we know for the visit (stairs, an interpreter, somebody with you)?"),
}
# What a patient brings and does, by the codes of notifications.
BRING: Mapping[str, str] = {
    "records": _("Letters and reports of earlier treatment"),
    "imaging": _("Images of your back, on a disc or as a link"),
    "medicines": _("A list of your medicines, with doses"),
    "card": _("Your health card"),
    "insurance": _("The papers of your insurer, with the claim's number"),
    "clothing": _("Comfortable clothes in which you can move"),
    "companion": _("Somebody who comes with you, if you like"),
    "early": _("Please come 15 to 30 minutes early"),
}
