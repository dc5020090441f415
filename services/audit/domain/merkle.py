"""The Merkle tree of RFC 6962: hashes, the growing frontier, proofs and how they are checked.

Ranges are half-open, `[start, end)`, in leaves. A *node* is a complete subtree, named by its level
(0 is a leaf) and its place among the nodes of that level. A *tile* holds 256 neighbouring nodes of
one level in eight, so that any node of a log of millions is a few small reads away.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT

_sha256 = hashlib.sha256


def leaf_hash(entry: bytes) -> bytes:
    """Hash a leaf (RFC 6962, 2.1: prefix 0x00)."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash an inner node (prefix 0x01)."""
    return _sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees that make up a tree, the largest first: all that appending needs."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Continue a tree. Raises `ValueError` where the hashes do not fit its size."""
        if size < 0 or len(hashes) != size.bit_count():
            message = "the frontier does not fit the size"
            raise ValueError(message)
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf: bytes) -> None:
        """Append a leaf by its hash."""
        hashes = self.hashes
        carry = self.size
        while carry & 1:
            leaf = node_hash(hashes.pop(), leaf)
            carry >>= 1
        hashes.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaves by their hashes."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """Give the tree's root."""
        return fold(self.hashes) if self.hashes else EMPTY_ROOT

    def copy(self) -> "Frontier":
        """Give an independent copy."""
        return Frontier(self.size, self.hashes)


def fold(hashes: Sequence[bytes]) -> bytes:
    """Hash neighbouring complete subtrees, the largest first, into one."""
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Give the root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


class Range(NamedTuple):
    """Neighbouring leaves; `start` is a multiple of the largest power of two in its length."""

    start: int
    end: int


class Node(NamedTuple):
    """A complete subtree."""

    level: int
    place: int


def _split(length: int) -> int:
    """Give the largest power of two below a length of 2 or more."""
    return 1 << (length - 1).bit_length() - 1


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Name what an inclusion proof consists of, in its order (RFC 6962, 2.1.1).

    Raises `ValueError` unless 0 <= index < size.
    """
    if not 0 <= index < size:
        message = "the index is not below the size"
        raise ValueError(message)
    ranges: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append(Range(middle, end))
            end = middle
        else:
            ranges.append(Range(start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Name what a consistency proof consists of, in its order (RFC 6962, 2.1.2).

    Raises `ValueError` unless 0 < old <= new.
    """
    if not 0 < old <= new:
        message = "the older size is not between 1 and the newer"
        raise ValueError(message)
    ranges: list[Range] = []
    start, end = 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append(Range(middle, end))
            end = middle
        else:
            ranges.append(Range(start, middle))
            start = middle
    if start > 0:
        ranges.append(Range(start, end))
    return ranges[::-1]


def nodes_of(part: Range) -> list[Node]:
    """Split a range into complete subtrees, the largest first."""
    nodes: list[Node] = []
    start, end = part
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def proof(ranges: Iterable[Range], hash_of: Callable[[Node], bytes]) -> list[bytes]:
    """Give a proof's hashes from those of its nodes."""
    return [fold([hash_of(node) for node in nodes_of(part)]) for part in ranges]


def verify_inclusion(
    index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> bool:
    """Tell whether a proof shows that a leaf hash stands in a tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or len(leaf) != HASH_SIZE:
        return False
    place, last, result = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            result = node_hash(step, result)
            while place and not place & 1:
                place >>= 1
                last >>= 1
        else:
            result = node_hash(result, step)
        place >>= 1
        last >>= 1
    return last == 0 and result == root


def verify_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Tell whether a proof shows that one tree is the beginning of another (RFC 9162, 2.1.4.2).

    Every tree begins with itself, for which the proof is empty. That it begins with the empty tree
    says nothing, so it is refused, as the published vectors ask.
    """
    if 0 < old == new:
        return not path and old_root == new_root
    if not 0 < old < new or not path:
        return False
    steps = [old_root, *path] if old.bit_count() == 1 else list(path)
    return _climb(old, new, steps) == (old_root, new_root)


def _climb(old: int, new: int, steps: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Recompute both roots of a consistency proof; None where its length is wrong."""
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while place and not place & 1:
                place >>= 1
                last >>= 1
        else:
            second = node_hash(second, step)
        place >>= 1
        last >>= 1
    return (first, second) if last == 0 else None


class Tile(NamedTuple):
    """256 neighbouring nodes of level `8 * level`."""

    level: int
    place: int


Tiles = dict[Tile, bytearray]
"""Tiles' hashes, joined; the last tile of a level may be shorter."""


def open_tiles(size: int) -> list[Tile]:
    """Name the tiles of a tree that are begun and not full: those that the next leaves change."""
    tiles: list[Tile] = []
    level, count = 0, size
    while count:
        if count % TILE_WIDTH:
            tiles.append(Tile(level, count // TILE_WIDTH))
        level, count = level + 1, count // TILE_WIDTH
    return tiles


def grow_tiles(tiles: Tiles, size: int, leaves: Iterable[bytes]) -> None:
    """Append leaf hashes to a tree's open tiles; `tiles` then holds every tile that changed.

    Raises `ValueError` where a tile does not fit the size.
    """
    _grow(tiles, 0, size, list(leaves))


def _grow(tiles: Tiles, level: int, place: int, hashes: list[bytes]) -> None:
    while hashes:
        tile = tiles.setdefault(Tile(level, place // TILE_WIDTH), bytearray())
        within = place % TILE_WIDTH
        if len(tile) != within * HASH_SIZE:
            message = "a tile does not fit the size"
            raise ValueError(message)
        some, hashes = hashes[: TILE_WIDTH - within], hashes[TILE_WIDTH - within :]
        tile += b"".join(some)
        place += len(some)
        if place % TILE_WIDTH == 0:
            _grow(tiles, level + 1, place // TILE_WIDTH - 1, [_perfect_root(bytes(tile))])


def tile_of(node: Node) -> Tile:
    """Name the tile from which a node's hash follows."""
    level, height = divmod(node.level, TILE_HEIGHT)
    return Tile(level, (node.place << height) // TILE_WIDTH)


def node_in(tiles: Mapping[Tile, bytes | bytearray], node: Node) -> bytes:
    """Give a node's hash from its tile. Raises `ValueError` where the tile is too short."""
    height = node.level % TILE_HEIGHT
    first = (node.place << height) % TILE_WIDTH
    end = (first + (1 << height)) * HASH_SIZE
    hashes = bytes(tiles[tile_of(node)])
    if len(hashes) < end:
        message = "a tile is shorter than the tree"
        raise ValueError(message)
    return _perfect_root(hashes[first * HASH_SIZE : end])


def _perfect_root(joined: bytes) -> bytes:
    row = [joined[at : at + HASH_SIZE] for at in range(0, len(joined), HASH_SIZE)]
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]
