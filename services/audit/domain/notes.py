"""Signed notes and checkpoints as C2SP specifies them (c2sp.org/signed-note, tlog-checkpoint).

Everything is read strictly: one text has one encoding, so that no changed byte goes unseen.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORIGIN_PREFIX = "buurtbode/"
OPERATORS = "operators"
"""The log of what belongs to no zone; no zone may have this name."""

_ED25519 = b"\x01"
_COSIGNATURE = b"\x04"
_KEY_SIZE = 32
_ID_SIZE = 4
_TIME_SIZE = 8
_SIGNATURE_SIZE = 64
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_SIGNATURE_LINE = re.compile(r"— ([^ ]+) ([A-Za-z0-9+/=]+)")
_MOST_SIGNATURES = 64


class NoteRefused(ValueError):  # noqa: N818 - a verdict on the input
    """A note, checkpoint or key that is not what it should be; the message says how."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name."""

    name: str
    key: bytes
    """32 bytes, Ed25519."""

    @property
    def key_id(self) -> bytes:
        """Give the four bytes that signatures of this key begin with."""
        data = self.name.encode() + b"\n" + _ED25519 + self.key
        return hashlib.sha256(data).digest()[:_ID_SIZE]

    @property
    def vkey(self) -> str:
        """Give the key as one line of text: `<name>+<id>+<key>`."""
        return f"{self.name}+{self.key_id.hex()}+{_encode(_ED25519 + self.key)}"

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """Read the text form. Raises `NoteRefused`."""
        parts = vkey.strip().split("+", 2)
        if len(parts) != 3 or not _NAME.fullmatch(parts[0]):  # noqa: PLR2004
            raise NoteRefused("the key is not of the form name+id+key")
        data = _decode(parts[2])
        if len(data) != 1 + _KEY_SIZE or data[:1] != _ED25519:
            raise NoteRefused("the key is not an Ed25519 key")
        verifier = cls(parts[0], data[1:])
        if verifier.key_id.hex() != parts[1]:
            raise NoteRefused("the key's id does not belong to it")
        return verifier

    @classmethod
    def of(cls, name: str, key: Ed25519PublicKey) -> "Verifier":
        """Put a name to a key."""
        return cls(name, key.public_bytes(Encoding.Raw, PublicFormat.Raw))

    def holds(self, text: str, signature: bytes) -> bool:
        """Tell whether a signature is this key's over a text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's public key under its name (c2sp.org/tlog-cosignature, cosignature/v1)."""

    name: str
    key: bytes
    """32 bytes, Ed25519."""

    @property
    def key_id(self) -> bytes:
        """Give the four bytes that cosignatures of this key begin with."""
        data = self.name.encode() + b"\n" + _COSIGNATURE + self.key
        return hashlib.sha256(data).digest()[:_ID_SIZE]

    @property
    def vkey(self) -> str:
        """Give the key as one line of text: `<name>+<id>+<key>`."""
        return f"{self.name}+{self.key_id.hex()}+{_encode(_COSIGNATURE + self.key)}"

    @classmethod
    def parse(cls, vkey: str) -> "Cosigner":
        """Read the text form. Raises `NoteRefused`."""
        parts = vkey.strip().split("+", 2)
        if len(parts) != 3 or not _NAME.fullmatch(parts[0]):  # noqa: PLR2004
            raise NoteRefused("the witness's key is not of the form name+id+key")
        data = _decode(parts[2])
        if len(data) != 1 + _KEY_SIZE or data[:1] != _COSIGNATURE:
            raise NoteRefused("the witness's key is not a cosignature/v1 key")
        cosigner = cls(parts[0], data[1:])
        if cosigner.key_id.hex() != parts[1]:
            raise NoteRefused("the witness's key's id does not belong to it")
        return cosigner

    @classmethod
    def of(cls, name: str, key: Ed25519PublicKey) -> "Cosigner":
        """Put a name to a key. Raises `NoteRefused` for a name that notes cannot hold."""
        if not _NAME.fullmatch(name):
            raise NoteRefused(
                "a witness's name has no space, no plus sign and no control character"
            )
        return cls(name, key.public_bytes(Encoding.Raw, PublicFormat.Raw))

    def seen_at(self, note: str) -> int | None:
        """Tell when this witness cosigned a note, in seconds since 1970; None where it did not.

        Raises `NoteRefused` for a cosignature of this key that is wrong.
        """
        text, signatures = _parts(note)
        found = [
            data[_ID_SIZE:]
            for name, data in signatures
            if name == self.name and data[:_ID_SIZE] == self.key_id
        ]
        times = [self._time(text, data) for data in found]
        return min(times, default=None)

    def _time(self, text: str, data: bytes) -> int:
        if len(data) != _TIME_SIZE + _SIGNATURE_SIZE:
            raise NoteRefused("a cosignature is malformed")
        time = int.from_bytes(data[:_TIME_SIZE], "big")
        try:
            key = Ed25519PublicKey.from_public_bytes(self.key)
            key.verify(data[_TIME_SIZE:], _cosigned(text, time))
        except (InvalidSignature, ValueError):
            raise NoteRefused("a cosignature is wrong") from None
        return time


