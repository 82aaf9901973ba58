"""When two descriptions are of one person; what does not fit is looked at by a person, never merged."""

import unicodedata

from services.referral.models.rows import Patient


def same_person(known: Patient, *, family: str, birth_date: str | None) -> bool:
    """Tell whether name and birth date agree, as far as both sides state them."""
    names = {_plain(known.family), _plain(family)} - {""}
    dates = {known.birth_date, birth_date} - {None, ""}
    return len(names) < 2 and (len(dates) < 2 or _one_is_the_beginning(dates))


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in decomposed.casefold() if letter.isalnum())


def _one_is_the_beginning(dates: set[str | None]) -> bool:
    shorter, longer = sorted((str(day) for day in dates), key=len)
    return longer.startswith(f"{shorter}-")
