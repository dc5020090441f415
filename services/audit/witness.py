"""A witness: keeps every checkpoint of a log that it saw, and cosigns what only grew.

It needs nothing of the service but its public answers, so that whoever does not trust the
operator runs it elsewhere. What it keeps are plain signed notes, one file each.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.audit.domain.merkle import EMPTY_ROOT, verify_consistency
from services.audit.domain.notes import Checkpoint, Cosigner, Verifier, cosign_note

Consistency = Callable[[int, int], Sequence[bytes]]
"""Gives the log's proof that its first size is the beginning of its second."""


class Parted(Exception):  # noqa: N818 - a finding
    """The log does not continue what this witness saw; the message says where they parted."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of looking at a checkpoint."""

    size: int
    is_new: bool


class Witness:
    """The checkpoints of one log, in one folder."""

    def __init__(self, folder: Path, log: Verifier, name: str, key: Ed25519PrivateKey) -> None:
        """`log` is the log's key, from a source that the witness trusts."""
        self._folder = folder
        self._log = log
        self._key = key
        self.cosigner = Cosigner.of(name, key.public_key())

    def last(self) -> Checkpoint | None:
        """Give the largest checkpoint that was kept. Raises `NoteRefused` if it was changed."""
        notes = sorted(self._folder.glob("*.note"))
        return None if not notes else Checkpoint.open(_read(notes[-1]), self._log)

    def see(self, note: str, now: int, consistency: Consistency) -> Seen:
        """Check a checkpoint against the last one, keep and cosign it.

        `now` is in seconds since 1970. Raises `NoteRefused` for one that the log's key did not
        sign, and `Parted`, with the evidence kept, where the log was rewritten.
        """
        checkpoint = Checkpoint.open(note, self._log)
        last = self.last()
        if last is not None and not self._continues(last, checkpoint, consistency):
            evidence = self._folder / f"parted-{checkpoint.size:012d}-{checkpoint.root.hex()}.txt"
            _write(evidence, note)
            raise Parted(_message(last, checkpoint, evidence))
        path = self._folder / f"{checkpoint.size:012d}.note"
        if path.exists():
            return Seen(checkpoint.size, is_new=False)
        _write(path, cosign_note(note, self.cosigner, now, self._key.sign))
        return Seen(checkpoint.size, is_new=True)

    def _continues(self, last: Checkpoint, seen: Checkpoint, consistency: Consistency) -> bool:
        if seen.origin != last.origin:
            return False
        old, new = sorted((last, seen), key=lambda checkpoint: checkpoint.size)
        if old.size == new.size:
            return old.root == new.root
        if old.size == 0:
            return old.root == EMPTY_ROOT
        path = consistency(old.size, new.size)
        return verify_consistency(old.size, new.size, path, old.root, new.root)


def _message(last: Checkpoint, seen: Checkpoint, evidence: Path) -> str:
    return (
        f"{seen.origin} was rewritten: its checkpoint of {seen.size} entries does not agree with "
        f"the one of {last.size} entries that this witness kept, so they part at or before entry "
        f"{min(last.size, seen.size) - 1}. Both are signed by the log's key: keep {evidence}, and "
        "hold a bundle against what was kept with 'buurtbode verify --kept'"
    )


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    """Write a whole file or none: a witness that was killed has not half seen something."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