def cosign_note(note: str, cosigner: Cosigner, time: int, sign: Callable[[bytes], bytes]) -> str:
    """Add a witness's cosignature to a note; `time` is in seconds since 1970.

    Raises `NoteRefused` for what is no note.
    """
    text, _ = _parts(note)
    signature = time.to_bytes(_TIME_SIZE, "big") + sign(_cosigned(text, time))
    return f"{note}— {cosigner.name} {_encode(cosigner.key_id + signature)}\n"


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def sign_note(text: str, verifier: Verifier, sign: Callable[[bytes], bytes]) -> str:
    """Sign a text that ends in a line feed; `sign` gives an Ed25519 signature over bytes."""
    signature = _encode(verifier.key_id + sign(text.encode()))
    return f"{text}\n— {verifier.name} {signature}\n"


def add_signature(note: str, verifier: Verifier, sign: Callable[[bytes], bytes]) -> str:
    """Add another key's signature to a note. Raises `NoteRefused` for what is no note."""
    text, _ = _parts(note)
    return f"{note}— {verifier.name} {_encode(verifier.key_id + sign(text.encode()))}\n"


def open_with(verifiers: Iterable[Verifier], note: str) -> "tuple[Verifier, Checkpoint]":
    """Read a checkpoint by the first of some keys that signed it. Raises `NoteRefused`."""
    refusal = NoteRefused("there is no key to read it by")
    for verifier in verifiers:
        try:
            return verifier, Checkpoint.open(note, verifier)
        except NoteRefused as refused:
            refusal = refused
    raise refusal


def open_note(note: str, verifier: Verifier) -> str:
    """Give the text of a note that this key signed. Raises `NoteRefused`.

    Signatures of other keys are allowed and ignored; one of this key that fails refuses the note.
    """
    text, signatures = _parts(note)
    found = [
        data[_ID_SIZE:]
        for name, data in signatures
        if name == verifier.name and data[:_ID_SIZE] == verifier.key_id
    ]
    if not found:
        raise NoteRefused("the checkpoint is not signed by this key")
    if not all(verifier.holds(text, signature) for signature in found):
        raise NoteRefused("the checkpoint's signature is wrong")
    return text


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, separator, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not separator or lines.pop() != "" or not 0 < len(lines) <= _MOST_SIGNATURES:
        raise NoteRefused("the checkpoint is not a signed note")
    if any(ord(char) < 0x20 and char != "\n" for char in note):  # noqa: PLR2004
        raise NoteRefused("the checkpoint holds control characters")
    signatures: list[tuple[str, bytes]] = []
    for line in lines:
        match = _SIGNATURE_LINE.fullmatch(line)
        if match is None:
            raise NoteRefused("a signature line of the checkpoint is malformed")
        signatures.append((match[1], _decode(match[2])))
    return text + "\n", signatures


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: how many entries it has and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Give the text that is signed."""
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of a note. Raises `NoteRefused`; extension lines are not ours."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] != "" or not _NAME.fullmatch(lines[0]):  # noqa: PLR2004
            raise NoteRefused("the checkpoint does not have its three lines")
        if not _SIZE.fullmatch(lines[1]):
            raise NoteRefused("the checkpoint's size is not a number")
        root = _decode(lines[2])
        if len(root) != 32:  # noqa: PLR2004
            raise NoteRefused("the checkpoint's root is not a SHA-256")
        return cls(lines[0], int(lines[1]), root)

    @classmethod
    def open(cls, note: str, verifier: Verifier) -> "Checkpoint":
        """Read a signed note. Raises `NoteRefused`."""
        return cls.parse(open_note(note, verifier))

    @classmethod
    def unproven(cls, note: str) -> "Checkpoint":
        """Read a note without asking who signed it. Raises `NoteRefused`."""
        return cls.parse(_parts(note)[0])


def origin_of(log: str) -> str:
    """Give the origin of a zone's log, or of the operators'."""
    return ORIGIN_PREFIX + log


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteRefused("a value is not base64") from None
    if _encode(data) != text:
        raise NoteRefused("a value is not base64 in its one form")
    return data
