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
WORKPLACE = "sessions: { minutes: 45, discipline: physiotherapy, room: treatment, count: 12, per_week: 2 }"
TOTAL = "    total: { pt: 5 }\n"
SPREAD = (
    "total: { pt: 3 }\n    treatments:\n      - { discipline: physiotherapy, minutes: 45, room: treatment }"
)
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

    def test_has_no_more_sessions_of_a_discipline_than_its_total(self, tmp_path: Path) -> None:
        bounded = written(
            tmp_path, "    phases:\n      - " + FIRST_PHASE, TOTAL + "    phases:\n      - " + FIRST_PHASE
        )
        course = load_clinic(bounded).programme("chronic-pain").course
        assert course is not None
        assert course.totals == {PT: 5, OT: 4, PSY: 4}
        assert [dict(week.sessions) for week in course.weeks][4:] == [{PT: 1}, {}, {}, {}]

    def test_of_a_total_alone_is_spread_over_the_programme(self, tmp_path: Path) -> None:
        alone = written(tmp_path, WORKPLACE, SPREAD)
        course = load_clinic(alone).programme("workplace-rehabilitation").course
        assert course is not None
        assert [sum(week.sessions.values()) for week in course.weeks] == [1, 0, 1, 0, 0, 1, 0, 0]
        assert course.totals == {PT: 3}
        assert not course.is_of_one_pace

    def test_of_months_has_a_week_in_each_of_them(self, tmp_path: Path) -> None:
        monthly = written(tmp_path, FIRST_PHASE, "{ months: 2, visits: monthly, pt: 1, ot: 1, psy: 1 }")
        course = load_clinic(monthly).programme("chronic-pain").course
        assert course is not None
        each = [sum(week.sessions.values()) for week in course.weeks]
        assert each == [3, 0, 0, 0, 3, 0, 0, 0, 1, 1, 1, 1]
        assert (course.weeks_apart("psychology"), course.weeks_apart("physiotherapy")) == (4, 1)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (FIRST_PHASE, "{ pt: 1 }", "phases[0]: says its weeks, or its months; one of both"),
        (FIRST_PHASE, "{ weeks: 1, months: 1, visits: monthly, pt: 1 }", "phases[0]: says its weeks, or"),
        (FIRST_PHASE, "{ months: 2, pt: 1 }", "phases[0]: of months says `visits: monthly`, and no other"),
        (FIRST_PHASE, "{ weeks: 2, visits: monthly, pt: 1 }", "phases[0]: of months says `visits: monthly`"),
        (FIRST_PHASE, "{ months: 2, visits: weekly, pt: 1 }", "phases[0].visits: input should be 'monthly'"),
        (FIRST_PHASE, "{ months: 2, visits: monthly, days: 2, pt: 1 }", "phases[0]: of months has no days"),
        (FIRST_PHASE, "{ weeks: 4, boosters: [3], pt: 1 }", "phases[0].boosters: is not known here"),
        (
            "    treatments:",
            "    total: { pt: 8 }\n    treatments:",
            "total.pt: bounds nothing: the phases have 8",
        ),
        (
            "    treatments:",
            "    total: { pt: 0 }\n    treatments:",
            "total.pt: input should be greater than",
        ),
        ("    treatments:", "    exit: better\n    treatments:", "exit: is not known here"),
        (WORKPLACE, SPREAD.replace("pt: 3", "ot: 3"), "total.ot: treatments do not say what a session of"),
        (WORKPLACE, SPREAD.replace("pt: 3", "pt: 57"), "total.pt: does not fit into 8 weeks, one a day"),
        (WORKPLACE, SPREAD.replace("pt: 3", ""), "total: has no sessions; allowed are pt, ot"),
        (WORKPLACE, WORKPLACE + "\n    total: { pt: 3 }", "total: stands beside sessions"),
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
