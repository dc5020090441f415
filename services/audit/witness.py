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
from services.audit.domain.notes import (
    Checkpoint,
    Cosigner,
    NoteRefused,
    Verifier,
    cosign_note,
    open_with,
)

Consistency = Callable[[int, int], Sequence[bytes]]
"""Gives the log's proof that its first size is the beginning of its second. Raises `ProofRefused`
where there is an answer but no proof; any other error means: ask again later."""


class ProofRefused(Exception):  # noqa: N818 - an answer
    """The log's keeper does not prove what its key signed; the message is what was answered."""


class Parted(Exception):  # noqa: N818 - a finding
    """The log does not continue what this witness saw; the message says where they parted."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of looking at a checkpoint."""

    size: int
    is_new: bool


class Witness:
    """The checkpoints of one log, in one folder.

    `*.note` were proved and are cosigned, `unproven-*` wait for their proof, and `parted-*` show
    that the log left its past.
    """

    def __init__(
        self,
        folder: Path,
        log: Verifier,
        name: str,
        key: Ed25519PrivateKey,
        former: Sequence[Verifier] = (),
    ) -> None:
        """`log` is the log's key, from a source that the witness trusts; `former` those before."""
        self._folder = folder
        self._log = log
        self._keys = (log, *former)
        self._key = key
        self.cosigner = Cosigner.of(name, key.public_key())

    def last(self) -> Checkpoint | None:
        """Give the largest checkpoint that was kept. Raises `NoteRefused` if it was changed."""
        notes = self._notes()
        return None if not notes else self._kept_in(notes[-1])[1]

    def see(self, note: str, now: int, consistency: Consistency, *, is_last: bool = False) -> Seen:
        """Check a checkpoint against the last one, keep and cosign it.

        `now` is in seconds since 1970; `is_last` says that the log was asked for its last
        checkpoint, which never gets smaller. A former key counts up to where the log's key began
        to sign. Raises `NoteRefused` for one that the log's key did not sign, and `Parted`, with
        the evidence kept, where the log was rewritten, has shrunk or is not proved to go on. What
        `consistency` raises otherwise passes through: the checkpoint then waits, and is proved
        first of all at the next look.
        """
        last = self.last()
        checkpoint = self._seen(note)
        if is_last and last is not None and checkpoint.size < last.size:
            evidence = self._named("parted", checkpoint)
            _write(evidence, note)
            raise Parted(_shrunk(last, checkpoint, evidence))
        is_new = not self._agrees_with_kept(checkpoint)
        if is_new:
            # stored before anything is asked: whoever is asked cannot make it unsaid
            _write(self._named("unproven", checkpoint), note)
        for waiting in sorted(self._folder.glob("unproven-*.txt")):
            self._keep_proven(waiting, now, consistency)
        return Seen(checkpoint.size, is_new)

    def _agrees_with_kept(self, checkpoint: Checkpoint) -> bool:
        path = self._kept(checkpoint)
        return path.exists() and self._kept_in(path)[1] == checkpoint

    def _seen(self, note: str) -> Checkpoint:
        key, checkpoint = open_with(self._keys, note)
        if key != self._log:
            # whoever got hold of a former key signs nothing beyond the change
            before = [path for path in self._notes() if path < self._kept(checkpoint)]
            if before and self._kept_in(before[-1])[0] == self._log:
                message = (
                    f"a former key alone signed it, of {checkpoint.size} entries, where the log's "
                    "key signed before"
                )
                raise NoteRefused(message)
        return checkpoint

    def _kept_in(self, path: Path) -> tuple[Verifier, Checkpoint]:
        try:
            return open_with(self._keys, _read(path))
        except NoteRefused as refused:
            message = f"{path}, which this witness kept: {refused}"
            raise NoteRefused(message) from None

    def _notes(self) -> list[Path]:
        return sorted(self._folder.glob("*.note"))

    def _keep_proven(self, waiting: Path, now: int, consistency: Consistency) -> None:
        note = _read(waiting)
        (_, checkpoint), last = open_with(self._keys, note), self.last()
        if last is not None:
            try:
                continues = _continues(last, checkpoint, consistency)
            except ProofRefused as refused:
                raise Parted(_unproven(last, checkpoint, waiting, refused)) from None
            if not continues:
                evidence = waiting.replace(self._named("parted", checkpoint))
                raise Parted(_rewritten(last, checkpoint, evidence))
        _write(self._kept(checkpoint), cosign_note(note, self.cosigner, now, self._key.sign))
        waiting.unlink()

    def _kept(self, checkpoint: Checkpoint) -> Path:
        return self._folder / f"{checkpoint.size:012d}.note"

    def _named(self, what: str, checkpoint: Checkpoint) -> Path:
        return self._folder / f"{what}-{checkpoint.size:012d}-{checkpoint.root.hex()}.txt"


def _continues(last: Checkpoint, seen: Checkpoint, consistency: Consistency) -> bool:
    if seen.origin != last.origin:
        return False
    old, new = sorted((last, seen), key=lambda checkpoint: checkpoint.size)
    if old.size == new.size:
        return old.root == new.root
    if old.size == 0:
        return old.root == EMPTY_ROOT
    path = consistency(old.size, new.size)
    return verify_consistency(old.size, new.size, path, old.root, new.root)


def _rewritten(last: Checkpoint, seen: Checkpoint, evidence: Path) -> str:
    return (
        f"{seen.origin} was rewritten: its checkpoint of {seen.size} entries does not agree with "
        f"the one of {last.size} entries that this witness kept, so they part at or before entry "
        f"{min(last.size, seen.size) - 1}. Both are signed by the log's key: keep {evidence}, and "
        "hold a bundle against what was kept with 'buurtbode verify --kept'"
    )


def _shrunk(last: Checkpoint, seen: Checkpoint, evidence: Path) -> str:
    return (
        f"{seen.origin} has shrunk: its last checkpoint has {seen.size} entries, and this witness "
        f"kept one of {last.size} entries that the log's key signed. {_ASK} Keep {evidence}"
    )


def _unproven(last: Checkpoint, seen: Checkpoint, evidence: Path, refused: ProofRefused) -> str:
    old, new = sorted((last.size, seen.size))
    return (
        f"{seen.origin} is not proved to have only grown from {old} to {new} entries, though its "
        f"key signed both ({refused}). Where your token is for this log: {_ASK} Keep {evidence}"
    )


_ASK = (
    "Ask the operators, in writing, what became of the entries; a restored backup shows so until "
    "it is put on record with 'buurtbode recover'. Until they answered, trust nothing newer, and "
    "hold a bundle against what was kept with 'buurtbode verify --kept'."
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
