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

    async def prepare(self) -> None:
        """Create the index: all versions of a network's document."""
        await self._rows.create_index([("network_id", 1), ("kind", 1), ("number", 1)])

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

    async def versions(
        self, network_id: str, kind: DocumentKind, session: Session
    ) -> list[DocumentVersion]:
        """Give all versions of a document; there are few, and a version is short."""
        query = {"network_id": network_id, "kind": kind}
        rows = self._rows.find(query, session=session).sort("number", 1)
        return [from_row(DocumentVersion, row) async for row in rows]


def _row_id(network_id: str, kind: DocumentKind, number: int) -> str:
    return f"{network_id}|{kind}|{number}"
