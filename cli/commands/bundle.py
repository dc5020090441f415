"""`buurtbode bundle`: download an audit log, whole, and go on where that was cut off."""

import os
import sys
from pathlib import Path
from typing import Annotated, BinaryIO, Self

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.api import Api, RefusedError
from cli.connection import Service, StackOption, connect
from cli.console import console, say
from cli.failures import WRONGLY_CALLED, CommandError
from services.audit.domain.bundle import BundleRefused, read_header
from services.audit.domain.notes import origin_of

_AUDIT: Service = "audit"
_BEGINNING = b'{"checkpoint":'
_BLOCK = 1024 * 1024
_LONGEST_HEADER = 64 * 1024


def bundle(
    *,
    zone: Annotated[
        str, typer.Option("--zone", help="The zone whose log to download, or 'operators'.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            help="The file to write. Where it holds the beginning of a download that was cut off, "
            "it is completed.",
        ),
    ],
    role: Annotated[
        str,
        typer.Option(
            "--role",
            help="Which token of the stack's file to use: an auditor's of the zone; for the "
            "operators' own log, an operator's of no single zone.",
        ),
    ] = "auditor",
    stack: StackOption = None,
) -> None:
    """Download an audit log up to its last checkpoint, for 'buurtbode verify' (for an auditor).

    The download is put on record. Where it is cut off, the same command goes on where it ended, up
    to the same checkpoint. The file holds what the log holds: keep it as carefully.
    """
    connection = connect(stack)
    try:
        with _opened(out) as file:
            partial = _Partial(file, zone, out)
            if partial.entries == partial.size:
                say(f"{out} is whole already: {partial.size} entries. Name another file for more.")
                return
            with Api(_AUDIT, connection.url(_AUDIT), connection.token(role)) as audit:
                _download(audit, zone, partial)
    except OSError as error:
        message = f"cannot write {out} ({error.strerror})"
        raise CommandError(message) from None
    say(f"{out}: all {partial.entries} entries of {origin_of(zone)}, up to its checkpoint.")
    say(f"Check it with 'buurtbode verify {out} --key KEY'; KEY from a source you trust.")


def _opened(path: Path) -> BinaryIO:
    """Open a file to read and write; a new one belongs to its owner only."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


class _Partial:
    """The file of a download, with the whole lines that it holds from before."""

    def __init__(self, file: BinaryIO, zone: str, path: Path) -> None:
        """Read what is there, and cut off what is no whole line.

        Raises `CommandError`, and leaves the file as it is, where it is not the beginning of this
        log's bundle.
        """
        self.entries = 0
        self.size: int | None = None
        """Of the log, as the first line says; None while there is none."""
        self._file = file
        self._origin = origin_of(zone)
        self._head = b""
        try:
            end = self._read()
        except BundleRefused as refused:
            message = f"{path} is there, and is left as it is: {refused}. Name another file"
            raise CommandError(message, WRONGLY_CALLED) from None
        file.seek(end)
        file.truncate()

    def take(self, chunk: bytes) -> None:
        """Write what came. Raises `BundleRefused` where it is not this log's bundle."""
        if self.size is None:
            chunk = self._begin(chunk)
        self._file.write(chunk)
        self.entries += chunk.count(b"\n")

    def _begin(self, chunk: bytes) -> bytes:
        self._head += chunk
        line, end, rest = self._head.partition(b"\n")
        if end:
            self.size = self._size(line + end)
            self._file.write(line + end)
            return rest
        self._none_yet(line)
        return b""

    def _read(self) -> int:
        first = self._file.readline(_LONGEST_HEADER)
        if not first.endswith(b"\n"):
            self._none_yet(first)
            return 0
        self.size, end = self._size(first), len(first)
        at = end
        while block := self._file.read(_BLOCK):
            self.entries += block.count(b"\n")
            end = at + block.rindex(b"\n") + 1 if b"\n" in block else end
            at += len(block)
        if self.entries > self.size:
            raise BundleRefused("it has more lines than its log has entries")
        return end

    def _size(self, line: bytes) -> int:
        header = read_header(line)
        if header.origin != self._origin:
            message = f"it is of {header.origin}"
            raise BundleRefused(message)
        return header.size

    def _none_yet(self, begun: bytes) -> None:
        if not begun.startswith(_BEGINNING[: len(begun)]) or len(begun) >= _LONGEST_HEADER:
            raise BundleRefused("it is no bundle")


def _download(audit: Api, zone: str, partial: _Partial) -> None:
    """Ask for what is missing."""
    resumed = partial.size is not None
    query = {"from": partial.entries, "size": partial.size} if resumed else {}
    try:
        with _Shown() as shown, audit.chunks(f"/v1/zones/{zone}/bundle", **query) as chunks:
            for chunk in chunks:
                partial.take(chunk)
                shown.at(partial)
    except RefusedError as refused:
        if not resumed:
            raise
        message = f"{refused} It cannot go on with this file: name another one"
        raise CommandError(message) from None
    except BundleRefused as refused:
        message = f"the audit did not answer with a bundle of {origin_of(zone)}: {refused}"
        raise CommandError(message) from None
    except CommandError as error:
        raise _cut_off(str(error), partial) from None
    if partial.entries != partial.size:
        raise _cut_off("the answer ended too early", partial)


def _cut_off(why: str, partial: _Partial) -> CommandError:
    of = "" if partial.size is None else f" of {partial.size}"
    message = f"{why}. {partial.entries}{of} entries are there; the same command goes on with it"
    return CommandError(message)


class _Shown:
    """How far a download is: a bar on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("entries"),
            BarColumn(),
            MofNCompleteColumn(),
            console=console(),
            disable=not sys.stdout.isatty(),
        )
        self._task = self._bar.add_task("entries", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()

    def at(self, partial: _Partial) -> None:
        """Show how many are there."""
        self._bar.update(self._task, completed=partial.entries, total=partial.size)
