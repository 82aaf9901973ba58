"""Why something is as it is: a code with typed arguments; the sentence is made from them, and never stored.

    Reason.of("first-appointment-booked", when=row.starts_at)

Invariants:
- A code belongs to one service, whose `texts.REASONS` has its sentence: `{name}` stands for an argument.
- An argument is a moment (aware UTC), a date, a number, a reference or a code; no sentence is an argument.
- What a person wrote keeps its words, under the code `as-written`; so do sentences from before there were
  codes. What another service gave as its reason keeps that service's sentence.
- A code that has words (a name in clinic.yaml, a flag) is told by them: `words`, by argument and code.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from types import MappingProxyType
from typing import Any, Literal

AS_WRITTEN = "as-written"


class Reference(str):
    """A reference as an argument, `Practitioner/robin`; a plain str is a code."""


Value = datetime | date | int | Reference | str
Words = Mapping[str, Mapping[str, str]]
NO_WORDS: Words = MappingProxyType({})
# What kind of value the arguments have, by their names.
Kind = Literal["dateTime", "date", "integer", "Reference", "code"]
Kinds = Mapping[str, Kind]
NO_ARGUMENTS: Kinds = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as FHIR writes it: `kind` is the type of `value[x]`; a name may come several times."""

    name: str
    kind: str
    value: str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A code with its arguments; `text` holds the words of a person or the sentence of another service."""

    code: str
    arguments: tuple[Argument, ...] = ()
    text: str | None = None

    @classmethod
    def of(cls, code: str, **values: Value | Sequence[Value] | None) -> "Reason":
        """Make a reason of a code of this service; several values of one name keep their order.

        An argument that is None is left out. Raises ValueError for a naive time.
        """
        arguments = [
            _argument(name, value)
            for name, given in values.items()
            if given is not None
            for value in (given if isinstance(given, list | tuple) else (given,))
        ]
        return cls(code=code, arguments=tuple(arguments))


def as_written(words: str) -> Reason:
    """Keep what a person wrote."""
    return Reason(code=AS_WRITTEN, text=words)


def said(reason: Reason, sentences: Mapping[str, str], *, zone: tzinfo = UTC, words: Words = NO_WORDS) -> str:
    """Say one reason in words: its own text, else its code's sentence; moments are told in this zone.

    Several values of one name are joined by commas, by semicolons where one holds a comma. Raises LookupError
    for a code without a sentence.
    """
    if reason.text is not None:
        return reason.text
    values: dict[str, list[Any]] = {}
    for argument in reason.arguments:
        values.setdefault(argument.name, []).append(_told(argument, zone, words))
    told = {name: many[0] if len(many) == 1 else _listed(many) for name, many in values.items()}
    return sentences[reason.code].format(**told)


def all_said(
    reasons: Iterable[Reason], sentences: Mapping[str, str], *, zone: tzinfo = UTC, words: Words = NO_WORDS
) -> str:
    """Say several reasons in words, in their order."""
    return one_text(said(reason, sentences, zone=zone, words=words) for reason in reasons)


def one_text(sentences: Iterable[str]) -> str:
    """Put sentences together; one without a mark at its end gets a full stop before the next."""
    *earlier, last = [*sentences] or [""]
    ended = (f"{sentence}." if sentence[-1:].isalnum() else sentence for sentence in earlier)
    return " ".join([*ended, last])


def _argument(name: str, value: Value) -> Argument:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"the argument {name} needs a time with a zone")
        moment = value.astimezone(UTC).isoformat(timespec="milliseconds")
        return Argument(name, "dateTime", moment.replace("+00:00", "Z"))
    if isinstance(value, date):
        return Argument(name, "date", value.isoformat())
    if isinstance(value, int):
        return Argument(name, "integer", value)
    return Argument(name, "Reference" if isinstance(value, Reference) else "code", str(value))


def _listed(values: Sequence[Any]) -> str:
    told = [str(value) for value in values]
    return ("; " if any("," in value for value in told) else ", ").join(told)


def _told(argument: Argument, zone: tzinfo, words: Words) -> Any:
    if argument.kind == "dateTime":
        return datetime.fromisoformat(str(argument.value)).astimezone(zone)
    if argument.kind == "date":
        return date.fromisoformat(str(argument.value))
    return words.get(argument.name, {}).get(str(argument.value), argument.value)
