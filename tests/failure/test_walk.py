"""The walk through the fail points leaves none out."""

from shared.failpoints import POINTS
from tests.failure.walk import all_points


def test_every_point_of_the_table_is_walked_through() -> None:
    assert set(all_points()) == set(POINTS)
