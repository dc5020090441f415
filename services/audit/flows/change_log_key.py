"""Put a change of the log's signing key on record, so that a checkpoint of both keys covers it."""

from services.audit.domain.entries import Draft, EntryType
from services.audit.flows.append_entries import AppendEntries
from services.audit.signer import Signer
from services.audit.store.checkpoints import Checkpoints
from shared.clock import Clock
from shared.mongo import Session


class ChangeLogKey:
    """A job: every log whose last checkpoint lacks the new key's signature gets an entry.

    The checkpoint that follows is signed with both keys: whoever trusts the former one sees its
    holder vouch for the new one, and for the log up to there.
    """

    def __init__(
        self, append: AppendEntries, checkpoints: Checkpoints, signer: Signer, clock: Clock
    ) -> None:
        """Wire."""
        self._append = append
        self._checkpoints = checkpoints
        self._signer = signer
        self._clock = clock

    async def once(self) -> bool:
        """Append what is due; nothing where no former key is configured."""
        if not self._signer.changes:
            return False
        for log, note in (await self._checkpoints.notes()).items():
            if self._signer.opens_with_former_only(log, note):
                await self._append(log, [self._draft(log)], _nothing)
        return False

    def _draft(self, log: str) -> Draft:
        new, *former = self._signer.verifiers(log)
        return Draft(
            event_id=f"log_key.{new.key_id.hex()}",
            type=EntryType.KEY,
            time=self._clock.now(),
            state="log_key_changed",
            private={"to": new.vkey, "from": [verifier.vkey for verifier in former]},
        )


async def _nothing(_session: Session) -> None:
    return
