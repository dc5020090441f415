"""The versions of the networks' documents, in collection `documents`."""

from services.registry.domain.documents import DocumentVersion
from services.registry.store.rows import from_row, to_row
from shared.contracts.registry import DocumentKind
from shared.mongo import Database, Session


class Documents:
    """Every version of every document; a version is written once and never changes."""

    def __init__(self, database: Database) -> None:
        """Bind to the service's database."""
        self._rows = database["documents"]

    async def add(self, session: Session, document: DocumentVersion) -> None:
        """Store a version."""
        row_id = _row_id(document.network_id, document.kind, document.number)
        await self._rows.insert_one({"_id": row_id, **to_row(document)}, session=session)

    async def get(
        self, network_id: str, kind: DocumentKind, number: int, session: Session | None = None
    ) -> DocumentVersion | None:
        """Give one version, or None."""
        row_id = _row_id(network_id, kind, number)
        row = await self._rows.find_one({"_id": row_id}, session=session)
        return None if row is None else from_row(DocumentVersion, row)


def _row_id(network_id: str, kind: DocumentKind, number: int) -> str:
    return f"{network_id}|{kind}|{number}"
