"""When two descriptions are of one person; what does not fit is looked at by a person, never merged."""

import unicodedata
from collections.abc import Iterator

from services.referral.models.facts import Demographics
from services.referral.models.rows import Patient


def same_person(known: Patient | Demographics, person: Demographics) -> bool:
    """Tell whether family name, given name and birth date are all stated on both sides and agree.

    Twins share a card, a family name and a birth date: a given name that is another one, or is missing,
    leaves it open who it is.
    """
    return all(_comparisons(known, person))


def contradicts(known: Patient | Demographics, person: Demographics) -> bool:
    """Tell whether something that both sides state is not the same."""
    return False in _comparisons(known, person)


def completes(known: str | None, birth_date: str | None) -> bool:
    """Tell whether a birth date says more than what is known, and nothing else."""
    return (
        bool(birth_date) and birth_date != known and (not known or f"{birth_date}-".startswith(f"{known}-"))
    )


def _comparisons(known: Patient | Demographics, person: Demographics) -> Iterator[bool | None]:
    """Compare family name, given name and birth date; None for what one side does not state."""
    families = _plain(known.family), _plain(person.family)
    yield families[0] == families[1] if all(families) else None
    # Of several given names those that both sides state count, in their order.
    given = list(zip(map(_plain, known.given.split()), map(_plain, person.given.split()), strict=False))
    yield all(earlier == later for earlier, later in given) if given else None
    born = sorted((known.birth_date or "", person.birth_date or ""), key=len)
    # A year that agrees with a full date leaves the day open.
    agrees = f"{born[1]}-".startswith(f"{born[0]}-")
    yield None if not born[0] or (agrees and born[0] != born[1]) else agrees


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in decomposed.casefold() if letter.isalnum())
