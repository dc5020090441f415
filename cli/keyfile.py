"""An officer's signing key on disk: a private JWK that says whose it is, and its public half.

The private file never leaves the officer's machine. The public file is what an admin enrols, in
the shape that the registry takes.
"""

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from cli.failures import CommandError, cannot_read
from shared import signatures

PUBLIC_SUFFIX = ".pub"

KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key",
        envvar="BUURTBODE_KEY",
        help="Your private key file, made with 'buurtbode keys new'.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key and who it signs for. `officer_id` is None for a police system's key."""

    kid: str
    zone_id: str
    officer_id: str | None
    private: OKPKey

    @property
    def issued_by(self) -> str:
        """Give what a message signed with it must name as its issuer."""
        return self.officer_id or self.kid

    def sign(self, value: bytes, topic: str) -> bytes:
        """Sign exact bytes for a topic: the value of the signature header."""
        token = signatures.sign(value, self.private, kid=self.kid, zone=self.zone_id, topic=topic)
        return token.encode()

    def public(self) -> dict[str, str]:
        """Give the public JWK."""
        members = cast("dict[str, str]", self.private.as_dict(private=False))
        return {name: members[name] for name in ("kty", "crv", "x", "kid", "use")}


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the registry needs to know of a new key; lives in the public file."""

    jwk: dict[str, str]
    zone_id: str
    officer_id: str | None
    nbf: datetime
    exp: datetime

    def body(self) -> dict[str, object]:
        """Give the body of the registry's PUT."""
        return {
            "jwk": self.jwk,
            "officer_id": self.officer_id,
            "nbf": self.nbf.isoformat(),
            "exp": self.exp.isoformat(),
        }


def new_key(zone_id: str, officer_id: str | None, kid: str) -> SigningKey:
    """Make a key."""
    return SigningKey(kid, zone_id, officer_id, signatures.new_key(kid))


def write(key: SigningKey, enrolment: Enrolment, path: Path) -> Path:
    """Write the private file (mode 600) and the public one beside it, and give the latter.

    Raises `CommandError` rather than overwrite: a lost key cannot be made again.
    """
    public = public_path(path)
    members = {
        **cast("dict[str, Any]", key.private.as_dict(private=True)),
        "zone_id": key.zone_id,
        "officer_id": key.officer_id,
    }
    _write_new(path, members, 0o600)
    _write_new(public, {"zone_id": key.zone_id, **enrolment.body()}, 0o644)
    return public


def public_path(path: Path) -> Path:
    """Name the public file that stands beside a private one."""
    return path.with_name(path.name + PUBLIC_SUFFIX)


def read(path: Path | None) -> SigningKey:
    """Read a private key file. Raises `CommandError`."""
    if path is None:
        message = "which key signs? Name your key file with --key (or set BUURTBODE_KEY)"
        raise CommandError(message)
    members = _members(path)
    try:
        private = OKPKey.import_key(
            {name: members[name] for name in ("kty", "crv", "x", "d", "kid", "use")}
        )
        kid, zone_id = str(members["kid"]), str(members["zone_id"])
        officer = members["officer_id"]
    except (KeyError, JoseError, ValueError):
        message = f"{path} is not a private key of 'buurtbode keys new'"
        if path.name.endswith(PUBLIC_SUFFIX):
            message += f": it is the public half, sign with {path.name[: -len(PUBLIC_SUFFIX)]}"
        raise CommandError(message) from None
    return SigningKey(kid, zone_id, str(officer) if officer else None, private)


def read_enrolment(path: Path) -> Enrolment:
    """Read a public file. Raises `CommandError`."""
    members = _members(path)
    try:
        return Enrolment(
            jwk={str(name): str(value) for name, value in members["jwk"].items()},
            zone_id=str(members["zone_id"]),
            officer_id=members["officer_id"],
            nbf=datetime.fromisoformat(members["nbf"]),
            exp=datetime.fromisoformat(members["exp"]),
        )
    except (KeyError, AttributeError, TypeError, ValueError):
        message = f"{path} is not a public file of 'buurtbode keys new' (it ends in .pub)"
        raise CommandError(message) from None


def _members(path: Path) -> dict[str, Any]:
    try:
        members = json.loads(path.read_bytes())
    except OSError as error:
        raise CommandError(cannot_read(path, error)) from None
    except ValueError:
        members = None
    if not isinstance(members, dict):
        message = f"{path} is not a key file of 'buurtbode keys new'"
        raise CommandError(message)
    return cast("dict[str, Any]", members)


def _write_new(path: Path, members: object, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        message = f"{path} exists already and is not overwritten: choose another name with --out"
        raise CommandError(message) from None
    except OSError as error:
        message = f"cannot write {path} ({error.strerror})"
        raise CommandError(message) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(members, file, indent=1)
        file.write("\n")
