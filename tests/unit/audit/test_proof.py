"""One entry's proof, offline: whatever is done to the file is refused, or says the same."""

import base64
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.domain.entries import Draft, EntryType, Sealed, seal
from services.audit.domain.merkle import inclusion_ranges, leaf_hash, root_of
from services.audit.domain.proof import (
    EntryProof,
    PartUnusable,
    ProofRefused,
    prove_author,
    prove_part,
    read_proof,
)
from services.audit.verify import read_key
from tests.unit.audit.bundles import TIME, entries, note_over, vkey

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


def test_a_value_too_deep_to_be_canonical_is_refused() -> None:
    deep = b"[" * 1000 + b"0.5" + b"]" * 1000
    spoiled = FILE.replace(b'"basis":null', b'"basis":' + deep)
    assert spoiled != FILE
    with pytest.raises(ProofRefused):
        read_proof(spoiled)


def item(index: int, sealed: list[Sealed] = SEALED) -> dict[str, Any]:
    """Give what the service shows of an entry with its private part."""
    one = sealed[index]
    return {
        "entry": orjson.loads(one.body),
        "private": None if one.part is None else orjson.loads(one.part),
        "salt": None if one.part is None else one.salt.hex(),
    }


ITEM = item(5)
ITEM_FILE = orjson.dumps(ITEM)
TIMELINE = [item(index) for index in range(3, COUNT)]


@pytest.mark.parametrize(
    "saved",
    [
        ITEM,
        TIMELINE,
        {"message_id": "m", "states": {}, "timeline": TIMELINE, "next": None},
        {"send_id": "s", "entries": TIMELINE, "next": 9},
        {"items": TIMELINE, "next": None},
    ],
)
def test_the_private_part_is_found_in_whatever_answer_holds_it(saved: object) -> None:
    for option in (0, orjson.OPT_INDENT_2):
        assert prove_part(FOUND, orjson.dumps(saved, option=option)) == ITEM["private"]


def test_a_part_whose_hash_is_over_fractions_and_odd_keys_is_proved() -> None:
    private = {"area": [[4.25, 51.0], [1e21, -0.0]], "\U0001f600": 1, "\ufb01": "é\u2028\n"}
    sealed = [_alone(private)]
    found = proved(orjson.dumps(answer(0, sealed)))
    assert prove_part(found, orjson.dumps(item(0, sealed))) == private


@pytest.mark.parametrize(
    "other",
    [
        {"private": {**ITEM["private"], "text": "e"}},
        {"private": {**ITEM["private"], "more": None}},
        {"private": {}},
        {"private": "é"},
        {"private": {**ITEM["private"], "text": 2**60}},
        {"salt": "00" * 32},
        {"salt": ITEM["salt"].upper()},
        {"salt": ITEM["salt"][:-2]},
        {"salt": None},
        {"salt": 1},
        {"private": None},
        {"private": TIMELINE[0]["private"], "salt": TIMELINE[0]["salt"]},
        {"entry": {**ITEM["entry"], "state": "failed"}},
        {"entry": {**ITEM["entry"], "private": TIMELINE[0]["entry"]["private"]}},
    ],
)
def test_a_part_that_was_edited_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ProofRefused):
        prove_part(FOUND, orjson.dumps({**ITEM, **other}))


def test_an_edited_text_is_called_not_the_one_that_was_committed_to() -> None:
    edited = {**ITEM, "private": {**ITEM["private"], "text": "e"}}
    with pytest.raises(ProofRefused, match="the private part is not the one that the entry comm"):
        prove_part(FOUND, orjson.dumps({"timeline": [TIMELINE[0], edited]}))


@settings(max_examples=600)
@given(st.integers(0, len(ITEM_FILE) - 1), st.integers(1, 255))
def test_a_changed_byte_of_a_part_is_found_or_says_the_same(at: int, flip: int) -> None:
    spoiled = bytearray(ITEM_FILE)
    spoiled[at] ^= flip
    try:
        private = prove_part(FOUND, bytes(spoiled))
    except (ProofRefused, PartUnusable):
        return
    assert private == ITEM["private"]


def test_of_a_part_that_is_gone_nothing_is_shown() -> None:
    assert prove_part(FOUND, orjson.dumps({**ITEM, "private": None, "salt": None})) is None


def test_a_part_that_nothing_ends_is_missed() -> None:
    sealed = [_alone({"signer": "k"}, EntryType.VERDICT)]
    found = proved(orjson.dumps(answer(0, sealed)))
    gone = {**item(0, sealed), "private": None, "salt": None}
    with pytest.raises(ProofRefused, match="missing that nothing erases"):
        prove_part(found, orjson.dumps(gone))


def test_an_entry_that_commits_to_nothing_gets_no_part() -> None:
    sealed = [_alone(None)]
    found = proved(orjson.dumps(answer(0, sealed)))
    assert prove_part(found, orjson.dumps(item(0, sealed))) is None
    invented = {**item(0, sealed), "private": {"text": "t"}, "salt": "00" * 32}
    with pytest.raises(ProofRefused):
        prove_part(found, orjson.dumps(invented))


@pytest.mark.parametrize(
    "saved",
    [
        b"",
        b"\xff",
        b"nonsense",
        b"[" * 2000,
        *map(
            orjson.dumps,
            [
                None,
                [],
                {"timeline": None},
                {"timeline": [1, {"entry": None, "private": None, "salt": None}]},
                item(4),
                {"timeline": TIMELINE[:2]},
                {"items": [ITEM["entry"]]},
                item(5, entries(COUNT, "other")),
                answer(5),
            ],
        ),
    ],
)
def test_a_file_without_that_entry_says_nothing_of_its_part(saved: bytes) -> None:
    with pytest.raises(PartUnusable):
        prove_part(FOUND, saved)


@given(st.binary(max_size=200))
def test_nothing_that_a_part_holds_raises_anything_else(junk: bytes) -> None:
    with pytest.raises(PartUnusable):
        prove_part(FOUND, junk)


def _alone(private: dict[str, Any] | None, kind: EntryType = EntryType.ORIGINAL) -> Sealed:
    return seal(Draft(event_id="e", type=kind, time=TIME, private=private), 0, "demo", bytes(32))
