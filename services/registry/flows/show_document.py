"""Show the current version of a document, or an older one."""

from services.registry.domain.documents import DocumentVersion
from services.registry.domain.failures import NotThere
from services.registry.domain.network import NetworkRecord
from services.registry.flows.context import Context
from shared.contracts.registry import DocumentKind


async def show_document(
    context: Context, network: NetworkRecord, kind: DocumentKind, number: int | None = None
) -> DocumentVersion:
    """Give one version of a document; the current one by default. Raises `NotThere`."""
    wanted = number or network.documents.get(kind)
    if wanted is None:
        raise NotThere
    document = await context.documents.get(network.network_id, kind, wanted)
    if document is None:
        raise NotThere
    return document
