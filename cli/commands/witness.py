"""`buurtbode witness`: keep and cosign the checkpoints of an audit log, outside its house."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from cli.api import Api, RefusedError
from cli.checkpoints import PublishedCheckpoints
from cli.connection import Service, StackOption, connect
from cli.console import complain, say
from cli.failures import NO_ANSWER, NOT_ADMITTED, WRONGLY_CALLED, CommandError
from cli.logkey import LOG_KEY
from services.audit.domain.notes import NoteRefused, Verifier, origin_of
from services.audit.verify import Unusable, log_key, read_key
from services.audit.witness import Parted, ProofRefused, Witness
from shared.topics import Party

_AUDIT: Service = "audit"
_TOKEN_REFUSED = (401, 403)
_NOT_FOUND = 404
_TOO_MANY = 429
_FAULT = 500
_AGAIN_S = 5.0
_WAIT_S = 0.5


def witness(
    zone: Annotated[str, typer.Argument(help="The zone whose log to watch, or 'operators'.")],
    *,
    key: Annotated[str, LOG_KEY],
    keep: Annotated[
        Path, typer.Option("--keep", help="The folder for what was seen; back it up yourself.")
    ],
    witness_key: Annotated[
        Path,
        typer.Option(
            "--witness-key",
            help="Your own private key (PEM, Ed25519); made at the first start if it is missing.",
        ),
    ],
    name: Annotated[
        str, typer.Option("--name", help="Your name on cosignatures, such as witness.example.be.")
    ],
    former: Annotated[
        list[str] | None,
        typer.Option(
            "--former-key",
            help="The log's public key of before, where it changed: it counts up to where --key "
            "began to sign. Repeat for more.",
        ),
    ] = None,
    kafka: Annotated[
        bool,
        typer.Option(
            "--kafka",
            help="See every checkpoint that was published on bin.checkpoints, which keeps those of "
            "the last year, instead of asking for the last one now and then. As Kafka user "
            "'witness', whom an operator makes with 'buurtbode client add --witness'; give the "
            "password in BUURTBODE_KAFKA_PASSWORD and the address in BUURTBODE_KAFKA.",
        ),
    ] = False,
    every: Annotated[float, typer.Option("--every", min=1, help="Seconds between two looks.")] = 60,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    role: Annotated[
        str,
        typer.Option(
            "--role",
            help="Which token of the stack's file to use. One of an auditor of the zone suffices, "
            "or of an operator; the operators' own log takes an operator of no single zone.",
        ),
    ] = "auditor",
    stack: StackOption = None,
) -> None:
    """Watch that an audit log only grows, and cosign each checkpoint (for whoever audits).

    Keep what it keeps: it proves a rewriting even by whoever holds the log's key. Proofs come over
    HTTP either way, from BUURTBODE_AUDIT, with the token in BUURTBODE_TOKEN.

    Ends with 1 when the log parted from its past, has shrunk, or is not proved to have grown. Says
    nothing of the log: 2, a key or a file that was named is none; 3, with --once, no answer; 4, the
    token is not accepted (any more).
    """
    connection = connect(stack)
    watching = _witness(zone, (key, *(former or ())), keep / zone, witness_key, name)
    say(f"Witness key: {watching.cosigner.vkey}")
    with Api(_AUDIT, connection.url(_AUDIT), connection.token(role)) as audit:
        look = _Look(audit, zone, watching, patient=not once)
        if kafka:
            published = PublishedCheckpoints(
                connection.kafka(Party.WITNESS.value), zone, keep / zone / "positions.json"
            )
            with published:
                for gap in published.gaps:
                    complain(gap)
                _follow(look, published, once=once)
            return
        while True:
            look.at_the_last()
            if once:
                return
            time.sleep(every)


def _follow(look: "_Look", published: PublishedCheckpoints, *, once: bool) -> None:
    while True:
        if once and published.caught_up:
            return
        for note in published.notes(_WAIT_S):
            if not look.at(note):
                published.again()
                time.sleep(_AGAIN_S)
                break


class _NotAdmittedError(CommandError):
    """The token is refused: no look can be taken, and nothing was found."""

    def __init__(self, refused: RefusedError, zone: str) -> None:
        text = str(refused).removesuffix(" Make a new one with 'buurtbode token'.")
        message = (
            f"your token is not accepted (any more): {text.removesuffix('.')}. Nothing was found "
            "about the log. Get a new one from whoever gave you this one, set BUURTBODE_TOKEN, and "
            "start again: it goes on where it ended. On a local stack, 'buurtbode token --role "
            f"auditor --zone {zone} --sub NAME' makes one"
        )
        super().__init__(message, NOT_ADMITTED)


@dataclass(frozen=True, slots=True)
class _Look:
    """Looks at checkpoints; patient where it goes on looking."""

    audit: Api
    zone: str
    watching: Witness
    patient: bool

    def at_the_last(self) -> None:
        """Look at the log's last checkpoint."""
        try:
            note = self.audit.request("GET", f"/v1/zones/{self.zone}/checkpoint").text
        except RefusedError as refused:
            if refused.status in _TOKEN_REFUSED:
                raise _NotAdmittedError(refused, self.zone) from None
            if refused.status == _NOT_FOUND:
                self._nothing_there(refused)
            else:
                self._later(refused)
            return
        except CommandError as error:
            self._later(error)
            return
        self.at(note, is_last=True)

    def _nothing_there(self, refused: RefusedError) -> None:
        kept = self._kept_size()
        if kept is not None:
            message = (
                f"{self.zone} has no checkpoint to show, and this witness kept one of {kept} "
                "entries. Where your token is for this log, ask the operators, in writing, what "
                "became of the entries, and keep the folder"
            )
            raise CommandError(message)
        if not self.patient:
            raise CommandError(str(refused), NO_ANSWER)
        complain(f"Nothing was signed yet of {self.zone}, or you may not see it. Looking again.")

    def _kept_size(self) -> int | None:
        try:
            last = self.watching.last()
        except NoteRefused as refused:
            raise _does_not_count(refused) from None
        return None if last is None else last.size

    def at(self, note: str, *, is_last: bool = False) -> bool:
        """Check a checkpoint and cosign it; False where the proof is to be asked for again."""
        try:
            now = int(datetime.now(UTC).timestamp())
            seen = self.watching.see(note, now, self._consistency, is_last=is_last)
        except Parted as parted:
            raise CommandError(str(parted)) from None
        except NoteRefused as refused:
            raise _does_not_count(refused) from None
        except _NotAdmittedError:
            raise
        except CommandError as error:
            self._later(error)
            return False
        if seen.is_new:
            say(f"Cosigned: {self.zone}, {seen.size} entries.")
        elif not self.patient:
            say(f"Nothing new: {self.zone}, {seen.size} entries.")
        return True

    def _later(self, error: CommandError) -> None:
        if not self.patient:
            raise CommandError(str(error), NO_ANSWER)
        complain(f"{error}. Looking again.")

    def _consistency(self, old: int, new: int) -> list[bytes]:
        path = f"/v1/zones/{self.zone}/consistency"
        try:
            answer = self.audit.get(path, **{"from": old, "to": new})
            return [base64.b64decode(value, validate=True) for value in answer["hashes"]]
        except RefusedError as refused:
            if refused.status in _TOKEN_REFUSED:
                raise _NotAdmittedError(refused, self.zone) from None
            if refused.status == _TOO_MANY or refused.status >= _FAULT:
                raise  # it may be able to later
            raise ProofRefused(str(refused).removesuffix(".")) from None
        except (KeyError, TypeError, ValueError):
            raise ProofRefused("what it answered is no proof") from None


def _does_not_count(refused: NoteRefused) -> CommandError:
    message = (
        f"the checkpoint does not count: {refused}. Where the log's key was changed, --key names "
        "the new one and --former-key the one of before, both from a source you trust"
    )
    return CommandError(message)


def _witness(zone: str, keys: Sequence[str], folder: Path, witness_key: Path, name: str) -> Witness:
    try:
        log, *former = (_verifier(given, zone) for given in keys)
        return Witness(folder, log, name, _own_key(witness_key), former)
    except (NoteRefused, Unusable) as refused:
        raise CommandError(str(refused), WRONGLY_CALLED) from None
    except OSError as error:
        message = f"cannot read {error.filename} ({error.strerror})"
        raise CommandError(message, WRONGLY_CALLED) from None


def _verifier(given: str, zone: str) -> Verifier:
    origin = origin_of(zone)
    verifier = read_key(log_key(given), origin)
    if verifier.name != origin:
        message = f"{given} is the key of {verifier.name}, not of {origin}"
        raise Unusable(message)
    return verifier


def _own_key(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made
    try:
        found = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        message = f"{path} is not an Ed25519 private key (PEM, without a password)"
        raise CommandError(message)
    return found
