"""Ask members to accept new house rules themselves, each by their own link."""

from services.registry.domain.member import ask_rules
from services.registry.domain.notice import house_rules_changed
from services.registry.flows.context import Context
from shared.mongo import Session

_MOST = 20
_PAGE = 50
"""Members per transaction: long ones collide with other changes."""


async def ask_new_rules(context: Context) -> bool:
    """Ask one page of members in each network with new rules; tell whether there may be more."""
    found = await context.rule_asks.some(_MOST)
    for network_id in found:
        await _ask(context, network_id)
    return bool(found)


async def _ask(context: Context, network_id: str) -> None:
    """Ask a page, and note in the same transaction how far it came: nobody is asked twice."""

    async def work(session: Session) -> None:
        ask = await context.rule_asks.find(session, network_id)
        if ask is None:
            return
        network = await context.networks.get(network_id, session)
        if network.state == "dissolved":
            await context.rule_asks.move(session, ask, None)
            return
        now = context.clock.now()
        members = await context.members.by_id(session, network_id, ask.after, _PAGE)
        for before in members:
            after = ask_rules(before, ask.version)
            if after is before:
                continue
            await context.put_member(session, after)
            notice = house_rules_changed(context.clock.new_id(), after, ask.version, now)
            await context.outbox.add(session, [notice])
            await context.record(
                session,
                None,
                "change",
                "member.ask_rules",
                zone_id=after.zone_id,
                network_id=network_id,
                members=[after],
            )
        last = members[-1].member_id if len(members) == _PAGE else None
        await context.rule_asks.move(session, ask, last)

    await context.transaction(work)
