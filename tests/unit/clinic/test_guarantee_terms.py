"""By when a patient of each priority is seen, as clinic.yaml says it and as older files said it."""

import re
from pathlib import Path

import pytest

from shared.clinic import Clinic, ClinicFileError, load_clinic

EXAMPLE = Path(__file__).parents[3] / "examples" / "clinic.yaml"
_GUARANTEE = re.compile(r"^guarantee:\n(?:  .*\n)+", re.MULTILINE)


def a_clinic_that_says(tmp_path: Path, text: str) -> Clinic:
    """Read the example with something else in the place of its guarantee."""
    changed, times = _GUARANTEE.subn(text, EXAMPLE.read_text())
    assert times == 1
    path = tmp_path / "clinic.yaml"
    path.write_text(changed)
    return load_clinic(path)


def test_the_example_has_its_days_by_priority() -> None:
    terms = load_clinic(EXAMPLE).guarantee
    assert terms.of("stat").working_days == 1
    assert [terms.of(priority).days for priority in ("asap", "urgent", "routine")] == [5, 10, 28]
    assert [terms.of(priority).at_risk_days for priority in ("asap", "urgent", "routine")] == [1, 3, 7]
    assert terms.second_days == 56


def test_what_is_no_priority_is_routine() -> None:
    assert load_clinic(EXAMPLE).guarantee.of("soon").days == 28


def test_a_promise_of_an_older_file_is_that_of_every_priority(tmp_path: Path) -> None:
    terms = a_clinic_that_says(tmp_path, "promise: { days: 42, at_risk_days: 10 }\n").guarantee
    for priority in ("stat", "asap", "urgent", "routine"):
        assert (terms.of(priority).days, terms.of(priority).at_risk_days) == (42, 10)
    assert terms.second_days == 84


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "guarantee: is missing"),
        ("promise: { days: 28, at_risk_days: 28 }\n", "promise.at_risk_days: must be less than"),
        ("promise: { days: 0, at_risk_days: 7 }\n", "promise.days: input should be greater"),
    ],
)
def test_without_a_guarantee_the_start_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ClinicFileError) as refused:
        a_clinic_that_says(tmp_path, text)
    assert says in str(refused.value)
