"""Whether two areas have a point in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.geometry import Ring, areas_meet, in_area


def box(west: float, south: float, east: float, north: float) -> Ring:
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ([box(0, 0, 2, 2)], [box(1, 1, 3, 3)], True),
        ([box(0, 0, 2, 2)], [box(2, 2, 3, 3)], True),  # a corner
        ([box(0, 0, 9, 9)], [box(1, 1, 2, 2)], True),  # one within the other
        ([box(0, 0, 2, 2)], [box(3, 3, 4, 4)], False),
        ([box(0, 0, 9, 9), box(2, 2, 7, 7)], [box(3, 3, 4, 4)], False),  # in the hole
        ([box(0, 0, 9, 9), box(2, 2, 7, 7)], [box(6, 6, 8, 8)], True),
        ([box(0, 4, 9, 5)], [box(4, 0, 5, 9)], True),  # a cross: no corner in the other
    ],
)
def test_areas_meet_or_not_whichever_comes_first(
    one: list[Ring], other: list[Ring], *, meet: bool
) -> None:
    assert areas_meet(one, other) is meet
    assert areas_meet(other, one) is meet


CORNERS = st.tuples(st.integers(-6, 6), st.integers(-6, 6))
SIZES = st.tuples(st.integers(1, 8), st.integers(1, 8))


@given(CORNERS, SIZES, CORNERS, SIZES)
def test_boxes_meet_where_their_sides_overlap(
    corner: tuple[int, int],
    size: tuple[int, int],
    corner_2: tuple[int, int],
    size_2: tuple[int, int],
) -> None:
    (west, south), (west_2, south_2) = corner, corner_2
    east, north = west + size[0], south + size[1]
    east_2, north_2 = west_2 + size_2[0], south_2 + size_2[1]
    overlap = west <= east_2 and west_2 <= east and south <= north_2 and south_2 <= north
    one, other = [box(west, south, east, north)], [box(west_2, south_2, east_2, north_2)]
    assert areas_meet(one, other) is overlap
    assert in_area(((west + east) / 2, (south + north) / 2), one)
