"""Checking a bundle offline: no service, no network, no database, constant memory.

Keys never come from the bundle. Without one, a bundle can only be consistent with itself.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from services.audit.domain.bundle import BundleRefused, Header, read_header, read_line
from services.audit.domain.entries import zone_of
from services.audit.domain.merkle import EMPTY_ROOT, Frontier, leaf_hash
from services.audit.domain.notes import (
    ORIGIN_PREFIX,
    Checkpoint,
    Cosigner,
    NoteRefused,
    Verifier,
    open_with,
)

VERIFIED = 0
BROKEN = 1
UNPROVEN = 2
"""Exit codes: proven to be the key's log; broken; consistent with itself, author unproven."""

_LONGEST_LINE = 64 * 1024 * 1024
"""Beyond this a line is no entry (a Kafka record is at most a few MB): memory stays bounded."""

_PEM = "-----BEGIN"
_ANY_LOG = ORIGIN_PREFIX + "any"
"""A PEM key bears no name; to see whether it is one, any will do."""


class Unusable(Exception):  # noqa: N818 - about what was given
    """A key or a kept file that is none. It says nothing of the bundle; the message, what to do."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `problem` is the first one; `line` counts from 1, `index` from 0."""

    entries: int
    erased: int
    author_proven: bool
    kept_compared: int = 0
    witnesses: int = 0
    origin: str | None = None
    size: int | None = None
    problem: str | None = None
    line: int | None = None
    index: int | None = None

    @property
    def exit_code(self) -> int:
        """Give what a command line tool ends with."""
        if self.problem is not None:
            return BROKEN
        return VERIFIED if self.author_proven else UNPROVEN


