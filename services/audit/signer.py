"""The key that signs the checkpoints of every zone's log: Ed25519, from a PEM file."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.audit.domain.notes import Checkpoint, Verifier, origin_of, sign_note


class NoSigningKey(Exception):  # noqa: N818 - a missing setting
    """The signing key cannot be read; the message says what is expected where."""


class Signer:
    """Signs checkpoints. The name on a signature is the log's origin."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Take the key; `Signer.load` reads it from its file."""
        self._key = key

    @classmethod
    def load(cls, path: Path) -> "Signer":
        """Read a PKCS 8 PEM file. Raises `NoSigningKey`."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            message = f"cannot read the signing key at {path}: {type(error).__name__}"
            raise NoSigningKey(message) from error
        if not isinstance(key, Ed25519PrivateKey):
            message = f"the signing key at {path} is not an Ed25519 key"
            raise NoSigningKey(message)
        return cls(key)

    def verifier(self, log: str) -> Verifier:
        """Give the public key under the log's name."""
        return Verifier.of(origin_of(log), self._key.public_key())

    def sign(self, log: str, size: int, root: bytes) -> str:
        """Give the signed note of a checkpoint."""
        checkpoint = Checkpoint(origin_of(log), size, root)
        return sign_note(checkpoint.text, self.verifier(log), self._key.sign)
