"""The sentence of every reason that notifications gives: why a message did not arrive."""

from collections.abc import Mapping

from shared.reasons import NO_ARGUMENTS, NO_WORDS, Kinds, Words

REASONS: Mapping[str, str] = {
    "no-server": "There is no mail server.",
    "no-address": "The recipient has no address.",
    "no-consent": "The consent does not stand any more.",
    "left-team": "The recipient is no longer on the team.",
    "refused": "The mail server refused the message.",
    "gave-up": "The mail server did not take the message within 24 hours.",
    "not-taken": "The receiver did not take the message within 24 hours.",
    "gone": "The receiver said that it is gone.",
    "ended": "The receiver has ended.",
    "no-receiver": "The receiver is not registered any more.",
}
WORDS: Words = NO_WORDS
ARGUMENTS: Kinds = NO_ARGUMENTS
