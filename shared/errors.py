"""What a service may refuse, in business words; only shared/http knows which HTTP status that is.

Invariants:
- A Refusal lists every problem that was found, each with the FHIRPath of the element it is about.
- The text of a Problem goes to the caller and to nobody else: logs get the class name and the ids.
- Whoever raises a Refusal inside a transaction has written nothing: the transaction rolls back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Self

from shared.reasons import NO_WORDS, Reason, Words, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: `code` is a FHIR IssueType, `expression` the FHIRPath of the element.

    `reason` says it as a code with arguments, where it is more than a wrong input.
    """

    text: str
    code: str = "invalid"
    expression: str | None = None
    severity: str = "error"
    reason: Reason | None = None


class Refusal(Exception):
    """The caller asked for something that cannot be done; subclasses say why in one word.

    Subclass beside the function that raises it, from the kind that fits (Invalid, Conflict, ...).
    """

    code = "processing"

    def __init__(
        self,
        text: str = "",
        *,
        expression: str | None = None,
        reason: Reason | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems) or (
            Problem(text=text, code=self.code, expression=expression, reason=reason),
        )
        super().__init__(text or "; ".join(problem.text for problem in self.problems))

    @classmethod
    def because(
        cls,
        reason: Reason,
        sentences: Mapping[str, str],
        *,
        expression: str | None = None,
        zone: tzinfo = UTC,
        words: Words = NO_WORDS,
    ) -> Self:
        """Refuse for a reason, in the words that its service has for it; moments are told in this zone."""
        return cls(said(reason, sentences, zone=zone, words=words), expression=expression, reason=reason)


class Malformed(Refusal):
    """The body is no FHIR JSON at all (400)."""

    code = "structure"


# What a TooLarge says of an attachment in a JSON body, here and at the gateway.
LARGER_GOES = (
    "POST an attachment to /referral/fhir/Binary in its own content type (up to 20 MB), and refer to it"
)


class TooLarge(Refusal):
    """The body is over a limit (413)."""

    code = "too-long"


class Invalid(Refusal):
    """The content breaks a rule of FHIR or of this clinic (422)."""

    code = "invalid"


class Unauthenticated(Refusal):
    """There is no valid token (401)."""

    code = "login"


class Forbidden(Refusal):
    """The token's scopes or the caller's part do not allow this kind of act (403)."""

    code = "forbidden"


class NotFound(Refusal):
    """There is no such resource, or none that this caller may see (404)."""

    code = "not-found"


class Conflict(Refusal):
    """The state of the resource does not allow the act, or somebody was faster (409)."""

    code = "conflict"


class Gone(Refusal):
    """It was there, and has ended for good (410)."""

    code = "expired"


class Stale(Refusal):
    """If-Match names another version than the current one (412)."""

    code = "conflict"


class NotSupported(Refusal):
    """The server does not do this (400 for a parameter, 405 or 415 for the rest)."""

    code = "not-supported"


class TooMany(Refusal):
    """The caller does too much at once; the same call works later (429)."""

    code = "throttled"


class Unavailable(Refusal):
    """A part that we need does not answer; the same call may work later (503)."""

    code = "transient"


class OneLine(Exception):
    """Something around the program is wrong, a setting, a file, a port; the text is the line that says so."""
