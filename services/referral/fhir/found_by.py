"""What a patient is found by: parts of all names, telephone numbers and identifiers, as keys of one index.

Invariants:
- A key says what it is of: `name:eti` is the beginning of a part of a name, `name=etienne` a whole part,
  `phone:4165550101`, `identifier:system|value` and `identifier:value`.
- Names are written without case and accents in Python, in the keys and in what is searched for alike.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.fhir.search_values import Token, folded

# Nobody types more of a part of a name, nor of a telephone number, than this.
_LONGEST_PART = 24
_LONGEST_NUMBER = 20
# A number is the same with and without the code of its country.
_NATIONAL_DIGITS = 10
_LEAST_DIGITS = 7
# A hyphen, an apostrophe (the curly one too), a full stop.
_JOINED = re.compile("[-'.\u2019]")
_LETTERS = re.compile(r"\w+")
_PARTS = ("text", "family")


def keys(patient: Mapping[str, Any], identifiers: Iterable[str]) -> list[str]:
    """Give all keys of a Patient with these identifiers (`system|value`)."""
    found = dict.fromkeys(_of_names(patient))
    found |= dict.fromkeys(_of_numbers(patient))
    found |= dict.fromkeys(of_identifiers(identifiers))
    return list(found)


def of_identifiers(identifiers: Iterable[str]) -> list[str]:
    """Give the keys of identifiers, each with and without its system."""
    return [
        f"identifier:{text}" for token in identifiers for text in (token, token.partition("|")[2]) if text
    ]


def of_words(text: str) -> tuple[list[str], list[str]]:
    """Give the keys of what is searched for in names: as beginnings, and as whole parts."""
    words = [word[:_LONGEST_PART] for word in _words(text)]
    return [f"name:{word}" for word in words], [f"name={word}" for word in words]


def of_number(text: str) -> list[str]:
    """Give the keys of a telephone number, none of what is too short to be one."""
    digits = re.sub(r"\D", "", text)[:_LONGEST_NUMBER]
    return [] if len(digits) < _LEAST_DIGITS else [f"phone:{form}" for form in _forms(digits)]


def of_token(token: Token) -> list[str]:
    """Give the key of an identifier that is searched for, with its system or without."""
    if token.system is None:
        return [f"identifier:{token.code}"]
    return [f"identifier:{token.system}|{token.code}"]


def _of_names(patient: Mapping[str, Any]) -> Iterator[str]:
    for name in patient.get("name", []):
        for text in (*(name.get(member) for member in _PARTS), *name.get("given", [])):
            for whole in _parts(text or ""):
                part = whole[:_LONGEST_PART]
                yield f"name={part}"
                yield from (f"name:{part[:length]}" for length in range(1, len(part) + 1))


def _parts(text: str) -> set[str]:
    """Split a name into its parts; one with a hyphen or an apostrophe is found by each side and as one."""
    apart = _LETTERS.findall(_JOINED.sub(" ", folded(text)))
    return {*apart, *_words(text)}


def _words(text: str) -> Sequence[str]:
    return _LETTERS.findall(_JOINED.sub("", folded(text)))


def _of_numbers(patient: Mapping[str, Any]) -> Iterator[str]:
    for contact in patient.get("telecom", []):
        if contact.get("system") in ("phone", "sms") and isinstance(contact.get("value"), str):
            yield from of_number(contact["value"])


def _forms(digits: str) -> set[str]:
    return {digits, digits[-_NATIONAL_DIGITS:]}
