"""The Merkle tree against the published vectors, and against RFC 6962's own definition."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain import merkle
from services.audit.domain.merkle import Frontier, Range, Tiles

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "rfc6962.json").read_text())
"""From transparency-dev/merkle (Apache-2.0); source, commit and licence stand in the file."""

# RFC 6962's example tree, as used by certificate-transparency's tests
LEAVES = [
    bytes.fromhex(value)
    for value in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def decoded(value: str | None) -> bytes:
    return base64.b64decode(value or "")


def path_of(vector: dict[str, Any]) -> list[bytes]:
    steps: list[str] = vector["proof"] or []
    return [decoded(step) for step in steps]


@pytest.mark.parametrize("name", VECTORS["inclusion"])
def test_published_inclusion_vector(name: str) -> None:
    vector = VECTORS["inclusion"][name]
    holds = merkle.verify_inclusion(
        vector["leafIdx"],
        vector["treeSize"],
        decoded(vector["leafHash"]),
        path_of(vector),
        decoded(vector["root"]),
    )
    assert holds is not vector["wantErr"]


@pytest.mark.parametrize("name", VECTORS["consistency"])
def test_published_consistency_vector(name: str) -> None:
    vector = VECTORS["consistency"][name]
    holds = merkle.verify_consistency(
        vector["size1"],
        vector["size2"],
        path_of(vector),
        decoded(vector["root1"]),
        decoded(vector["root2"]),
    )
    assert holds is not vector["wantErr"]


def test_there_are_vectors_of_both_kinds() -> None:
    assert len(VECTORS["inclusion"]) == len(VECTORS["consistency"]) == 98
    for kind in ("inclusion", "consistency"):
        assert {vector["wantErr"] for vector in VECTORS[kind].values()} == {True, False}


def test_the_roots_of_the_example_tree() -> None:
    frontier = Frontier()
    assert frontier.root() == merkle.EMPTY_ROOT
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        frontier.append(merkle.leaf_hash(leaf))
        assert frontier.root().hex() == root


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(mth(leaves[:split]), mth(leaves[split:]))


def leaves_of(size: int) -> list[bytes]:
    return [merkle.leaf_hash(str(number).encode()) for number in range(size)]


def tiles_of(size: int) -> Tiles:
    tiles: Tiles = {}
    merkle.grow_tiles(tiles, 0, leaves_of(size))
    return tiles


@given(st.integers(0, 300))
def test_the_frontier_gives_the_root_of_the_definition(size: int) -> None:
    assert merkle.root_of(leaves_of(size)) == mth(leaves_of(size))


@given(st.integers(1, 700), st.data())
def test_every_inclusion_proof_holds_and_no_other_leaf_does(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    tiles = tiles_of(size)
    ranges = merkle.inclusion_ranges(index, size)
    path = merkle.proof(ranges, lambda node: merkle.node_in(tiles, node))
    root = merkle.root_of(leaves)
    assert path == [mth(leaves[part.start : part.end]) for part in ranges]
    assert merkle.verify_inclusion(index, size, leaves[index], path, root)
    assert not merkle.verify_inclusion(index, size, merkle.leaf_hash(b"other"), path, root)


@given(st.integers(1, 700), st.data())
def test_every_consistency_proof_holds_and_no_other_past_does(
    new: int, data: st.DataObject
) -> None:
    old = data.draw(st.integers(1, new))
    leaves = leaves_of(new)
    tiles = tiles_of(new)
    path = merkle.proof(
        merkle.consistency_ranges(old, new), lambda node: merkle.node_in(tiles, node)
    )
    past, root = merkle.root_of(leaves[:old]), merkle.root_of(leaves)
    assert merkle.verify_consistency(old, new, path, past, root)
    rewritten = merkle.root_of([merkle.leaf_hash(b"other"), *leaves[1:old]])
    assert not merkle.verify_consistency(old, new, path, rewritten, root)


@given(st.lists(st.integers(0, 400), max_size=5))
def test_tiles_grow_the_same_in_any_batches(batches: list[int]) -> None:
    total = sum(batches)
    leaves = leaves_of(total)
    stored: Tiles = {}
    size = 0
    for count in batches:
        changed: Tiles = {tile: stored[tile] for tile in merkle.open_tiles(size)}
        merkle.grow_tiles(changed, size, leaves[size : size + count])
        stored |= changed
        size += count
    assert stored == tiles_of(total)


def test_a_third_level_of_tiles() -> None:
    size = 65_536 + 3
    leaves = leaves_of(size)
    tiles = tiles_of(size)
    assert max(tile.level for tile in tiles) == 2
    for index in (0, 65_535, 65_538):
        path = merkle.proof(
            merkle.inclusion_ranges(index, size), lambda node: merkle.node_in(tiles, node)
        )
        assert merkle.verify_inclusion(index, size, leaves[index], path, merkle.root_of(leaves))


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="not below"):
        merkle.inclusion_ranges(3, 3)
    with pytest.raises(ValueError, match="older size"):
        merkle.consistency_ranges(0, 3)
    with pytest.raises(ValueError, match="frontier"):
        Frontier(3, [b""])
    tiles: Tiles = {merkle.Tile(0, 0): bytearray(32)}
    with pytest.raises(ValueError, match="does not fit"):
        merkle.grow_tiles(tiles, 2, leaves_of(1))
    with pytest.raises(ValueError, match="shorter"):
        merkle.node_in(tiles, merkle.Node(1, 0))
    assert merkle.nodes_of(Range(8, 11)) == [merkle.Node(1, 4), merkle.Node(0, 10)]
