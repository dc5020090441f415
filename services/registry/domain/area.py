"""The defined area of a network: a polygon on the map, or a list of streets.

The circular of 28 February 2019 asks for a defined area, so one that is no area is refused:
RFC 7946, section 3.1.6, for the rings, and simple features for what they may not do.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from services.registry.domain.aggregate import Value
from shared.geometry import Position, Ring, cross, edges, inside, meet, turn

_RING_MIN = 4
_MOST_POSITIONS = 500
"""Over all rings; the outline of a quarter has some dozens."""

_LONGITUDES, _LATITUDES = (2.3, 6.5), (49.4, 51.6)
"""Belgium with some margin: a pair the wrong way round lies outside."""


class Polygon(Value):
    """An area as a GeoJSON polygon (RFC 7946): closed rings of longitude and latitude."""

    type: Literal["Polygon"]
    coordinates: Annotated[tuple[Ring, ...], Field(min_length=1, max_length=50)]
    """The outline, then holes in it."""

    @model_validator(mode="after")
    def _is_an_area(self) -> Self:
        message = _flaw(self.coordinates)
        if message is not None:
            raise ValueError(message)
        return self


StreetName = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=120, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]


def _named_once(streets: tuple[str, ...]) -> tuple[str, ...]:
    if len({" ".join(street.casefold().split()) for street in streets}) != len(streets):
        message = "a street is named twice"
        raise ValueError(message)
    return streets


class Streets(Value):
    """An area as a list of streets."""

    type: Literal["streets"]
    streets: Annotated[
        tuple[StreetName, ...], Field(min_length=1, max_length=1000), AfterValidator(_named_once)
    ]


Area = Annotated[Polygon | Streets, Field(discriminator="type")]


def _flaw(rings: Sequence[Ring]) -> str | None:
    """Say what keeps rings from being an area, or None."""
    if sum(len(ring) for ring in rings) > _MOST_POSITIONS:
        return f"at most {_MOST_POSITIONS} positions: draw the outline more simply"
    for ring in rings:
        flaw = _flaw_of_ring(ring)
        if flaw is not None:
            return flaw
    outline, *holes = rings
    for index, hole in enumerate(holes):
        if not inside(hole[0], outline) or cross(hole, outline):
            return "a hole lies inside the outline"
        if any(cross(hole, other) for other in holes[:index]):
            return "two holes cross each other"
    return None


def _flaw_of_ring(ring: Ring) -> str | None:
    if len(ring) < _RING_MIN or ring[0] != ring[-1]:
        return "each ring has four positions or more, the last equal to the first"
    if not all(_in_belgium(position) for position in ring):
        return "a position is [longitude, latitude] in degrees, in that order, in Belgium"
    return "a ring crosses or touches itself" if _crosses_itself(ring) else None


def _in_belgium(position: Position) -> bool:
    x, y = position
    return _LONGITUDES[0] <= x <= _LONGITUDES[1] and _LATITUDES[0] <= y <= _LATITUDES[1]


def _crosses_itself(ring: Ring) -> bool:
    """Tell whether edges meet elsewhere than at the corner of neighbours, or lie on each other."""
    sides = edges(ring)
    last = len(sides) - 1
    if any(a == b for a, b in sides):
        return True
    for i, (a, b) in enumerate(sides):
        for j in range(i + 1, len(sides)):
            c, d = sides[j]
            if j == i + 1:
                folded = _folds_back(a, b, d)
            elif i == 0 and j == last:
                folded = _folds_back(c, d, b)
            else:
                folded = meet(a, b, c, d)
            if folded:
                return True
    return False


def _folds_back(a: Position, b: Position, c: Position) -> bool:
    """Tell whether the way from `b` to `c` goes back over the way from `a` to `b`."""
    back = (a[0] - b[0]) * (c[0] - b[0]) + (a[1] - b[1]) * (c[1] - b[1])
    return turn(a, b, c) == 0 and back > 0
