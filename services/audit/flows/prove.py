"""Prove that an entry stands in a log, and that a log only grew."""

from dataclasses import dataclass

from services.audit.domain.merkle import consistency_ranges, inclusion_ranges, leaf_hash
from services.audit.store.checkpoints import Checkpoints
from services.audit.store.log import LogStore


class NotProvable(LookupError):  # noqa: N818 - an answer to a question
    """There is no such entry, or no checkpoint of that size; the message says which."""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """What shows that an entry stands in the log of a size."""

    index: int
    size: int
    body: bytes
    leaf: bytes
    hashes: list[bytes]
    note: str
    """The checkpoint of exactly this size."""


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """What shows that the log of one size is the beginning of the log of another."""

    old: int
    new: int
    hashes: list[bytes]
    note: str
    """The checkpoint of exactly the newer size; whoever asks kept the older one."""


@dataclass(frozen=True, slots=True)
class _Signed:
    size: int
    note: str


class Prove:
    """Proofs for sizes that were signed: for any other there is no root to hold one against."""

    def __init__(self, log: LogStore, checkpoints: Checkpoints) -> None:
        """Wire."""
        self._log = log
        self._checkpoints = checkpoints

    async def note(self, log: str) -> str:
        """Give the last checkpoint. Raises `NotProvable`."""
        return (await self._signed(log, None)).note

    async def inclusion(self, log: str, index: int, size: int | None) -> InclusionProof:
        """Prove that an entry stands in the log of `size`. Raises `NotProvable`."""
        signed = await self._signed(log, size)
        if not 0 <= index < signed.size:
            raise NotProvable("the log of this size has no such entry")
        entries = await self._log.at(log, [index])
        if not entries:
            raise NotProvable("there is no such entry")
        hashes = await self._log.proof(log, inclusion_ranges(index, signed.size))
        body = entries[0].body
        return InclusionProof(index, signed.size, body, leaf_hash(body), hashes, signed.note)

    async def consistency(self, log: str, old: int, new: int | None) -> ConsistencyProof:
        """Prove that the log of `old` is the beginning of that of `new`. Raises `NotProvable`.

        `old` may be any size: a checkpoint of it that a restored database forgot is then shown
        not to be continued, instead of not to be known.
        """
        signed = await self._signed(log, new)
        if not 0 < old <= signed.size:
            raise NotProvable("`from` must be at least 1 and at most `to`")
        hashes = await self._log.proof(log, consistency_ranges(old, signed.size))
        return ConsistencyProof(old, signed.size, hashes, signed.note)

    async def _signed(self, log: str, size: int | None) -> _Signed:
        """Give the last checkpoint, or the one of exactly a size."""
        if size is not None:
            note = await self._checkpoints.at(log, size)
            if note is None:
                raise NotProvable(
                    "no checkpoint of exactly this size was signed: give the size of one that you "
                    "kept, or none for the last"
                )
            return _Signed(size, note)
        signed = await self._checkpoints.last(log)
        if signed is None:
            raise NotProvable("no checkpoint of this log has been signed yet")
        return _Signed(signed.size, signed.note)
