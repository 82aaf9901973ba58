"""Scores come from item answers only, in exact numbers."""

from decimal import Decimal

import pytest

from services.careteam.models.instruments import OSWESTRY_SECTIONS, Band
from services.careteam.rules.scoring import (
    Unscorable,
    nprs_score,
    oswestry_band,
    oswestry_score,
)


def sections(*points: int) -> dict[str, int]:
    return dict(zip(OSWESTRY_SECTIONS, points, strict=False))


class TestOswestryScore:
    def test_is_the_sum_over_fifty_when_all_ten_are_answered(self):
        assert oswestry_score(sections(2, 2, 2, 2, 2, 2, 1, 1, 1, 1)) == Decimal("32.00")

    def test_leaves_an_unanswered_section_out_of_the_denominator(self):
        assert oswestry_score(sections(2, 2, 2, 2, 2, 2, 2, 1, 1)) == Decimal("35.56")

    def test_is_scored_from_eight_sections(self):
        assert oswestry_score(sections(*[5] * 8)) == Decimal("100.00")

    def test_refuses_seven_sections_and_says_how_many_there_are(self):
        with pytest.raises(Unscorable, match="7 of 10") as refused:
            oswestry_score(sections(*[1] * 7))
        assert refused.value.problems[0].expression == "QuestionnaireResponse.item"

    def test_refuses_every_answer_outside_0_to_5_at_once(self):
        with pytest.raises(Unscorable) as refused:
            oswestry_score(sections(6, 1, 1, 1, -1, 1, 1, 1, 1, 1))
        assert [problem.expression for problem in refused.value.problems] == [
            "QuestionnaireResponse.item.where(linkId='section-1').answer",
            "QuestionnaireResponse.item.where(linkId='section-5').answer",
        ]


class TestOswestryBand:
    @pytest.mark.parametrize(
        ("score", "band"),
        [
            ("0", Band.MINIMAL),
            ("20.00", Band.MINIMAL),
            ("20.01", Band.MODERATE),
            ("35.56", Band.MODERATE),
            ("40", Band.MODERATE),
            ("40.5", Band.SEVERE),
            ("60.5", Band.VERY_SEVERE),
            ("80", Band.VERY_SEVERE),
            ("80.01", Band.EXTREME),
            ("100", Band.EXTREME),
        ],
    )
    def test_has_no_gap_between_the_bands(self, score: str, band: Band):
        assert oswestry_band(Decimal(score)) is band


class TestNprsScore:
    @pytest.mark.parametrize("answer", [0, 10])
    def test_takes_both_ends(self, answer: int):
        assert nprs_score(answer, expression="Observation.valueInteger") == answer

    @pytest.mark.parametrize("answer", [-1, 11, None, "7", True, 7.5])
    def test_refuses_what_is_no_whole_number_from_0_to_10(self, answer: object):
        with pytest.raises(Unscorable) as refused:
            nprs_score(answer, expression="Observation.valueInteger")
        assert refused.value.problems[0].expression == "Observation.valueInteger"
