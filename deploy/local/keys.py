"""Ed25519 keys as PEM files: private ones in PKCS 8, readable by their owner only."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from deploy.local.files import write_private


def ensure_signing_key(path: Path) -> None:
    """Make the key when there is none yet."""
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(path, pem)


def read_signing_key(path: Path) -> bytes:
    """Read a private key, as PEM."""
    return path.read_bytes()


def public_half(path: Path) -> bytes:
    """Give the public half of a private key, as PEM."""
    key = load_pem_private_key(read_signing_key(path), password=None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
