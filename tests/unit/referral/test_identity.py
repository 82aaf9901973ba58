"""Two descriptions are of one person where family name, given name and birth date are stated and agree."""

import pytest

from services.referral import rules
from services.referral.models.facts import Demographics
from services.referral.models.rows import Patient

KNOWN = Patient(family="Müller", given="Anna Maria", birth_date="1980-05-17")


@pytest.mark.parametrize(
    ("family", "given", "birth_date", "same", "contradicts"),
    [
        ("Müller", "Anna Maria", "1980-05-17", True, False),
        ("MULLER", "anna", "1980-05-17", True, False),
        ("Müller", "Anna", "1980-05", False, False),
        ("Müller", "Anna Sofie", "1980-05-17", False, True),
        ("Müller", "Berta", "1980-05-17", False, True),
        ("Maller", "Anna", "1980-05-17", False, True),
        ("Müller", "Anna", "1981-05-17", False, True),
        ("Müller", "Anna", "1980-06", False, True),
        ("Müller", "", "1980-05-17", False, False),
        ("", "Anna", "1980-05-17", False, False),
        ("Müller", "Anna", None, False, False),
        ("", "", None, False, False),
    ],
)
def test_all_three_must_be_stated_and_agree(
    family: str, given: str, birth_date: str | None, same: bool, contradicts: bool
) -> None:
    person = Demographics(family=family, given=given, birth_date=birth_date)
    assert rules.identity.same_person(KNOWN, person) is same
    assert rules.identity.contradicts(KNOWN, person) is contradicts


def test_what_is_not_known_of_the_first_leaves_it_open_too() -> None:
    person = Demographics(family="Müller", given="Anna", birth_date="1980-05-17")
    assert not rules.identity.same_person(Patient(family="Müller", birth_date="1980-05-17"), person)
