"""Two descriptions are of one person where name and birth date agree as far as they are stated."""

import pytest

from services.referral import rules
from services.referral.models.rows import Patient


@pytest.mark.parametrize(
    ("family", "birth_date", "same"),
    [
        ("Müller", "1980-05-17", True),
        ("MULLER", "1980-05", True),
        ("Muller", None, True),
        ("Maller", "1980-05-17", False),
        ("Müller", "1981-05-17", False),
    ],
)
def test_name_and_birth_date_must_not_contradict(family: str, birth_date: str | None, same: bool) -> None:
    known = Patient(family="Müller", birth_date="1980-05-17")
    assert rules.identity.same_person(known, family=family, birth_date=birth_date) is same
