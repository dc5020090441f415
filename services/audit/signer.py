"""The key that signs the checkpoints of every zone's log: Ed25519, from a PEM file.

While the key changes, the former one signs too.
"""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.audit.domain.notes import (
    Checkpoint,
    NoteRefused,
    Verifier,
    add_signature,
    open_with,
    origin_of,
    sign_note,
)
from shared.settings import UnusableSettingsError


class NoSigningKey(UnusableSettingsError):  # noqa: N818 - a missing setting
    """A signing key cannot be read; the text names the variable, and the file that it names."""


class Signer:
    """Signs checkpoints. The name on a signature is the log's origin."""

    def __init__(self, key: Ed25519PrivateKey, former: Ed25519PrivateKey | None = None) -> None:
        """Take the key, and the one of before; `Signer.load` reads them from their files."""
        self._key = key
        self._former = former

    @classmethod
    def load(cls, path: Path, former: Path | None = None) -> "Signer":
        """Read PKCS 8 PEM files. Raises `NoSigningKey`."""
        key = _read("BUURTBODE_SIGNING_KEY", path)
        return cls(key, None if former is None else _read("BUURTBODE_FORMER_SIGNING_KEY", former))

    @property
    def changes(self) -> bool:
        """Whether the key is being changed: there is a former one."""
        return self._former is not None

    def verifier(self, log: str) -> Verifier:
        """Give the public key under the log's name."""
        return Verifier.of(origin_of(log), self._key.public_key())

    def verifiers(self, log: str) -> tuple[Verifier, ...]:
        """Give the public keys by which a checkpoint of the log counts, the new one first."""
        former = () if self._former is None else (self._former.public_key(),)
        return (self.verifier(log), *(Verifier.of(origin_of(log), key) for key in former))

    def opens_with_former_only(self, log: str, note: str) -> bool:
        """Tell whether a checkpoint was signed before the key changed."""
        try:
            verifier, _ = open_with(self.verifiers(log), note)
        except NoteRefused:
            return False  # whose it is, is the whole check's question
        return verifier != self.verifier(log)

    def sign(self, log: str, size: int, root: bytes) -> str:
        """Give the signed note of a checkpoint."""
        checkpoint = Checkpoint(origin_of(log), size, root)
        note = sign_note(checkpoint.text, self.verifier(log), self._key.sign)
        if self._former is None:
            return note
        return add_signature(note, self.verifiers(log)[1], self._former.sign)


def _read(variable: str, path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        wanted = "an Ed25519 key (PKCS 8, PEM)"
        message = f"{variable}: cannot read {wanted} at {path}: {type(error).__name__}"
        raise NoSigningKey(message) from error
    if not isinstance(key, Ed25519PrivateKey):
        message = f"{variable}: the key at {path} is not an Ed25519 key"
        raise NoSigningKey(message)
    return key
