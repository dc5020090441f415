"""Signed notes: the specification's own example, and strictness."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.notes import (
    Checkpoint,
    NoteRefused,
    Verifier,
    open_note,
    sign_note,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERIFIER = Verifier.of("buurtbode/demo", KEY.public_key())
CHECKPOINT = Checkpoint("buurtbode/demo", 231, bytes(range(32)))
NOTE = sign_note(CHECKPOINT.text, VERIFIER, KEY.sign)

# the example of Go's package golang.org/x/mod/sumdb/note, which is under BSD-3-Clause
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"  # noqa: E501
)


def test_a_published_note_opens_with_its_published_key() -> None:
    verifier = Verifier.parse(PETER)
    assert verifier.vkey == PETER
    assert open_note(PETERS_NOTE, verifier).startswith("If you think")
    with pytest.raises(NoteRefused, match="signature is wrong"):
        open_note(PETERS_NOTE.replace("answer", "Answer"), verifier)


def test_a_checkpoint_round_trip() -> None:
    assert Checkpoint.open(NOTE, VERIFIER) == CHECKPOINT
    assert Verifier.parse(VERIFIER.vkey) == VERIFIER


def test_another_key_and_another_name_are_refused() -> None:
    other = Ed25519PrivateKey.generate()
    for verifier in (
        Verifier.of("buurtbode/demo", other.public_key()),
        Verifier.of("buurtbode/other", KEY.public_key()),
    ):
        with pytest.raises(NoteRefused, match="not signed by this key"):
            Checkpoint.open(NOTE, verifier)


def test_other_keys_signatures_are_ignored() -> None:
    other = Ed25519PrivateKey.generate()
    witness = Verifier.of("witness.example", other.public_key())
    line = sign_note(CHECKPOINT.text, witness, other.sign).rpartition("\n\n")[2]
    both = NOTE + line
    assert Checkpoint.open(both, VERIFIER) == Checkpoint.open(both, witness) == CHECKPOINT


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(1, 255))
def test_no_changed_byte_goes_unseen(at: int, flip: int) -> None:
    changed = bytearray(NOTE.encode())
    changed[at] ^= flip
    try:
        text = changed.decode()
    except UnicodeDecodeError:
        return  # not a note at all
    with pytest.raises(NoteRefused):
        Checkpoint.open(text, VERIFIER)


@pytest.mark.parametrize(
    "text",
    [
        "buurtbode/demo\n1\n",
        "buurtbode/demo\n01\n" + "A" * 43 + "=\n",
        "buurtbode/demo\n1\nAAAA\n",
        "buurt bode\n1\n" + "A" * 43 + "=\n",
        "buurtbode/demo\n-1\n" + "A" * 43 + "=\n",
        "buurtbode/demo\n1\n" + "A" * 42 + "B=\n",  # not the one encoding
        CHECKPOINT.text + "extension\n",
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(NoteRefused):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+00000000+" + base64.b64encode(b"\x01" + bytes(32)).decode(),
        "name+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
        "na me+00000000+AQ==",
    ],
)
def test_malformed_keys_are_refused(vkey: str) -> None:
    with pytest.raises(NoteRefused):
        Verifier.parse(vkey)
