"""A network has a defined area: a polygon that is one, or streets."""

from math import cos, pi, sin
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.registry.domain.area import Area

AREA: TypeAdapter[Any] = TypeAdapter(Area)

Ring = list[list[float]]


def square(x: float = 3.70, y: float = 51.00, side: float = 0.02) -> Ring:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def polygon(*rings: Ring) -> Any:
    return AREA.validate_python({"type": "Polygon", "coordinates": rings})


def test_a_polygon_with_a_hole_is_an_area() -> None:
    """Rules text: "area (GeoJSON polygon or a list of streets)"."""
    found = polygon(square(), square(3.705, 51.005, 0.005), square(3.712, 51.012, 0.005))

    assert AREA.validate_json(AREA.dump_json(found)) == found


@given(st.integers(3, 60), st.floats(0.001, 0.3))
def test_any_convex_outline_is_an_area_either_way_round(corners: int, radius: float) -> None:
    """RFC 7946, 3.1.6: parsers should not reject what does not follow the right-hand rule."""
    ring: Ring = [
        [4.5 + radius * cos(2 * pi * n / corners), 50.5 + radius * sin(2 * pi * n / corners)]
        for n in range(corners)
    ]
    ring.append(ring[0])
    polygon(ring)
    polygon(ring[::-1])


BOW_TIE: Ring = [[3.7, 51.0], [3.72, 51.02], [3.72, 51.0], [3.7, 51.02], [3.7, 51.0]]
THERE_AND_BACK: Ring = [[3.7, 51.0], [3.72, 51.0], [3.74, 51.0], [3.7, 51.0]]
TOUCHES: Ring = [
    [3.70, 51.00],
    [3.72, 51.00],
    [3.72, 51.02],
    [3.71, 51.00],
    [3.70, 51.02],
    [3.70, 51.00],
]


@pytest.mark.parametrize(
    ("rings", "says"),
    [
        ([BOW_TIE], "crosses"),
        ([THERE_AND_BACK], "crosses"),
        ([TOUCHES], "crosses"),
        ([[*square()[:2], square()[1], *square()[2:]]], "crosses"),
        ([square()[:-1]], "last equal to the first"),
        ([square()[:2] + square()[:1]], "four positions"),
        ([[[y, x] for x, y in square()]], "in that order"),
        ([[[float("nan"), 51.0], *square()[1:4], [float("nan"), 51.0]]], "four positions|degrees"),
        ([square(), square(4.5)], "inside the outline"),
        ([square(), square(3.715, 51.005, 0.02)], "inside the outline"),
        ([square(), square(3.705, 51.005, 0.01), square(3.71, 51.01, 0.008)], "two holes"),
        ([[[3.7 + n / 10**5, 51.0] for n in range(501)]], "positions"),
    ],
)
def test_what_is_no_area_is_refused_with_what_is_wrong(rings: list[Ring], says: str) -> None:
    """RFC 7946, 3.1.6: a linear ring is closed, with four or more positions."""
    with pytest.raises(ValidationError, match=says):
        polygon(*rings)


def test_streets_are_named_once() -> None:
    AREA.validate_python({"type": "streets", "streets": ["Lindelaan", "Eikstraat"]})
    for bad in ([], ["  "], ["Lindelaan", "lindelaan "], ["Linde\nlaan"]):
        with pytest.raises(ValidationError):
            AREA.validate_python({"type": "streets", "streets": bad})