class _Broken(Exception):  # noqa: N818 - a verdict on the input
    def __init__(self, problem: str, line: int | None = None, index: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.index = index


class _Check:
    """One pass over one bundle."""

    def __init__(
        self,
        key: str | None,
        kept: Sequence[str],
        witnesses: Sequence[str],
        past: Sequence[Iterator[bytes]],
        former: Sequence[str],
    ) -> None:
        self._key = key
        self._witnesses = witnesses
        self._former = former
        self._past = list(past)
        self._agreed = 0
        self._kept_notes = kept
        self._kept: dict[int, bytes] = {}
        self._frontier = Frontier()
        self._header: Header | None = None
        self._zone = ""
        self.compared = 0
        self.erased = 0

    @property
    def entries(self) -> int:
        return self._frontier.size

    def report(self, broken: _Broken | None = None) -> Report:
        header = self._header
        return Report(
            entries=self.entries,
            erased=self.erased,
            author_proven=self._key is not None and broken is None,
            kept_compared=self.compared,
            witnesses=len(self._witnesses),
            origin=None if header is None else header.origin,
            size=None if header is None else header.size,
            problem=None if broken is None else broken.problem,
            line=None if broken is None else broken.line,
            index=None if broken is None else broken.index,
        )

    def run(self, lines: Iterator[bytes]) -> None:
        checkpoint = self._first(next(lines, b""))
        self._zone = zone_of(checkpoint.origin.removeprefix(ORIGIN_PREFIX))
        self._compare(0, EMPTY_ROOT)
        for number, line in enumerate(lines, start=2):
            self._entry(line, number, checkpoint)
        if self.entries != checkpoint.size:
            missing = checkpoint.size - self.entries
            message = f"the bundle ends too early: {missing} entries are missing"
            raise _Broken(message)
        if self._frontier.root() != checkpoint.root:
            raise _Broken("the entries are not those that the checkpoint was signed over")
        beyond = sorted(self._kept)
        if beyond:
            message = f"the log is shorter than a kept checkpoint, which has {beyond[0]} entries"
            raise _Broken(message)

    def _first(self, line: bytes) -> Checkpoint:
        try:
            header = self._header = read_header(line)
            verifier = self._verifier(header)
            checkpoint = Checkpoint.open(header.checkpoint, verifier)
            self._read_kept(verifier, header)
            self._read_cosignatures(header)
        except (BundleRefused, NoteRefused) as refused:
            raise _Broken(str(refused), line=1) from None
        if checkpoint.origin != header.origin or checkpoint.size != header.size:
            raise _Broken("the checkpoint is not the one that the first line announces", line=1)
        return checkpoint

    def _verifier(self, header: Header) -> Verifier:
        if not header.origin.startswith(ORIGIN_PREFIX):
            message = f"the origin does not begin with {ORIGIN_PREFIX}"
            raise NoteRefused(message)
        stated = Verifier.parse(header.public_key)
        if stated.vkey != header.public_key:
            raise NoteRefused("the key in the first line is not in its one form")
        verifier = stated if self._key is None else read_key(self._key, header.origin)
        if verifier.name != header.origin:
            raise NoteRefused("the key is not for this log")
        if verifier != stated and not _signed_by(verifier, header.checkpoint):
            raise NoteRefused("the bundle was signed with another key than the one given")
        return verifier

    def _read_kept(self, verifier: Verifier, header: Header) -> None:
        former = [read_key(text, header.origin) for text in self._former]
        for note in self._kept_notes:
            try:
                _, kept = open_with([verifier, *former], note)
            except NoteRefused as refused:
                message = f"the kept checkpoint does not count: {refused}"
                raise NoteRefused(message) from None
            if kept.origin != header.origin:
                raise NoteRefused("the kept checkpoint is of another log")
            if self._kept.setdefault(kept.size, kept.root) != kept.root:
                raise NoteRefused("two kept checkpoints of one size differ: the log was forked")

    def _read_cosignatures(self, header: Header) -> None:
        for text in self._witnesses:
            witness = Cosigner.parse(text)
            notes = [header.checkpoint, *self._kept_notes]
            if all(witness.seen_at(note) is None for note in notes):
                message = f"no checkpoint given bears a cosignature of {witness.name}"
                raise NoteRefused(message)

    def _compare_past(self, body: bytes, number: int, index: int) -> None:
        for past in self._past:
            line = next(past, None)
            if line is None:
                continue  # this one is shorter
            # a private part may have been erased since: only the entry itself stays
            if read_line(line).body != body:
                message = (
                    "the log parted from its past here: the kept bundle, as signed by the log's "
                    "key, has another entry in this place"
                )
                raise _Broken(message, number, index)

    def _entry(self, line: bytes, number: int, checkpoint: Checkpoint) -> None:
        index = self.entries
        if index >= checkpoint.size:
            raise _Broken("there are more lines than the checkpoint has entries", line=number)
        try:
            read = read_line(line)
        except BundleRefused as refused:
            raise _Broken(str(refused), line=number, index=index) from None
        if read.entry["index"] != index:
            raise _Broken("an entry is missing, doubled or out of order", number, index)
        if read.entry["zone_id"] != self._zone:
            raise _Broken("the entry is of another zone", number, index)
        if self._past:
            self._compare_past(read.body, number, index)
        self.erased += read.erased
        self._frontier.append(leaf_hash(read.body))
        if self._kept:
            self._compare(index + 1, None)

    def _compare(self, size: int, root: bytes | None) -> None:
        kept = self._kept.pop(size, None)
        if kept is None:
            return
        if kept != (root or self._frontier.root()):
            where = (
                f"with entry {self._agreed}"
                if self._agreed == size - 1
                else f"between entry {self._agreed} and entry {size - 1}"
            )
            message = (
                f"the log was rewritten: its first {size} entries are not those of the kept "
                f"checkpoint; it parted from its past {where}"
            )
            raise _Broken(message, index=size - 1)
        self.compared += 1
        self._agreed = size


def verify_bundle(
    lines: Iterable[bytes],
    key: str | None = None,
    kept: Sequence[str] = (),
    *,
    witnesses: Sequence[str] = (),
    past: Sequence[Iterable[bytes]] = (),
    former: Sequence[str] = (),
) -> Report:
    """Check a bundle, line by line (each with its line feed).

    `key` is the text of a verifier key (`name+id+key`) or of a PEM public key; `kept` are signed
    checkpoints of the same log from before; each of `witnesses` is the key of one who must have
    cosigned one of them, or the bundle's own. `past` are the entry lines, without the first, of
    bundles from before that were verified with the same key: held against these, the first entry
    that differs is named. `former` are keys of before, by which only kept checkpoints count. Never
    raises for anything that a bundle holds.
    """
    check = _Check(key, kept, witnesses, [iter(bundle) for bundle in past], former)
    try:
        check.run(iter(lines))
    except _Broken as broken:
        return check.report(broken)
    return check.report()


def _signed_by(verifier: Verifier, note: str) -> bool:
    """Tell whether a key signed too, as a former one does while the log's key changes."""
    try:
        Checkpoint.open(note, verifier)
    except NoteRefused:
        return False
    return True


def read_key(text: str, origin: str) -> Verifier:
    """Read a verifier key, or put a log's name to a PEM public key. Raises `NoteRefused`."""
    if _PEM not in text:
        return Verifier.parse(text)
    if "PRIVATE KEY-----" in text:
        raise NoteRefused("it is private; 'openssl pkey -in FILE -pubout' gives the public half")
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise NoteRefused("the key is not a PEM public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise NoteRefused("the key is not an Ed25519 key")
    return Verifier.of(origin, key)


def log_key(given: str) -> str:
    """Give the text of a log's key: a verifier key, PEM, or the path of a file with either.

    Raises `OSError` where there is no such file, and `Unusable` where it is no key.
    """
    binary = "not a PEM public key; convert it with: openssl pkey -pubin -inform DER -in"
    return _key_text(given, lambda text: read_key(text, _ANY_LOG), f"{binary} {given}")


def witness_key(given: str) -> str:
    """Give the text of a witness's key, or of a file that holds it. Raises the same."""
    return _key_text(given, Cosigner.parse, "not the line of text that 'buurtbode witness' prints")


def _key_text(given: str, read: Callable[[str], object], binary: str) -> str:
    if "+" in given or _PEM in given:
        try:
            read(given)
        except NoteRefused as refused:
            if not os.path.exists(given):  # noqa: PTH110 - `Path` raises for what is no path
                message = f"{given} is no file, and {refused}"
                raise Unusable(message) from None
        else:
            return given
    try:
        text = Path(given).read_text(encoding="utf-8")
        read(text)
    except UnicodeDecodeError:
        message = f"{given} is {binary}"
        raise Unusable(message) from None
    except NoteRefused as refused:
        message = f"{given} is no key to check with: {refused}"
        raise Unusable(message) from None
    return text


def verify_file(
    bundle: Path,
    key: str | None = None,
    kept: Sequence[Path] = (),
    witnesses: Sequence[str] = (),
    former: Sequence[str] = (),
) -> tuple[int, list[str]]:
    """Check a bundle file for the command line: the exit code, and what to print.

    `key` is a verifier key, or the path of a file that holds one or a PEM public key, and so are
    those of `former`; `witnesses` likewise. A file of `kept` is a checkpoint, or a whole bundle,
    from before. Raises `OSError` where a file cannot be read, and `Unusable` where what was given
    is no key or no checkpoint: neither is a finding about the bundle.
    """
    text = None if key is None else log_key(key)
    before = [log_key(given) for given in former]
    cosigners = [witness_key(given) for given in witnesses]
    bundles = [path for path in kept if _is_bundle(path)]
    notes = [_note(path) for path in kept if path not in bundles]
    with ExitStack() as files:
        past: list[Iterator[bytes]] = []
        for path in bundles:
            with path.open("rb") as file:
                older = _older(file, text, before)
            if older.problem is not None:
                return BROKEN, [f"NOT VERIFIED: the kept bundle itself is wrong: {older.problem}."]
            lines = _lines(files.enter_context(path.open("rb")))
            notes.append(read_header(next(lines)).checkpoint)
            past.append(lines)
        report = verify_bundle(
            _lines(files.enter_context(bundle.open("rb"))),
            text,
            notes,
            witnesses=cosigners,
            past=past,
            former=before,
        )
    return report.exit_code, _said(report)


def _older(file: BinaryIO, key: str | None, former: Sequence[str]) -> Report:
    """Check a kept bundle, which may be of the time of a former key."""
    report = verify_bundle(_lines(file), key)
    for before in former:
        if report.problem is None:
            break
        file.seek(0)
        report = verify_bundle(_lines(file), before)
    return report


def _note(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        message = f"{path} is neither a checkpoint nor a bundle: a witness's *.note files are"
        raise Unusable(message) from None


def _is_bundle(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1) == b"{"  # a checkpoint begins with its origin


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        yield line


def _said(report: Report) -> list[str]:
    if report.problem is not None:
        where = [
            f"{name} {value}"
            for name, value in (("line", report.line), ("entry", report.index))
            if value is not None
        ]
        place = f" ({', '.join(where)})" if where else ""
        return [f"NOT VERIFIED: {report.problem}{place}."]
    said = [f"{report.entries} entries of {report.origin}, as signed in the checkpoint."]
    if report.erased:
        said.append(f"{report.erased} private parts have been erased; their entries still hold.")
    if report.kept_compared:
        said.append(f"Begins with every kept checkpoint ({report.kept_compared} compared).")
    if report.witnesses:
        said.append(f"Cosigned by every witness that you named ({report.witnesses}).")
    if report.author_proven:
        return ["VERIFIED.", *said]
    unproven = "Consistent with itself, author unproven: give the log's key with --key."
    return [unproven, *said]
