"""Stream a log up to a checkpoint as a bundle, in constant memory, from any entry on."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from services.audit.domain.bundle import Header, entry_line, header_line
from services.audit.domain.notes import NoteRefused, Verifier, open_with, origin_of
from services.audit.store.checkpoints import Checkpoints
from services.audit.store.log import LogStore

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that is ready to be streamed."""

    size: int
    lines: AsyncIterator[bytes]
    """Chunks of whole lines."""


class StreamBundle:
    """A bundle begins with its header; one that is resumed goes on with entry `start`."""

    def __init__(
        self,
        log: LogStore,
        checkpoints: Checkpoints,
        verifiers: Callable[[str], Sequence[Verifier]],
    ) -> None:
        """Wire; `verifiers` gives the public keys of a log."""
        self._log = log
        self._checkpoints = checkpoints
        self._verifiers = verifiers

    async def __call__(self, log: str, start: int | None, size: int | None) -> Bundle | None:
        """Open the bundle up to the last checkpoint, or up to the one of exactly `size`.

        `start` is None for the whole. None where there is no such checkpoint or entry.
        """
        note = await self._note(log, size)
        if note is None:
            return None
        try:
            verifier, checkpoint = open_with(self._verifiers(log), note)
        except NoteRefused:
            return None  # of a key that is no longer configured
        size = checkpoint.size
        if start is not None and not 0 <= start <= size:
            return None
        header = Header(origin_of(log), size, note, verifier.vkey)
        return Bundle(size, self._lines(log, header, start))

    async def _note(self, log: str, size: int | None) -> str | None:
        if size is not None:
            return await self._checkpoints.at(log, size)
        signed = await self._checkpoints.last(log)
        return None if signed is None else signed.note

    async def _lines(self, log: str, header: Header, start: int | None) -> AsyncIterator[bytes]:
        if start is None:
            yield header_line(header)
        async for entries in self._log.pages(log, start or 0, header.size, _PAGE):
            yield b"".join(entry_line(entry.body, entry.part, entry.salt) for entry in entries)
