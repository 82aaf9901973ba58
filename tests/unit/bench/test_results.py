"""What is made of measurements: ratios, targets, the table."""

import pytest

from bench.page import table
from bench.results import Result, against_floor, percentile


def test_the_ratio_is_the_median_of_the_rounds_and_not_of_the_machine() -> None:
    found = against_floor("hop", "kafka", [(100, 400), (300, 600), (10, 40)], spins=[6.0, 12.0, 7.0])
    assert (found.ratio, found.value, found.floor, found.spin) == (0.25, 100, 400, 7.0)


@pytest.mark.parametrize(
    ("row", "transport", "figure", "reached"),
    [
        ("hop", "embedded", 0.39, "none"),
        ("hop", "embedded", 0.40, "first"),
        ("hop", "kafka", 0.50, "goal"),
        ("main_path", "kafka", 0.24, "first"),
    ],
)
def test_a_ratio_is_held_against_the_targets_of_its_row(
    row: str, transport: str, figure: float, reached: str
) -> None:
    found = Result(row=row, transport=transport, value=1, unit="1/s", floor=1, ratio=figure, spin=6)
    assert found.reached == reached


@pytest.mark.parametrize(("milliseconds", "reached"), [(39, "goal"), (40, "first"), (150, "none")])
def test_a_latency_reaches_a_target_only_below_it(milliseconds: float, reached: str) -> None:
    found = Result(row="latency_p99", transport="embedded", value=milliseconds, unit="ms", spin=6)
    assert found.reached == reached


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.999)) == (51, 100, 7)


def test_the_table_shows_a_floor_where_there_is_one() -> None:
    rate = {"row": "hop", "transport": "kafka", "value": 1500.0, "unit": "1/s", "floor": 3000.0, "ratio": 0.5}
    time = {"row": "start", "transport": "embedded", "value": 4.2, "unit": "s", "floor": None, "ratio": None}
    both = {"commit": "abc", "reached": "goal", "spin": 6.1}
    lines = table([rate | both, time | both]).splitlines()
    assert (
        lines[2]
        == "| one hop | kafka | 1,500 1/s | 3,000 1/s | 50.0% | ≥ 25% | ≥ 50% | goal | 6.1 ms | `abc` |"
    )
    assert "| 4.2 s |  |  | < 15 s | < 5 s |" in lines[3]


def test_a_row_whose_goal_is_a_rate_shows_what_stands_beside_it_and_no_ratio() -> None:
    row = {"row": "inquire", "transport": "embedded", "value": 900.0, "unit": "1/s", "floor": 9000.0}
    [line] = table([row | {"ratio": None, "commit": "abc", "reached": "first", "spin": 6.1}]).splitlines()[2:]
    assert "| 900 1/s | 9,000 1/s |  | ≥ 808 1/s | ≥ 2,000 1/s | first |" in line
