"""One entry's inclusion proof as the service answers it, checked with nothing but a key.

What counts is what the answer says, not how it is written: it may have been printed anew on its
way. Nothing of it is shown as proved but the entry itself, and the private part that it commits to.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson

from services.audit.domain.bundle import BundleRefused, read_line
from services.audit.domain.canonical import canonical_loaded
from services.audit.domain.entries import FIELDS, zone_of
from services.audit.domain.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from services.audit.domain.notes import ORIGIN_PREFIX, Checkpoint, NoteRefused, Verifier

_KEYS = {"index", "size", "leaf_hash", "hashes", "entry", "checkpoint"}
_ITEM_KEYS = {"entry", "private", "salt"}
_LISTS = ("timeline", "entries", "items")
"""Where a message, a send and a person's record hold their items."""


class ProofRefused(ValueError):  # noqa: N818 - a verdict on the input
    """An answer that proves nothing; the message says why."""


class PartUnusable(ValueError):  # noqa: N818 - about what was given
    """A file in which no private part is found, so that it says nothing of one."""


@dataclass(frozen=True, slots=True)
class EntryProof:
    """An entry that stands in the log of a checkpoint. Who signed that is yet to be asked."""

    entry: dict[str, Any]
    checkpoint: Checkpoint
    note: str


def read_proof(answer: bytes) -> EntryProof:
    """Read the JSON of a proof and check it by itself. Raises `ProofRefused`."""
    values = _object(answer)
    entry, note, hashes = values["entry"], values["checkpoint"], values["hashes"]
    if not isinstance(entry, dict) or cast("dict[str, Any]", entry).keys() != FIELDS:
        raise ProofRefused("the entry does not have an entry's fields")
    if not isinstance(note, str) or not isinstance(hashes, list):
        raise ProofRefused("the checkpoint is not a text, or the hashes are not a list")
    fields = cast("dict[str, Any]", entry)
    try:
        body, checkpoint = canonical_loaded(fields), Checkpoint.unproven(note)
    except NoteRefused as refused:
        raise ProofRefused(str(refused)) from None
    except (ValueError, RecursionError):
        raise ProofRefused("a value of the entry has no canonical form") from None
    if values["index"] != fields["index"] or values["size"] != checkpoint.size:
        raise ProofRefused("the index or the size is not that of the entry or of the checkpoint")
    if not checkpoint.origin.startswith(ORIGIN_PREFIX):
        message = f"the checkpoint's origin does not begin with {ORIGIN_PREFIX}"
        raise ProofRefused(message)
    if fields["zone_id"] != zone_of(checkpoint.origin.removeprefix(ORIGIN_PREFIX)):
        raise ProofRefused("the entry is of another zone than the checkpoint")
    _include(body, fields["index"], values["leaf_hash"], cast("list[object]", hashes), checkpoint)
    return EntryProof(fields, checkpoint, note)


def _include(
    body: bytes, index: object, stated: object, hashes: Sequence[object], checkpoint: Checkpoint
) -> None:
    leaf, path = leaf_hash(body), [_hash(value) for value in hashes]
    if _hash(stated) != leaf:
        raise ProofRefused("the entry was changed: it does not give the leaf's hash")
    if type(index) is not int or not verify_inclusion(
        index, checkpoint.size, leaf, path, checkpoint.root
    ):
        raise ProofRefused("the path does not lead from the entry to the checkpoint's root")


def prove_author(proof: EntryProof, verifier: Verifier) -> None:
    """Check that a key, from a source that is trusted, signed the checkpoint.

    Raises `ProofRefused`.
    """
    if verifier.name != proof.checkpoint.origin:
        raise ProofRefused("the key is not for this log")
    try:
        Checkpoint.open(proof.note, verifier)
    except NoteRefused as refused:
        raise ProofRefused(str(refused)) from None


