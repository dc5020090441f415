"""Prove that an entry stands in a log, and that a log only grew."""

from dataclasses import dataclass

from services.audit.domain.merkle import consistency_ranges, inclusion_ranges, leaf_hash
from services.audit.store.checkpoints import Checkpoints
from services.audit.store.log import LogStore


class NotProvable(LookupError):  # noqa: N818 - an answer to a question
    """There is no such entry, or no checkpoint that covers it yet; the message says which."""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """What shows that an entry stands in the log of a size."""

    index: int
    size: int
    body: bytes
    leaf: bytes
    hashes: list[bytes]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """What shows that the log of one size is the beginning of the log of another."""

    old: int
    new: int
    hashes: list[bytes]


class Prove:
    """Proofs up to the last signed checkpoint: beyond it nothing is promised yet."""

    def __init__(self, log: LogStore, checkpoints: Checkpoints) -> None:
        """Wire."""
        self._log = log
        self._checkpoints = checkpoints

    async def note(self, log: str) -> str:
        """Give the last checkpoint. Raises `NotProvable`."""
        signed = await self._checkpoints.last(log)
        if signed is None:
            raise NotProvable("no checkpoint of this log has been signed yet")
        return signed.note

    async def inclusion(self, log: str, index: int, size: int | None) -> InclusionProof:
        """Prove that an entry stands in the log of `size`. Raises `NotProvable`."""
        size = await self._covered(log, size)
        if not 0 <= index < size:
            raise NotProvable("the log of this size has no such entry")
        entries = await self._log.at(log, [index])
        if not entries:
            raise NotProvable("there is no such entry")
        hashes = await self._log.proof(log, inclusion_ranges(index, size))
        body = entries[0].body
        return InclusionProof(index, size, body, leaf_hash(body), hashes)

    async def consistency(self, log: str, old: int, new: int | None) -> ConsistencyProof:
        """Prove that the log of `old` is the beginning of that of `new`. Raises `NotProvable`."""
        new = await self._covered(log, new)
        if not 0 < old <= new:
            raise NotProvable("`from` must be at least 1 and at most `to`")
        return ConsistencyProof(old, new, await self._log.proof(log, consistency_ranges(old, new)))

    async def _covered(self, log: str, size: int | None) -> int:
        signed = await self._checkpoints.last(log)
        covered = 0 if signed is None else signed.size
        if size is None:
            size = covered
        if not 0 <= size <= covered:
            raise NotProvable("no signed checkpoint covers this size yet")
        return size
