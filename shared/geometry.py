"""Rings and areas in the plane: enough for outlines of neighbourhoods, and no map needed. Pure.

A position is longitude and latitude; over the few kilometres of a network the plane is exact
enough. An area is an outline and the holes in it, each a closed ring (RFC 7946).
"""

from collections.abc import Sequence
from itertools import pairwise

Position = tuple[float, float]
Ring = tuple[Position, ...]
Rings = Sequence[Ring]


def edges(ring: Ring) -> list[tuple[Position, Position]]:
    """Give the segments between neighbours."""
    return list(pairwise(ring))


def cross(one: Ring, other: Ring) -> bool:
    """Tell whether two rings have a point in common."""
    return any(meet(a, b, c, d) for a, b in edges(one) for c, d in edges(other))


def meet(a: Position, b: Position, c: Position, d: Position) -> bool:
    """Tell whether two segments have a point in common."""
    if turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(turn(p, q, r) == 0 and _between(p, q, r) for p, q, r in ends)


def turn(a: Position, b: Position, c: Position) -> float:
    """Give a number above zero where `c` lies left of the way from `a` to `b`; zero on it."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _between(a: Position, b: Position, c: Position) -> bool:
    return all(min(p, q) <= r <= max(p, q) for p, q, r in zip(a, b, c, strict=True))


def inside(point: Position, ring: Ring) -> bool:
    """Tell whether a point lies inside a ring, by the edges that a ray to the east crosses."""
    x, y = point
    found = False
    for (x1, y1), (x2, y2) in edges(ring):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            found = not found
    return found


def in_area(point: Position, area: Rings) -> bool:
    """Tell whether a point lies in an area: inside the outline, and in none of its holes."""
    outline, *holes = area
    return inside(point, outline) and not any(inside(point, hole) for hole in holes)


def areas_meet(one: Rings, other: Rings) -> bool:
    """Tell whether two areas have a point in common: a border, a corner, or all of one of them."""
    if any(cross(ring, another) for ring in one for another in other):
        return True
    return in_area(one[0][0], other) or in_area(other[0][0], one)