def agree_with(proof: EntryProof, kept: str, verifier: Verifier | None) -> None:
    """Hold the checkpoint against one that was kept, signed by the same key where one is given.

    Raises `ProofRefused`, also where the two are of different sizes: what lies between them is not
    in the proof, and the service gives one for the size that was kept.
    """
    try:
        known = Checkpoint.unproven(kept) if verifier is None else Checkpoint.open(kept, verifier)
    except NoteRefused as refused:
        message = f"the kept checkpoint does not count: {refused}"
        raise ProofRefused(message) from None
    if known.origin != proof.checkpoint.origin:
        raise ProofRefused("the kept checkpoint is of another log")
    if known.size != proof.checkpoint.size:
        raise ProofRefused(_other_size(proof, known))
    if known.root != proof.checkpoint.root:
        raise ProofRefused("the kept checkpoint has another root: the log was forked or rewritten")


def _other_size(proof: EntryProof, kept: Checkpoint) -> str:
    size, index = proof.checkpoint.size, proof.entry["index"]
    if kept.size <= index:
        return (
            f"the kept checkpoint has {kept.size} entries and so is older than entry {index}: hold "
            "a bundle against it with 'buurtbode verify --kept'"
        )
    return (
        f"the kept checkpoint has {kept.size} entries, and the proof is for {size}: ask for the "
        f"proof again with ?size={kept.size}"
    )


def prove_part(proof: EntryProof, answer: bytes) -> dict[str, Any] | None:
    """Give the entry's private part out of an answer that was saved, or out of one item of it.

    None where nothing stands beside the entry: it never did, it was erased, or its date has come.
    Raises `ProofRefused` for what the entry does not commit to, and `PartUnusable`.
    """
    item = _item_of(proof, answer)
    if item["entry"] != proof.entry:
        raise ProofRefused("the entry beside the private part is not the one that is proved")
    try:
        # as a line of a bundle it has to pass exactly what `verify` asks of one
        read_line(canonical_loaded({**item, "entry": proof.entry}) + b"\n")
    except BundleRefused as refused:
        raise ProofRefused(str(refused)) from None
    except (ValueError, RecursionError):
        raise ProofRefused("a value of the private part has no canonical form") from None
    private = item["private"]
    if private is not None and not isinstance(private, dict):
        raise ProofRefused("the private part does not consist of named values")
    return cast("dict[str, Any] | None", private)


def _item_of(proof: EntryProof, answer: bytes) -> dict[str, Any]:
    try:
        whole: object = orjson.loads(answer)
    except orjson.JSONDecodeError:
        raise PartUnusable("it is not JSON: save the answer as it is") from None
    index, zone = proof.entry["index"], proof.entry["zone_id"]
    for item in _items(whole):
        if not isinstance(item["entry"], dict):
            continue
        entry = cast("dict[str, Any]", item["entry"])
        if (entry.get("index"), entry.get("zone_id")) == (index, zone):
            return item
    message = (
        f"it does not hold entry {index} of zone {zone} with its private part: save the answer of "
        "/v1/messages/ID or /v1/sends/ID, the page in which that entry stands"
    )
    raise PartUnusable(message)


def _items(whole: object) -> Iterator[dict[str, Any]]:
    """Give the items of an answer, of a list alone, or the one item that the file is."""
    if isinstance(whole, dict):
        values = cast("dict[str, Any]", whole)
        found: list[object] = [values, *(values.get(name) for name in _LISTS)]
    else:
        found = [whole]
    for place in found:
        for one in cast("list[object]", place) if isinstance(place, list) else [place]:
            if isinstance(one, dict) and cast("dict[str, Any]", one).keys() == _ITEM_KEYS:
                yield cast("dict[str, Any]", one)


def _object(answer: bytes) -> dict[str, Any]:
    try:
        values: object = orjson.loads(answer)
    except orjson.JSONDecodeError:
        raise ProofRefused("the file is not JSON") from None
    if not isinstance(values, dict) or cast("dict[str, Any]", values).keys() != _KEYS:
        raise ProofRefused("the file does not have a proof's fields: save the answer as it is")
    return cast("dict[str, Any]", values)


def _hash(value: object) -> bytes:
    try:
        data = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != HASH_SIZE or base64.b64encode(data).decode() != value:
        raise ProofRefused("a hash is not a SHA-256 in base64")
    return data
