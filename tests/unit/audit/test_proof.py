"""One entry's proof, offline: whatever is done to the file is refused, or says the same."""

import base64
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.domain.entries import Sealed
from services.audit.domain.merkle import inclusion_ranges, leaf_hash, root_of
from services.audit.domain.proof import EntryProof, ProofRefused, prove_author, read_proof
from services.audit.verify import read_key
from tests.unit.audit.bundles import entries, note_over, vkey

COUNT = 9
SEALED = entries(COUNT)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def answer(index: int, sealed: list[Sealed] = SEALED, note: str | None = None) -> dict[str, Any]:
    """Give what the service answers."""
    leaves = [leaf_hash(entry.body) for entry in sealed]
    hashes = [root_of(leaves[start:end]) for start, end in inclusion_ranges(index, len(sealed))]
    return {
        "index": index,
        "size": len(sealed),
        "leaf_hash": base64.b64encode(leaves[index]).decode(),
        "hashes": [base64.b64encode(value).decode() for value in hashes],
        "entry": orjson.loads(sealed[index].body),
        "checkpoint": note or note_over(sealed),
    }


def proved(content: bytes, key: str = vkey()) -> EntryProof:
    found = read_proof(content)
    prove_author(found, read_key(key, found.checkpoint.origin))
    return found


FILE = orjson.dumps(answer(5))
FOUND = proved(FILE)


@given(st.integers(1, 40), st.data())
def test_every_entry_of_every_size_is_proved(count: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    sealed = entries(count)
    found = proved(orjson.dumps(answer(index, sealed), option=orjson.OPT_INDENT_2))
    assert found.entry == orjson.loads(sealed[index].body)
    assert found.checkpoint.size == count


@settings(max_examples=600)
@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_says_the_same(at: int, flip: int) -> None:
    spoiled = bytearray(FILE)
    spoiled[at] ^= flip
    try:
        found = proved(bytes(spoiled))
    except ProofRefused:
        return
    assert found == FOUND


@given(st.binary(max_size=200))
def test_nothing_that_a_file_holds_raises_anything_else(junk: bytes) -> None:
    with pytest.raises(ProofRefused):
        read_proof(junk)


def changed(path: str, value: object) -> bytes:
    whole: Any = answer(5)
    place, _, last = path.rpartition(".")
    (whole[place] if place else whole)[last] = value
    return orjson.dumps(whole)


def _without(name: str) -> bytes:
    return orjson.dumps({key: value for key, value in answer(5).items() if key != name})


@pytest.mark.parametrize(
    "content",
    [
        *(_without(name) for name in answer(5)),
        changed("extra", 1),
        changed("entry.extra", 1),
        changed("entry.state", "failed"),
        changed("entry.time", "2026-03-14T20:15:00Z"),
        changed("entry.index", 4),
        changed("entry.seq", 10**18),
        changed("index", 4),
        changed("index", "5"),
        changed("size", 8),
        changed("hashes", answer(4)["hashes"]),
        changed("hashes", answer(5)["hashes"][:-1]),
        changed("hashes", [1]),
        changed("hashes", {}),
        changed("leaf_hash", answer(4)["leaf_hash"]),
        changed("leaf_hash", answer(5)["leaf_hash"].rstrip("=")),
        changed("checkpoint", note_over(SEALED[:8])),
        changed("checkpoint", note_over(SEALED, OTHER)),
        changed("checkpoint", note_over(SEALED, log="other")),
        changed("checkpoint", "nonsense"),
        changed("checkpoint", None),
        orjson.dumps(answer(5, entries(COUNT, "other"), note_over(entries(COUNT, "other")))),
    ],
)
def test_what_does_not_hang_together_is_refused(content: bytes) -> None:
    with pytest.raises(ProofRefused):
        proved(content)
