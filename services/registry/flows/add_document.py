"""Add a version of a network's charter, house rules or communication plan."""

from datetime import date

from services.registry.domain.documents import DocumentVersion, Plan, check_in_force
from services.registry.domain.network import NetworkRecord, adopt_document
from services.registry.domain.notice import ask_acceptance
from services.registry.flows.context import Actor, Context
from shared.contracts.base import Language
from shared.contracts.registry import DocumentKind
from shared.mongo import Session


async def add_document(
    context: Context,
    actor: Actor,
    network_id: str,
    kind: DocumentKind,
    *,
    text: dict[Language, str],
    plan: Plan | None,
    added_by: str,
    in_force_from: date | None = None,
) -> DocumentVersion:
    """Add the next version, which becomes the current one.

    The first house rules are what pending members were waiting for: they get their link now. Each
    later version asks the members to accept it, by a link of their own. Raises `Invalid`.
    """

    async def work(session: Session) -> DocumentVersion:
        before = await context.networks.get(network_id, session)
        document = DocumentVersion(
            network_id=network_id,
            kind=kind,
            number=before.documents.get(kind, 0) + 1,
            text=text,
            added_at=context.clock.now(),
            added_by=added_by,
            in_force_from=in_force_from,
            plan=plan,
        )
        former = await context.documents.get(network_id, kind, document.number - 1, session)
        check_in_force(document, former)
        network = adopt_document(before, document)
        await context.documents.add(session, document)
        await context.put_network(session, network)
        if kind == "house_rules" and document.number == 1:
            await _ask_everyone_pending(context, session, network)
        elif kind == "house_rules":
            await context.rule_asks.begin(session, network_id, document.number)
        await context.record(
            session,
            actor,
            "change",
            f"document.{kind}",
            zone_id=network.zone_id,
            network_id=network_id,
        )
        return document

    return await context.transaction(work)


async def _ask_everyone_pending(context: Context, session: Session, network: NetworkRecord) -> None:
    now = context.clock.now()
    notices = [
        ask_acceptance(context.clock.new_id(), member, now)
        for member in await context.members.pending(session, network.network_id)
    ]
    await context.outbox.add(session, notices)
