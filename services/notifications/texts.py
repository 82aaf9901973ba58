"""Why a message did not arrive, as a sentence for every reason; and what stands in a message to a patient."""

from collections.abc import Mapping

from shared.reasons import NO_ARGUMENTS, NO_WORDS, Kinds, Words

REASONS: Mapping[str, str] = {
    "no-server": "There is no mail server.",
    "no-address": "The recipient has no address.",
    "no-consent": "The consent does not stand any more.",
    "left-team": "The recipient is no longer on the team.",
    "refused": "The mail server refused the message.",
    "gave-up": "The mail server did not take the message within 24 hours.",
    "by-telephone": "The patient permits no message: somebody telephones.",
    "gateway-refused": "The gateway for text messages refused the message.",
    "gateway-gave-up": "The gateway for text messages did not take the message within 24 hours.",
    "not-taken": "The receiver did not take the message within 24 hours.",
    "gone": "The receiver said that it is gone.",
    "ended": "The receiver has ended.",
    "no-receiver": "The receiver is not registered any more.",
    "no-gateway": "There is no gateway for text messages.",
    "channel-not-permitted": "The patient does not permit this channel any more.",
    "superseded": "What the message says does not stand any more; a newer message says what does.",
}
WORDS: Words = NO_WORDS
ARGUMENTS: Kinds = NO_ARGUMENTS

# What a message to a patient says outside, and the one word of its calendar entry.
TO_PATIENTS: Mapping[str, str] = {
    "subject": "There is a message for you",
    "open": "Open it here. You will be asked for your date of birth:",
    "nothing": "The link is yours alone. On purpose this letter says nothing else; do not answer it.",
    "text": "There is a message for you. Open it with your date of birth:",
    "appointment": "Appointment",
}
