"""Join what the police wrote to the verdict on it, as an entry of the zone's log."""

import re
from typing import Any

from services.audit.domain.drafting import original_draft
from services.audit.domain.entries import Draft
from services.audit.flows.append_entries import AppendEntries
from services.audit.store.originals import Originals
from shared.contracts import Verdict
from shared.contracts.police import APPROVAL_HEADER, SIGNATURE_HEADER
from shared.mongo import Document, Session

_BATCH = 200
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class JoinOriginals:
    """A job: originals whose verdict is known become entries."""

    def __init__(self, append: AppendEntries, originals: Originals) -> None:
        """Wire."""
        self._append = append
        self._originals = originals

    async def once(self) -> bool:
        """Log what is joined; tell whether there is more."""
        rows = await self._originals.joined(_BATCH)
        done = False
        for log in sorted({str(row["log"]) for row in rows}):
            done |= await self._log(log, [row for row in rows if row["log"] == log])
        return done

    async def _log(self, log: str, rows: list[Document]) -> bool:
        async def mark(session: Session) -> None:
            await self._originals.logged(session, [row["_id"] for row in rows])

        return await self._append(log, [_draft(row) for row in rows], mark)


def _draft(row: Document) -> Draft:
    verdict = Verdict.model_validate(row["verdict"])
    headers: dict[str, bytes] = {name: bytes(value) for name, value in row.get("headers", [])}
    private: dict[str, Any] = {
        "position": row["_id"],
        "sha256": row["sha256"],
        "value": _text(row.get("value")),
        "signature": _text(headers.get(SIGNATURE_HEADER)),
        "approval": _text(headers.get(APPROVAL_HEADER)),
    }
    return original_draft(
        event_id="original." + row["_id"].replace("|", "."),
        time=row["seen_at"],
        message_id=verdict.message_id,
        network_ids=verdict.network_ids,
        private=private,
    )


def _text(value: bytes | None) -> str | None:
    """Give bytes as text; what is no text has no readable form, and its hash is on record.

    Nor have control characters, which no JSON holds: written as JSON, each becomes six bytes.
    """
    if value is None or _CONTROL.search(value):
        return None
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        return None
