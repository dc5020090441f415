"""The secrets of one local stack: made once, kept in `DIR/secrets`, never printed."""

import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.files import private_folder, write_private
from deploy.local.keys import ensure_signing_key, public_half

_PASSWORDS = "passwords.json"
_KAFKA_USERS = "kafka-users.json"


class Vault:
    """The folder of secrets."""

    def __init__(self, folder: Path) -> None:
        """Use this folder, making it when it is not there, open to its owner only."""
        self.folder = private_folder(folder)

    def password(self, name: str) -> str:
        """Give the secret of this name, a random one the first time."""
        known = self._read(_PASSWORDS)
        if name not in known:
            known[name] = secrets.token_hex(20)
            self._write(_PASSWORDS, known)
        return known[name]

    def passwords(self, kind: str, names: Sequence[str]) -> dict[str, str]:
        """Give one secret for each name."""
        return {name: self.password(f"{kind}-{name}") for name in names}

    def signing_key(self, name: str) -> Path:
        """Give the file of an Ed25519 key (PEM, PKCS 8), made the first time."""
        path = self.folder / f"{name}.pem"
        ensure_signing_key(path)
        return path

    def publish(self, name: str, path: Path) -> None:
        """Write the public half of a key where everybody may read it."""
        path.write_bytes(public_half(self.signing_key(name)))

    def kafka_users(self) -> dict[str, str]:
        """Give the users that outsiders use, with their passwords."""
        return self._read(_KAFKA_USERS)

    def keep_kafka_user(self, user: str, password: str | None) -> None:
        """Remember a user's password, or forget the user (None)."""
        users = self.kafka_users()
        users.pop(user, None)
        if password is not None:
            users[user] = password
        self._write(_KAFKA_USERS, users)

    @property
    def pseudonym_keys(self) -> Path:
        """Where the key ring of recipient pseudonyms is."""
        return self.folder / "pseudonyms.json"

    def _read(self, name: str) -> dict[str, str]:
        path = self.folder / name
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _write(self, name: str, values: Mapping[str, str]) -> None:
        write_private(self.folder / name, json.dumps(dict(values), indent=1))
