"""The phases of a programme: what does not fit stops the start, and `sessions` is still read."""

from pathlib import Path

import pytest

from shared.clinic import ClinicFileError, Discipline, load_clinic
from tests.unit.clinic.test_booked_visits import EXAMPLE, written

PT, OT, PSY = Discipline.PHYSIOTHERAPY, Discipline.OCCUPATIONAL_THERAPY, Discipline.PSYCHOLOGY
FIRST_PHASE = "{ weeks: 4, pt: 1, ot: 1, psy: 1 }"
BLOCK = "{ weeks: 6, days: 5, hours: 3, pt: 5, ot: 3, psy: 2 }"
PSYCHOLOGY = "      - { discipline: psychology, minutes: 60, room: treatment }\n"
SESSIONS = "{ minutes: 45, discipline: physiotherapy, room: treatment, count: 8, per_week: 1 }"
BOTH = f"    sessions: {SESSIONS}\n    phases:\n      - {FIRST_PHASE}"
REVIEWS = "visit: review, weeks: [3, 6]"
FORMER = "- id: chronic-pain\n    formerly: [rapid-access]"


class TestACourse:
    def test_has_the_weeks_of_its_phases_one_after_the_other(self) -> None:
        course = load_clinic(EXAMPLE).programme("chronic-pain").course
        assert course is not None
        assert [dict(week.sessions) for week in course.weeks] == [{PT: 1, OT: 1, PSY: 1}] * 4 + [{PT: 1}] * 4
        assert course.totals == {PT: 8, OT: 4, PSY: 4}

    def test_of_sessions_is_one_phase_of_one_discipline(self) -> None:
        course = load_clinic(EXAMPLE).programme("workplace-rehabilitation").course
        assert course is not None
        assert [dict(week.sessions) for week in course.weeks] == [{PT: 2}] * 6
        assert course.is_of_one_pace

    def test_has_its_reviews_in_the_weeks_that_are_named(self) -> None:
        course = load_clinic(EXAMPLE).programme("functional-restoration").course
        assert course is not None
        assert [number for number, week in enumerate(course.weeks, 1) if week.visits] == [3, 6]

    def test_of_what_was_named_otherwise_is_found_by_the_old_id(self, tmp_path: Path) -> None:
        renamed = written(tmp_path, "- id: chronic-pain", "- id: chronic\n    formerly: [chronic-pain]")
        clinic = load_clinic(renamed)
        assert clinic.programme("chronic-pain") == clinic.programme("chronic")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (FIRST_PHASE, "{ weeks: 4, massage: 1 }", "phases[0].massage: is not known here; allowed are weeks"),
        (FIRST_PHASE, "{ weeks: 4 }", "phases[0]: has no sessions; allowed are pt, ot, psy, phys, pain"),
        (FIRST_PHASE, "{ weeks: 4, pt: 9 }", "phases[0].pt: input should be less than or equal to 7"),
        (FIRST_PHASE, "{ weeks: 40, pt: 2 }", "phases: take 44 weeks; the programme has 12"),
        (PSYCHOLOGY, "", "phases[0].psy: treatments do not say what a session of psychology needs"),
        (", psy: 1 }", " }", "treatments[2].discipline: no phase has sessions of psychology"),
        (PSYCHOLOGY, PSYCHOLOGY * 2, "treatments[3].discipline: 'psychology' is taken already"),
        (
            "    phases:\n      - { weeks: 4",
            f"    sessions: {SESSIONS}\n    phases:\n      - {{ weeks: 4",
            "sessions",
        ),
        (BLOCK, BLOCK.replace("days: 5, ", ""), "phases[0].hours: are those of a day"),
        (BLOCK, BLOCK.replace("days: 5", "days: 4"), "phases[0].pt: is more than the 4 days of a week"),
        (BLOCK, BLOCK.replace("hours: 3", "hours: 1"), "phases[0].hours: a week has 600 minutes"),
        (
            "visit: review, weeks: [3, 6]",
            "visit: review, weeks: [3, 7]",
            "reviews.weeks[1]: is a week of the",
        ),
        (
            "visit: review, weeks",
            "visit: scan, weeks",
            "reviews.visit: there is no 'scan'; allowed are review",
        ),
        (
            "    reviews:",
            "    groups: [choir]\n    reviews:",
            "groups[0]: there is no 'choir'; allowed are none",
        ),
        ("programmes: [functional-restoration]", "programmes: [yoga]", "programmes[0]: there is no 'yoga'"),
        (
            "- id: chronic-pain",
            "- id: chronic-pain\n    formerly: [rapid-access]",
            "formerly[0]: 'rapid-access' is",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ClinicFileError) as refused:
        load_clinic(written(tmp_path, old, new))
    assert says in str(refused.value)
    assert str(refused.value).split(":")[1].isdigit()
